/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "image-fixture.h"
#include "key-fixture.h"

#include "image/image-file.h"
#include "image/manifest.h"

static void assert_has(const char *text, const char *part) {
        if (!strstr(text, part))
                fail_msg("\"%s\" is not in:\n%s", part, text);
}

static void put_packages(const Image *image) {
        _cleanup_(freep) char *path = NULL;

        assert_int_equal(path_join(image->root_path, "var/lib/dpkg/status", &path), 0);
        put_file(path,
                 "Package: zsh\nStatus: install ok installed\nArchitecture: amd64\nVersion: 5.9-4\n\n"
                 "Package: base-files\nStatus: install ok installed\nArchitecture: all\nVersion: 12\n",
                 0644);
}

static void add_disk(Image *image) {
        image->disk.partitions[0] = (Partition){ .type = PARTITION_ROOT,
                                                 .name = "Root Partition",
                                                 .size = 3 * MIB,
                                                 .attributes = PARTITION_ATTRIBUTE_READ_ONLY };
        image->disk.table = (PartitionTable){ .partitions = image->disk.partitions, .n_partitions = 1 };
        assert_int_equal(partition_architecture_find("x86-64", &image->disk.table.architecture), 0);
        assert_int_equal(partition_table_place(&image->disk.table, &image->disk.layout), 0);
}

static void test_manifest(void **state) {
        put_directory("tree");
        _cleanup_(loaded_config_freep) LoadedConfig *loaded =
                load_fine("-Ooutput", "--manifest", "--architecture=x86-64", "-pa,b", "--extra-tree=tree",
                          "--password=very-secret");
        _cleanup_(image_freep) Image *image = make_image(loaded);
        _cleanup_(freep) char *text = NULL;

        put_packages(image);
        add_disk(image);
        image->time = 1700000000;
        image->time_given = true;
        assert_int_equal(image_file_write(image, ARTEFACT_NSPAWN, "abc", 3), 0);
        assert_int_equal(manifest_format(image, &text), 0);

        assert_has(text, "\"manifest_version\": 1,");
        assert_has(
                text,
                "\"release\": \"bookworm\",\n\t\"architecture\": \"x86-64\",\n\t\"format\": \"gpt_ext4\",");
        assert_has(text, "\"time\": 1700000000,\n\t\"not_reproducible_because\": [],");
        assert_has(text,
                   "\"packages\": [\n\t\t{\n\t\t\t\"name\": \"base-files\",\n\t\t\t\"version\": \"12\",\n"
                   "\t\t\t\"architecture\": \"all\"\n\t\t},\n\t\t{\n\t\t\t\"name\": \"zsh\",");
        assert_has(text, "\"name\": \"image.nspawn\",\n\t\t\t\"kind\": \"nspawn\",\n\t\t\t\"size\": 3,\n"
                         "\t\t\t\"sha256\": \"ba7816bf");
        assert_has(text,
                   "\"type\": \"root\",\n\t\t\t\t\"type_uuid\": \"4f68bce3-e8cd-4db1-96e7-fbcaf984b709\",");
        assert_has(text, "\"offset\": 1048576,\n\t\t\t\t\"size\": 3145728,\n"
                         "\t\t\t\t\"attributes\": \"0x1000000000000000\",\n"
                         "\t\t\t\t\"encrypted\": false\n");
        assert_has(text,
                   "\"name\": \"Packages\",\n\t\t\t\"values\": [\n\t\t\t\t\"a\",\n\t\t\t\t\"b\"\n\t\t\t]");
        assert_has(text, "\"name\": \"ExtraTrees\",\n\t\t\t\"values\": [\n\t\t\t\t\"tree\"\n\t\t\t]");
        assert_has(text, "\"name\": \"Password\",\n\t\t\t\"values\": [\n\t\t\t\t\"set\"");
        /* Neither secrets nor where the build ran. */
        assert_null(strstr(text, "very-secret"));
        assert_null(strstr(text, fixture_directory));
}

/* Without a time that was given there is none: it would differ in every build. */
static void test_what_is_not_known(void **state) {
        _cleanup_(loaded_config_freep) LoadedConfig *loaded =
                load_fine("-Ooutput", "--manifest", "-tdirectory");
        _cleanup_(image_freep) Image *image = make_image(loaded);
        _cleanup_(freep) char *text = NULL;

        put_packages(image);
        image->time = 1700000000;
        assert_int_equal(manifest_format(image, &text), 0);
        assert_has(text, "\"time\": null,\n\t\"not_reproducible_because\": [\n"
                         "\t\t\"SOURCE_DATE_EPOCH was not set\"\n\t],");
        assert_null(strstr(text, "\"disk\""));
}

