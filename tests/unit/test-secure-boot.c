/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config-fixture.h"

#include <sys/wait.h>

#include "capture.h"
#include "foreign-program.h"
#include "key-fixture.h"
#include "pe-builder.h"

#include "image/secure-boot.h"
#include "secureboot/boot-tree.h"
#include "secureboot/efi-variable.h"

#define TIME 1700000000

static const BuildSection plain[] = {
        { ".text", "code" },
        {},
};

static void put_program(const char *path) {
        const BuildImage built = build_image(plain);
        _cleanup_(freep) char *parent = NULL;

        assert_int_equal(path_parent(path, &parent), 0);
        put_directory(parent);
        assert_int_equal(file_write(AT_FDCWD, path, built.bytes, built.size, 0600), 0);
}

/* A key and a certificate where a build looks for them. */
static void put_key(const Secret *passphrase) {
        key_fixture_make("mkosi.secure-boot", KEY_PAIR_RSA_2048, passphrase);
}

#define load_signed(...) load_fine("--bootable", "--secure-boot", ##__VA_ARGS__)

static Signer *load_signer(const LoadedConfig *loaded) {
        Signer *signer = NULL;

        assert_int_equal(signer_new(&loaded->config, SIGNER_SECURE_BOOT, &signer), 0);
        return signer;
}

/* The answer of what is captured. */
static int refused;

static size_t count_signatures(const char *path) {
        _cleanup_(fd_closep) int fd = open(path, O_RDONLY | O_CLOEXEC);
        _cleanup_(pe_image_done) PeImage image = {};
        CertificateTable table;

        assert_int_equal(pe_image_load(fd, &image, NULL), 0);
        assert_int_equal(certificate_table_read(&image, &table, NULL), 0);
        return table.n_entries;
}

static AuthenticodeVerdict verify(const char *path, const Certificate *certificate) {
        _cleanup_(fd_closep) int fd = open(path, O_RDONLY | O_CLOEXEC);
        _cleanup_(pe_image_done) PeImage image = {};
        AuthenticodeVerdict verdict;

        assert_int_equal(pe_image_load(fd, &image, NULL), 0);
        assert_int_equal(authenticode_verify(&image, certificate, &verdict, NULL), 0);
        return verdict;
}

static void sign_by(const KeyFixture *fixture, const char *path) {
        _cleanup_(fd_closep) int fd = open(path, O_RDWR | O_CLOEXEC);
        _cleanup_(pe_image_done) PeImage image = {};

        assert_int_equal(pe_image_load(fd, &image, NULL), 0);
        assert_int_equal(authenticode_sign(&image, fixture->key, fixture->certificate, TIME, NULL), 0);
}

/* Every program, whatever the letters of its name, and nothing else. */
static void test_sign(void **state) {
        _cleanup_(signer_freep) Signer *signer = NULL;
        static const char *const programs[] = { "boot/EFI/BOOT/BOOTX64.EFI",
                                                "boot/EFI/systemd/systemd-bootx64.efi",
                                                "boot/EFI/Linux/linux-1.efi" };

        put_key(NULL);
        for (size_t i = 0; i < ELEMENTSOF(programs); i++)
                put_program(programs[i]);
        put_file("boot/loader/entries.srel", "type1\n", 0600);
        put_file("boot/efi", "no program", 0600);
        put_file("boot/.efi", "no program", 0600);
        _cleanup_(loaded_config_freep) LoadedConfig *loaded = load_signed();
        signer = load_signer(loaded);
        assert_int_equal(secure_boot_sign(signer, &loaded->config, "boot", TIME), 0);
        for (size_t i = 0; i < ELEMENTSOF(programs); i++)
                assert_int_equal(verify(programs[i], signer->certificate), AUTHENTICODE_GOOD);
}

static void test_signed_already(void **state) {
        static const struct {
                const char *word;
                size_t n_signatures;
                AuthenticodeVerdict ours, theirs;
        } cases[] = {
                { "append", 2, AUTHENTICODE_GOOD, AUTHENTICODE_GOOD },
                { "replace", 1, AUTHENTICODE_GOOD, AUTHENTICODE_FOREIGN },
                { "keep", 1, AUTHENTICODE_FOREIGN, AUTHENTICODE_GOOD },
        };
        _cleanup_(key_fixture_done) KeyFixture other = key_fixture_load("other", KEY_PAIR_RSA_2048);

        put_key(NULL);
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(signer_freep) Signer *signer = NULL;
                _cleanup_(freep) char *option = NULL;

                put_program("boot/signed.efi");
                put_program("boot/unsigned.efi");
                sign_by(&other, "boot/signed.efi");
                assert_int_equal(text_format(&option, "--secure-boot-sign=%s", cases[i].word), 0);
                _cleanup_(loaded_config_freep) LoadedConfig *loaded = load_signed(option);
                signer = load_signer(loaded);
                assert_int_equal(secure_boot_sign(signer, &loaded->config, "boot", TIME), 0);
                assert_int_equal(count_signatures("boot/signed.efi"), cases[i].n_signatures);
                assert_int_equal(verify("boot/signed.efi", signer->certificate), cases[i].ours);
                assert_int_equal(verify("boot/signed.efi", other.certificate), cases[i].theirs);
                assert_int_equal(verify("boot/unsigned.efi", signer->certificate), AUTHENTICODE_GOOD);
        }
}

