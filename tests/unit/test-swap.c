/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "base/fd.h"
#include "foreign-program.h"
#include "format/filesystem.h"
#include "temporary-directory.h"

static const FilesystemOptions options = {
        .label = "swap",
        .uuid = { { 0x12, 0x34, 0x56, 0x78, 0x9a, 0xbc, 0x4d, 0xef, 0x80, 1, 2, 3, 4, 5, 6, 7 } },
};

static int open_file(void) {
        const int fd = open("image", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

        assert_true(fd >= 0);
        return fd;
}

/* The same bytes as mkswap writes for this label and UUID. */
static void test_like_mkswap(void **state) {
        _cleanup_(fd_closep) int fd = open_file(), theirs = -EBADF;
        static uint8_t a[64 * KIB], b[64 * KIB];
        uint64_t size = 0;

        assert_int_equal(filesystem_swap.make(NULL, &options, &(FilesystemPlace){ .fd = fd, .size = 3 * MIB },
                                              &size, NULL),
                         0);
        assert_int_equal(size, 3 * MIB);
        theirs = open("theirs", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        assert_int_equal(ftruncate(theirs, 3 * MIB), 0);
        free(FOREIGN_CHECK("mkswap", "-L", "swap", "-U", "12345678-9abc-4def-8001-020304050607", "theirs"));
        assert_int_equal(fd_pread_all(fd, a, sizeof(a), 0), 0);
        assert_int_equal(fd_pread_all(theirs, b, sizeof(b), 0), 0);
        assert_memory_equal(a, b, sizeof(a));

        _cleanup_(freep) char *label = FOREIGN_CHECK("swaplabel", "image");
        assert_string_equal(label, "LABEL: swap\nUUID:  12345678-9abc-4def-8001-020304050607\n");
}

static void test_sizes(void **state) {
        static const struct {
                uint64_t size, grain, made;
                int r;
        } cases[] = {
                { 40959, 0, 40960, -ENOSPC },
                { 40960, 0, 40960, 0 },
                { 40960 + 512, 0, 40960 + 512, 0 },
                { 0, 0, 40960, 0 },
                { 0, MIB, MIB, 0 },
                { (UINT64_C(1) << 44) + 4096, 0, 7, -EFBIG },
                { UINT64_C(1) << 43, 0, UINT64_C(1) << 43, 0 },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(fd_closep) int fd = open_file();
                FilesystemOptions grained = options;
                uint64_t size = 7;

                grained.size_grain = cases[i].grain;
                assert_int_equal(filesystem_swap.make(NULL, &grained,
                                                      &(FilesystemPlace){ .fd = fd, .size = cases[i].size },
                                                      &size, NULL),
                                 cases[i].r);
                assert_int_equal(size, cases[i].made);
        }
}

static void test_offset(void **state) {
        _cleanup_(fd_closep) int fd = open_file();
        char text[10], zeros[4096], found[4096];
        uint64_t size;

        memset(zeros, 0, sizeof(zeros));
        assert_int_equal(filesystem_swap.make(NULL, &options,
                                              &(FilesystemPlace){ .fd = fd, .offset = MIB, .size = MIB },
                                              &size, NULL),
                         0);
        assert_int_equal(fd_pread_all(fd, text, sizeof(text), MIB + 4096 - 10), 0);
        assert_memory_equal(text, "SWAPSPACE2", 10);
        assert_int_equal(fd_pread_all(fd, found, sizeof(found), MIB - 4096), 0);
        assert_memory_equal(found, zeros, sizeof(zeros));
}

/* A label that fills its field, and one that is longer. */
static void test_label(void **state) {
        static const char *const labels[] = { "exactly-16-bytes", "exactly-16-bytes-and-more" };

        for (size_t i = 0; i < ELEMENTSOF(labels); i++) {
                _cleanup_(fd_closep) int fd = open_file();
                FilesystemOptions other = options;
                char label[17] = {};
                uint64_t size;

                other.label = labels[i];
                assert_int_equal(filesystem_swap.make(NULL, &other,
                                                      &(FilesystemPlace){ .fd = fd, .size = MIB }, &size,
                                                      NULL),
                                 0);
                assert_int_equal(fd_pread_all(fd, label, 17, 1024 + 12 + 16), 0);
                assert_memory_equal(label, "exactly-16-bytes", 17);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                unit_test_in_directory(test_like_mkswap),
                unit_test_in_directory(test_sizes),
                unit_test_in_directory(test_offset),
                unit_test_in_directory(test_label),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
