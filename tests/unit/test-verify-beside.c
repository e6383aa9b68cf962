/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "foreign-program.h"
#include "image/verify-beside.h"
#include "temporary-directory.h"

static void put(const char *path, const char *text) {
        assert_int_equal(file_write_text(AT_FDCWD, path, text, 0644), 0);
}

/* The directory of an image. */
static Beside open_beside(const char *image) {
        Beside beside;

        assert_int_equal(beside_open(image, NULL, &beside), 0);
        return beside;
}

/* One result, and only that. */
static void assert_result(VerifyResults *results, VerifyVerdict verdict, const char *detail) {
        assert_int_equal(results->n_items, 1);
        assert_string_equal(results->items[0].detail, detail);
        assert_int_equal(results->items[0].verdict, verdict);
        verify_results_done(results);
}

static void check_sums(VerifyVerdict verdict, const char *detail) {
        _cleanup_(beside_done) Beside beside = open_beside("image.raw");
        VerifyResults results = {};

        const int r = verify_checksums(&beside, &results);
        assert_int_equal(r, strstr(detail, "does not name") != NULL);
        assert_result(&results, verdict, detail);
}

static void test_checksums(void **state) {
        check_sums(VERIFY_ABSENT, "There is no SHA256SUMS");
        put("image.raw", "image");
        put("other", "other");
        free(FOREIGN_CHECK("sh", "-c", "sha256sum -b image.raw >SHA256SUMS; sha256sum other >>SHA256SUMS"));
        check_sums(VERIFY_OK, "All 2 files are what SHA256SUMS says");
        put("other", "Other");
        check_sums(VERIFY_FAILED, "other is not what SHA256SUMS says");
        assert_int_equal(unlink("other"), 0);
        check_sums(VERIFY_FAILED, "There is no file other, which SHA256SUMS names");
        /* Nothing is hashed that is no file: it might not end. */
        assert_int_equal(mkfifo("other", 0600), 0);
        check_sums(VERIFY_FAILED, "There is no file other, which SHA256SUMS names");
        assert_int_equal(unlink("other"), 0);
        assert_int_equal(symlink("/dev/zero", "other"), 0);
        check_sums(VERIFY_FAILED, "There is no file other, which SHA256SUMS names");
        assert_int_equal(unlink("other"), 0);

        put("elsewhere", "x");
        free(FOREIGN_CHECK("sh", "-c", "sha256sum elsewhere >SHA256SUMS"));
        check_sums(VERIFY_ABSENT, "SHA256SUMS does not name image.raw, and says nothing of it");
        /* What it names is nothing of ours. */
        assert_int_equal(unlink("elsewhere"), 0);
        check_sums(VERIFY_ABSENT, "SHA256SUMS does not name image.raw, and says nothing of it");
}

static void test_bad_lines(void **state) {
        static const char *const texts[] = {
                "nonsense\n",
                "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\n",
                "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855 *\n",
                "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855 *../image.raw\n",
                "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b85 *image.raw\n",
                "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855a *image.raw\n",
                "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\t*image.raw\n",
        };

        put("image.raw", "");
        for (size_t i = 0; i < ELEMENTSOF(texts); i++) {
                put("SHA256SUMS", texts[i]);
                check_sums(VERIFY_FAILED, "Line 1 of SHA256SUMS is none that sha256sum would write");
        }
}

static void test_root_hash(void **state) {
        _cleanup_(beside_done) Beside compressed = open_beside("image.raw.xz"),
                                      raw = open_beside("image.raw");
        VerifyDisk disk = {};

        assert_int_equal(verify_root_hash_file(&compressed, &disk), 0);
        assert_int_equal(disk.n_root_hashes, 0);
        put("image.roothash", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\n");
        assert_int_equal(verify_root_hash_file(&compressed, &disk), 0);
        assert_int_equal(disk.n_root_hashes, 1);
        assert_int_equal(disk.root_hashes[0].digest.bytes[0], 0xe3);
        assert_string_equal(disk.root_hashes[0].source, "image.roothash");
        put("image.roothash", "e3");
        assert_int_equal(verify_root_hash_file(&raw, &disk), 0);
        assert_int_equal(disk.n_root_hashes, 1);
        assert_result(&disk.results, VERIFY_FAILED, "It holds no root hash");
        verify_disk_done(&disk);
}

static void test_no_signature(void **state) {
        _cleanup_(beside_done) Beside beside = open_beside("image.raw");
        const Config config = {};
        VerifyResults results = {};

        put("SHA256SUMS", "");
        assert_int_equal(verify_checksums_signature(&config, &beside, &results), 0);
        assert_result(&results, VERIFY_ABSENT, "There is no SHA256SUMS.gpg");
        put("SHA256SUMS.gpg", "nonsense");
        assert_int_equal(verify_checksums_signature(&config, &beside, &results), 0);
        assert_result(&results, VERIFY_FAILED, "SHA256SUMS.gpg is no signature that GnuPG can read");
}

#define TEST(function) \
        cmocka_unit_test_setup_teardown(function, temporary_directory_enter, temporary_directory_leave)

int main(void) {
        const struct CMUnitTest tests[] = {
                TEST(test_checksums),
                TEST(test_bad_lines),
                TEST(test_root_hash),
                TEST(test_no_signature),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
