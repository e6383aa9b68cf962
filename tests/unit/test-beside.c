/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "image/beside.h"
#include "temporary-directory.h"

static void test_names(void **state) {
        static const struct {
                const char *image, *path, *name, *parent, *root_hash;
        } cases[] = {
                { "image.raw", "image.raw", "image.raw", ".", "image.roothash" },
                { "./image.raw.xz", "./image.raw.xz", "image.raw.xz", ".", "image.roothash" },
                { "directory/image", "directory/image", "image", "directory", "image.roothash" },
                { "directory/image//", "directory/image", "image", "directory", "image.roothash" },
        };

        assert_int_equal(mkdir("directory", 0755), 0);
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(beside_done) Beside beside = { .directory_fd = -EBADF };
                _cleanup_(freep) char *name = NULL;

                assert_int_equal(beside_open(cases[i].image, NULL, &beside), 0);
                assert_string_equal(beside.path, cases[i].path);
                assert_string_equal(beside.name, cases[i].name);
                assert_string_equal(beside.parent, cases[i].parent);
                assert_int_equal(beside_name(&beside, ".roothash", &name), 0);
                assert_string_equal(name, cases[i].root_hash);
        }
        Beside beside;
        assert_int_equal(beside_open("missing/image", NULL, &beside), -ENOENT);
}

static void assert_hash(Beside *beside, const char *name, uint64_t size, const char *expected) {
        char digits[2 * SHA256_SIZE + 1];
        BesideFile file;

        assert_int_equal(beside_hash(beside, name, &file), 1);
        sha256_format(&file.digest, digits);
        assert_string_equal(digits, expected);
        assert_int_equal(file.size, size);
        assert_string_equal(file.name, name);
}

static void test_hash(void **state) {
        static const char abc[] = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        static const char nothing[] = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        _cleanup_(beside_done) Beside beside = { .directory_fd = -EBADF };
        BesideFile file;

        assert_int_equal(beside_open("image", NULL, &beside), 0);
        assert_int_equal(file_write_text(AT_FDCWD, "image", "abc", 0644), 0);
        assert_int_equal(file_write_text(AT_FDCWD, "empty", "", 0644), 0);
        assert_hash(&beside, "image", 3, abc);
        assert_hash(&beside, "empty", 0, nothing);
        /* It is read once. */
        assert_int_equal(file_write_text(AT_FDCWD, "image", "abcd", 0644), 0);
        assert_hash(&beside, "image", 3, abc);
        assert_int_equal(beside.n_files, 2);

        /* Nothing is read that is no file: it might not end. */
        assert_int_equal(mkfifo("fifo", 0600), 0);
        assert_int_equal(symlink("/dev/zero", "link"), 0);
        assert_int_equal(mkdir("directory", 0700), 0);
        assert_int_equal(beside_hash(&beside, "fifo", &file), 0);
        assert_int_equal(beside_hash(&beside, "link", &file), 0);
        assert_int_equal(beside_hash(&beside, "directory", &file), 0);
        assert_int_equal(beside_hash(&beside, "missing", &file), 0);
        assert_int_equal(beside.n_files, 2);
}

#define TEST(function) \
        cmocka_unit_test_setup_teardown(function, temporary_directory_enter, temporary_directory_leave)

int main(void) {
        const struct CMUnitTest tests[] = { TEST(test_names), TEST(test_hash) };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
