/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <unistd.h>

#include <sqfs/error.h>

#include "squashfs-fixture.h"

static uint64_t append(SquashfsChannel *channel, const char *text) {
        uint64_t offset = 0;

        assert_int_equal(squashfs_channel_append(channel, text, strlen(text), &offset), 0);
        return offset;
}

static void test_offset(void **state) {
        _cleanup_(fd_closep) int fd = open("file", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        _cleanup_(squashfs_channel_freep) SquashfsChannel *channel = NULL;
        _cleanup_(freep) char *text = NULL;
        size_t size;

        assert_int_equal(fd_pwrite_all(fd, "abcdefghij", 10, 0), 0);
        assert_int_equal(squashfs_channel_new(&(FilesystemPlace){ .fd = fd, .offset = 3 }, &channel), 0);
        assert_int_equal(append(channel, "12"), 0);
        assert_int_equal(append(channel, "34"), 2);
        sqfs_file_t *file = squashfs_channel_file(channel);
        assert_int_equal(file->get_size(file), 4);
        assert_int_equal(file->write_at(file, 1, "x", 1), 0);
        assert_int_equal(squashfs_channel_size(channel), 4);
        assert_int_equal(file_read(AT_FDCWD, "file", 100, &text, &size), 0);
        assert_int_equal(size, 10);
        assert_memory_equal(text, "abc1x34hij", 10);
}

/* What goes beyond the place is counted, and nothing of it is written. */
static void test_end(void **state) {
        _cleanup_(fd_closep) int fd = open("file", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        _cleanup_(squashfs_channel_freep) SquashfsChannel *channel = NULL;
        _cleanup_(freep) char *text = NULL;
        size_t size;

        assert_int_equal(fd_pwrite_all(fd, "abcdefghij", 10, 0), 0);
        assert_int_equal(
                squashfs_channel_new(&(FilesystemPlace){ .fd = fd, .offset = 2, .size = 5 }, &channel), 0);
        assert_int_equal(append(channel, "123"), 0);
        assert_int_equal(append(channel, "456"), 3);
        assert_int_equal(append(channel, "789"), 6);
        assert_int_equal(squashfs_channel_size(channel), 9);
        assert_int_equal(file_read(AT_FDCWD, "file", 100, &text, &size), 0);
        assert_int_equal(size, 10);
        assert_memory_equal(text, "ab12345hij", 10);
}

static void test_errors(void **state) {
        _cleanup_(fd_closep) int fd = open("/dev/full", O_RDWR | O_CLOEXEC);
        _cleanup_(squashfs_channel_freep) SquashfsChannel *channel = NULL;
        uint64_t offset = 77;

        assert_int_equal(squashfs_channel_new(&(FilesystemPlace){ .fd = fd }, &channel), 0);
        assert_int_equal(squashfs_channel_append(channel, "x", 1, &offset), -ENOSPC);
        assert_int_equal(offset, 77);
        assert_int_equal(squashfs_channel_size(channel), 0);

        /* The same through libsquashfs's eyes, and back. */
        sqfs_file_t *file = squashfs_channel_file(channel);
        assert_int_equal(squashfs_error(file->write_at(file, 0, "x", 1)), -ENOSPC);
        assert_int_equal(squashfs_error(0), 0);
        assert_int_equal(squashfs_error(5), 0);
        assert_int_equal(squashfs_error(SQFS_ERROR_ALLOC), -ENOMEM);
        assert_int_equal(squashfs_error(SQFS_ERROR_UNSUPPORTED), -EOPNOTSUPP);
        assert_int_equal(squashfs_error(SQFS_ERROR_OVERFLOW), -EFBIG);
        assert_int_equal(squashfs_error(SQFS_ERROR_COMPRESSOR), -EIO);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                unit_test_in_directory(test_offset),
                unit_test_in_directory(test_end),
                unit_test_in_directory(test_errors),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