/* Places are kept by the same rules, without a key. */
static void test_offline(void **state) {
        _cleanup_(key_fixture_done) KeyFixture other = key_fixture_load("other", KEY_PAIR_RSA_2048);
        static const struct {
                const char *word;
                size_t n_signatures;
        } cases[] = { { "append", 2 }, { "replace", 1 }, { "keep", 1 } };

        put_key(NULL);
        assert_int_equal(unlink("mkosi.secure-boot.key"), 0);
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(signer_freep) Signer *signer = NULL;
                _cleanup_(freep) char *option = NULL;

                put_program("boot/signed.efi");
                put_program("boot/unsigned.efi");
                sign_by(&other, "boot/signed.efi");
                assert_int_equal(text_format(&option, "--secure-boot-sign=%s", cases[i].word), 0);
                _cleanup_(loaded_config_freep) LoadedConfig *loaded = load_signed("--sign-offline", option);
                signer = load_signer(loaded);
                assert_null(signer->key);
                assert_int_equal(secure_boot_sign(signer, &loaded->config, "boot", TIME), 0);
                assert_int_equal(count_signatures("boot/signed.efi"), cases[i].n_signatures);
                assert_int_equal(count_signatures("boot/unsigned.efi"), 1);
                assert_int_equal(verify("boot/unsigned.efi", signer->certificate), AUTHENTICODE_UNSIGNED);
        }
}

static void sign_nonsense(void) {
        _cleanup_(loaded_config_freep) LoadedConfig *loaded = load_signed();
        _cleanup_(signer_freep) Signer *signer = NULL;

        signer = load_signer(loaded);
        refused = secure_boot_sign(signer, &loaded->config, "boot", TIME);
}

static void test_no_program(void **state) {
        put_key(NULL);
        put_file("boot/EFI/nonsense.efi", "nonsense", 0600);
        _cleanup_(freep) char *said = capture_stderr(sign_nonsense);

        assert_int_equal(refused, -EBADMSG);
        assert_non_null(
                strstr(said, "Cannot sign EFI/nonsense.efi of the EFI system partition: No PE image"));
}

static void test_enroll(void **state) {
        _cleanup_(signer_freep) Signer *signer = NULL;
        _cleanup_(freep) char *text = NULL;

        put_key(NULL);
        put_directory("boot/loader");
        _cleanup_(loaded_config_freep) LoadedConfig *loaded =
                load_signed("--secure-boot-auto-enroll=if-safe");
        signer = load_signer(loaded);
        assert_int_equal(secure_boot_enroll(signer, &loaded->config, "boot", TIME), 0);
        assert_int_equal(file_read(AT_FDCWD, "boot/loader/loader.conf", 100, &text, NULL), 0);
        assert_string_equal(text, "secure-boot-enroll if-safe\n");
        static const char *const names[] = { "PK", "KEK", "db" };
        for (size_t i = 0; i < ELEMENTSOF(names); i++) {
                _cleanup_(freep) char *path = NULL, *bytes = NULL;
                const Der *encoding = &signer->certificate->encoding;
                size_t size;

                assert_int_equal(text_format(&path, "boot/" BOOT_TREE_KEYS_DIRECTORY "/%s.auth", names[i]),
                                 0);
                assert_int_equal(file_read(AT_FDCWD, path, 65536, &bytes, &size), 0);
                assert_true(size > encoding->size);
                assert_memory_equal(bytes + size - encoding->size, encoding->bytes, encoding->size);
        }
}

/* The same files, with nothing in the places of the signatures. */
static void test_enroll_offline(void **state) {
        _cleanup_(signer_freep) Signer *signer = NULL;

        put_key(NULL);
        put_directory("boot/loader");
        _cleanup_(loaded_config_freep) LoadedConfig *loaded =
                load_signed("--secure-boot-auto-enroll=force", "--sign-offline");
        signer = load_signer(loaded);
        assert_int_equal(secure_boot_enroll(signer, &loaded->config, "boot", TIME), 0);
        for (EfiVariable variable = 0; variable < EFI_VARIABLE_MAX; variable++) {
                _cleanup_(efi_variable_parts_done) EfiVariableParts parts = {};
                _cleanup_(freep) char *path = NULL, *bytes = NULL;
                size_t size;

                assert_int_equal(text_format(&path, "boot/" BOOT_TREE_KEYS_DIRECTORY "/%s.auth",
                                             efi_variable_names[variable]),
                                 0);
                assert_int_equal(file_read(AT_FDCWD, path, 65536, &bytes, &size), 0);
                assert_int_equal(efi_variable_read(variable, bytes, size, &parts, NULL), 0);
                for (size_t i = 0; i < parts.signature_size; i++)
                        assert_int_equal(bytes[parts.signature_offset + i], 0);
        }
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                TEST(test_sign),       TEST(test_signed_already), TEST(test_offline),
                TEST(test_no_program), TEST(test_enroll),         TEST(test_enroll_offline),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
