/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/subvolume.h"
#include "base/text.h"
#include "btrfs-mount.h"
#include "image/output.h"

static void put(const char *path, const char *text) {
        assert_int_equal(file_write_text(AT_FDCWD, path, text, 0644), 0);
}

static void assert_content(const char *path, const char *expected) {
        _cleanup_(freep) char *text = NULL;

        if (!expected) {
                assert_int_equal(access(path, F_OK), -1);
                return;
        }
        assert_int_equal(file_read(AT_FDCWD, path, 1000, &text, NULL), 0);
        assert_string_equal(text, expected);
}

static Artefact artefact(ArtefactKind kind, const char *path, const char *output) {
        return (Artefact){ .kind = kind, .path = (char *)path, .output = (char *)output, .is_file = true };
}

/* A build that made an image with check sums, in the workspace. */
static Artefacts make_artefacts(void) {
        assert_int_equal(mkdir("workspace", 0755) == 0 || errno == EEXIST, 1);
        put("workspace/raw", "new image");
        put("workspace/nspawn", "new settings");
        put("workspace/sums", "new sums");
        return (Artefacts){ .items = { artefact(ARTEFACT_IMAGE, "workspace/raw", "out/image.raw"),
                                       artefact(ARTEFACT_NSPAWN, "workspace/nspawn", "out/image.nspawn"),
                                       artefact(ARTEFACT_CHECKSUMS, "workspace/sums", "out/SHA256SUMS") },
                            .n_items = 3 };
}

static const Config config = {
        .output = (char *)"out/image.raw",
        .output_directory = (char *)"out",
        .nspawn_settings = (char *)"x",
        .checksum = true,
        .compress_output = { .word = OUTPUT_COMPRESSION_NO },
};

static void test_new(void **state) {
        const Artefacts artefacts = make_artefacts();

        assert_int_equal(mkdir("out", 0755), 0);
        assert_int_equal(output_publish_all(&config, &artefacts, "workspace", false), 0);
        assert_content("out/image.raw", "new image");
        assert_content("out/image.nspawn", "new settings");
        assert_content("out/SHA256SUMS", "new sums");
}

/* What an earlier build left and this one did not make goes away: a root hash that is not this image's, and a signature that
 * is not of these check sums. What belongs to others stays. */
static void test_replace(void **state) {
        const Artefacts artefacts = make_artefacts();

        assert_int_equal(mkdir("out", 0755), 0);
        put("out/image.raw", "old image");
        put("out/image.roothash", "old hash");
        put("out/image.manifest", "old manifest");
        put("out/SHA256SUMS", "0000 *image.raw\n");
        put("out/SHA256SUMS.gpg", "old signature");
        put("out/other.roothash", "other");
        assert_int_equal(output_publish_all(&config, &artefacts, "workspace", true), 0);
        assert_content("out/image.raw", "new image");
        assert_content("out/image.nspawn", "new settings");
        assert_content("out/SHA256SUMS", "new sums");
        assert_content("out/SHA256SUMS.gpg", NULL);
        assert_content("out/image.roothash", NULL);
        assert_content("out/image.manifest", NULL);
        assert_content("out/other.roothash", "other");
}

/* Check sums replace those of another image, whose signature does not fit them. */
static void test_signature_of_others(void **state) {
        const Artefacts artefacts = make_artefacts();

        assert_int_equal(mkdir("out", 0755), 0);
        put("out/SHA256SUMS", "0000 *other-image.raw\n");
        put("out/SHA256SUMS.gpg", "signature of the other");
        assert_int_equal(output_publish_all(&config, &artefacts, "workspace", true), 0);
        assert_content("out/SHA256SUMS", "new sums");
        assert_content("out/SHA256SUMS.gpg", NULL);
}