static void test_encrypted(void **state) {
        _cleanup_(loaded_config_freep) LoadedConfig *loaded =
                load_fine("-Ooutput", "--manifest", "--architecture=x86-64", "--encrypt=all");
        _cleanup_(image_freep) Image *image = make_image(loaded);
        _cleanup_(freep) char *text = NULL;

        put_packages(image);
        add_disk(image);
        image->time_given = true;
        assert_int_equal(manifest_format(image, &text), 0);
        assert_has(text, "\"not_reproducible_because\": [\n"
                         "\t\t\"keys and salts of encrypted partitions are random\"\n\t],");
        assert_has(text, "\"encrypted\": true\n");
}

static void test_signed(void **state) {
        static const struct {
                SignerRole role;
                KeyPairType type;
                const char *reasons, *named;
        } cases[] = {
                { SIGNER_SECURE_BOOT, KEY_PAIR_RSA_2048, "\"not_reproducible_because\": [],",
                  "\"secure_boot\": {\n\t\t\"certificate\": \"CN=teapot\",\n"
                  "\t\t\"certificate_sha256\": \"" },
                { SIGNER_VERITY, KEY_PAIR_EC_P256,
                  "\"not_reproducible_because\": [\n\t\t\"ECDSA signatures are random\"\n\t],",
                  "\"verity_signature\": {\n\t\t\"certificate\": \"CN=teapot\",\n"
                  "\t\t\"certificate_sha256\": \"" },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(key_fixture_done) KeyFixture fixture = key_fixture_load("teapot", cases[i].type);
                _cleanup_(loaded_config_freep) LoadedConfig *loaded = load_fine("-Ooutput", "--manifest");
                _cleanup_(image_freep) Image *image = make_image(loaded);
                _cleanup_(freep) char *text = NULL;

                put_packages(image);
                image->time_given = true;
                Signer *signer = image->signers[cases[i].role] = calloc(1, sizeof(*signer));
                assert_non_null(signer);
                signer->certificate = TAKE_PTR(fixture.certificate);
                assert_int_equal(manifest_format(image, &text), 0);
                assert_has(text, cases[i].reasons);
                assert_has(text, cases[i].named);
        }
}

/* An image that waits for signatures, and the map of its blocks, will have other digests; the rest is final. */
static void test_not_final(void **state) {
        _cleanup_(key_fixture_done) KeyFixture fixture = key_fixture_load("teapot", KEY_PAIR_RSA_2048);
        _cleanup_(loaded_config_freep) LoadedConfig *loaded =
                load_fine("-Ooutput", "--manifest", "--verity", "--verity-certificate=teapot.crt",
                          "--sign-offline");
        _cleanup_(image_freep) Image *image = make_image(loaded);
        _cleanup_(freep) char *text = NULL;

        put_packages(image);
        assert_int_equal(image_file_write(image, ARTEFACT_IMAGE, "abc", 3), 0);
        assert_int_equal(image_file_write(image, ARTEFACT_ROOT_HASH, "abc", 3), 0);
        assert_int_equal(image_file_write(image, ARTEFACT_BMAP, "abc", 3), 0);
        image->signers[SIGNER_VERITY] = calloc(1, sizeof(Signer));
        assert_non_null(image->signers[SIGNER_VERITY]);
        image->signers[SIGNER_VERITY]->certificate = TAKE_PTR(fixture.certificate);
        assert_int_equal(manifest_format(image, &text), 0);
        assert_has(text, "\"kind\": \"image\",\n\t\t\t\"size\": 3\n\t\t}");
        assert_has(text, "\"kind\": \"root-hash\",\n\t\t\t\"size\": 3,\n\t\t\t\"sha256\": \"ba7816bf");
        assert_has(text, "\"kind\": \"bmap\"\n\t\t}");
}

static void test_no_packages(void **state) {
        _cleanup_(loaded_config_freep) LoadedConfig *loaded = load_fine("-Ooutput", "--manifest");
        _cleanup_(image_freep) Image *image = make_image(loaded);
        char *text = NULL;

        assert_int_equal(manifest_format(image, &text), -ENOENT);
        assert_null(text);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                TEST(test_manifest), TEST(test_what_is_not_known), TEST(test_encrypted),
                TEST(test_signed),   TEST(test_not_final),         TEST(test_no_packages),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
