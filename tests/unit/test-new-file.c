/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

#include "temporary-directory.h"

#include "base/fd.h"
#include "base/new-file.h"
#include "base/text.h"

/* What the file system lacks. These stand before the functions of the C library. */
static bool no_nameless_files, no_renaming;

int open64(const char *path, int flags, ...) {
        if (no_nameless_files && (flags & O_TMPFILE) == O_TMPFILE) {
                errno = EOPNOTSUPP;
                return -1;
        }
        return (int)syscall(SYS_openat, AT_FDCWD, path, flags, 0600);
}

int renameat2(int from_fd, const char *from, int to_fd, const char *to, unsigned flags) {
        if (no_renaming) {
                errno = EINVAL;
                return -1;
        }
        return (int)syscall(SYS_renameat2, from_fd, from, to_fd, to, flags);
}

static const struct {
        bool no_nameless_files, no_renaming;
} filesystems[] = { {}, { true, false }, { true, true } };

static void take_filesystem(size_t i) {
        no_nameless_files = filesystems[i].no_nameless_files;
        no_renaming = filesystems[i].no_renaming;
}

static size_t n_files(void) {
        _cleanup_(tree_freep) Tree *tree = NULL;

        assert_int_equal(tree_load(AT_FDCWD, ".", &tree, NULL), 0);
        return tree->n_nodes - 1;
}

static void assert_content(const char *path, const char *expected, mode_t mode) {
        _cleanup_(freep) char *text = NULL;
        struct stat status;

        assert_int_equal(file_read(AT_FDCWD, path, 100, &text, NULL), 0);
        assert_string_equal(text, expected);
        assert_int_equal(stat(path, &status), 0);
        assert_int_equal(status.st_mode & 07777, mode);
        assert_int_equal(status.st_nlink, 1);
}

static void test_place(void **state) {
        for (size_t i = 0; i < ELEMENTSOF(filesystems); i++) {
                _cleanup_(new_file_done) NewFile file = NEW_FILE_INIT("tea");

                take_filesystem(i);
                assert_int_equal(new_file_open(&file), 0);
                assert_int_equal(fd_write_all(file.fd, "green", 5), 0);
                assert_int_equal(n_files(), filesystems[i].no_nameless_files);
                assert_int_equal(new_file_finish(&file, 0640), 0);
                assert_int_equal(new_file_place(&file), 0);
                assert_content("tea", "green", 0640);
                assert_int_equal(n_files(), 1);
                assert_int_equal(unlink("tea"), 0);
        }
}

/* What has the name keeps it, also a link that leads nowhere, and nothing else stays. */
static void test_taken(void **state) {
        for (size_t i = 0; i < ELEMENTSOF(filesystems); i++) {
                NewFile file = NEW_FILE_INIT("tea"), other = NEW_FILE_INIT("./link");

                take_filesystem(i);
                assert_int_equal(file_write_text(AT_FDCWD, "tea", "black", 0600), 0);
                assert_int_equal(symlink("nowhere", "link"), 0);
                assert_int_equal(new_file_open(&file), 0);
                assert_int_equal(new_file_place(&file), -EEXIST);
                assert_int_equal(new_file_open(&other), 0);
                assert_int_equal(new_file_place(&other), -EEXIST);
                new_file_done(&file);
                new_file_done(&other);
                assert_content("tea", "black", 0600);
                assert_int_equal(n_files(), 2);
                assert_int_equal(unlink("tea") | unlink("link"), 0);
        }
}

static void test_given_up(void **state) {
        for (size_t i = 0; i < ELEMENTSOF(filesystems); i++) {
                NewFile file = NEW_FILE_INIT("tea"), missing = NEW_FILE_INIT("missing/tea");

                take_filesystem(i);
                assert_int_equal(new_file_open(&file), 0);
                assert_int_equal(fd_write_all(file.fd, "green", 5), 0);
                new_file_done(&file);
                assert_int_equal(new_file_open(&missing), -ENOENT);
                new_file_done(&missing);
                assert_int_equal(n_files(), 0);
        }
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                unit_test_in_directory(test_place),
                unit_test_in_directory(test_taken),
                unit_test_in_directory(test_given_up),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