/* Without check sums of its own, a build takes away those that name its image, and no others. */
static void test_check_sums_of_others(void **state) {
        const Artefacts artefacts = make_artefacts();
        const Artefacts alone = { .items = { artefacts.items[0] }, .n_items = 1 };
        Config without = config;

        without.checksum = false;
        assert_int_equal(mkdir("out", 0755), 0);
        put("out/SHA256SUMS", "0000 *other-image.raw\n");
        assert_int_equal(output_publish_all(&without, &alone, "workspace", true), 0);
        assert_content("out/SHA256SUMS", "0000 *other-image.raw\n");

        put("workspace/raw", "newer image");
        put("out/SHA256SUMS", "0000 *other-image.raw\n0000 *image.raw\n");
        assert_int_equal(output_publish_all(&without, &alone, "workspace", true), 0);
        assert_content("out/SHA256SUMS", NULL);
        assert_content("out/image.raw", "newer image");
}

/* The last result cannot be moved, so that nothing was. */
static void test_all_or_nothing(void **state) {
        Artefacts artefacts = make_artefacts();

        assert_int_equal(mkdir("out", 0755), 0);
        put("out/image.raw", "old image");
        put("out/SHA256SUMS", "0000 *image.raw\n");
        put("out/SHA256SUMS.gpg", "old signature");
        artefacts.items[2].path = (char *)"workspace/missing";
        assert_int_equal(output_publish_all(&config, &artefacts, "workspace", true), -ENOENT);
        assert_content("out/image.raw", "old image");
        assert_content("out/image.nspawn", NULL);
        assert_content("out/SHA256SUMS", "0000 *image.raw\n");
        assert_content("out/SHA256SUMS.gpg", "old signature");
        assert_content("workspace/raw", "new image");
        assert_content("workspace/nspawn", "new settings");

        /* In the way of the second: the first is taken back. */
        artefacts.items[2].path = (char *)"workspace/sums";
        assert_int_equal(unlink("out/image.raw"), 0);
        put("out/image.nspawn", "in the way");
        assert_int_equal(output_publish_all(&config, &artefacts, "workspace", false), -EEXIST);
        assert_content("out/image.raw", NULL);
        assert_content("out/image.nspawn", "in the way");
        assert_content("workspace/raw", "new image");
}

static int check_subvolumes(void) {
        const Config subvolume = { .output = (char *)"mounted/image",
                                   .output_directory = (char *)"mounted",
                                   .compress_output = { .word = OUTPUT_COMPRESSION_NO } };
        _cleanup_(fd_closep) int top = open("mounted", O_RDONLY | O_DIRECTORY | O_CLOEXEC), fd = -EBADF;
        Artefacts artefacts = { .items = { artefact(ARTEFACT_IMAGE, "mounted/work/root", "mounted/image") },
                                .n_items = 1 };

        EXPECT(mkdirat(top, "work", 0755) == 0);
        fd = openat(top, "work", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        EXPECT(subvolume_create(fd, "root", 0755) == 0);
        EXPECT(subvolume_create(top, "image", 0755) == 0);
        EXPECT(mkdirat(top, "image/old", 0755) == 0);
        _cleanup_(fd_closep) int old = openat(top, "image", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        EXPECT(subvolume_set_read_only(old, true) == 0);

        /* One that is read-only gives way; when nothing comes of it, it is read-only again. */
        artefacts.items[0].path = (char *)"mounted/work/missing";
        EXPECT(output_publish_all(&subvolume, &artefacts, "mounted/work", true) == -ENOENT);
        EXPECT(subvolume_get_read_only(old) == 1);
        artefacts.items[0].path = (char *)"mounted/work/root";
        EXPECT(output_publish_all(&subvolume, &artefacts, "mounted/work", true) == 0);
        EXPECT(access("mounted/image/old", F_OK) < 0 && access("mounted/work/root/old", F_OK) == 0);
        return 0;
}

static void test_subvolumes(void **state) {
        in_btrfs(check_subvolumes);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                unit_test_in_directory(test_new),
                unit_test_in_directory(test_replace),
                unit_test_in_directory(test_signature_of_others),
                unit_test_in_directory(test_check_sums_of_others),
                unit_test_in_directory(test_all_or_nothing),
                unit_test_in_directory(test_subvolumes),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
