/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ext4-fixture.h"

static struct struct_io_channel *open_channel(const FilesystemPlace *place,
                                              struct struct_ext2_filsys *volume) {
        struct struct_io_channel *io = NULL;

        assert_int_equal(ext4_channel_manager->open("", IO_FLAG_RW, &io), 0);
        volume->io = io;
        ext4_channel_attach(volume, place);
        assert_int_equal(io_channel_set_blksize(io, EXT4_BLOCK_SIZE), 0);
        return io;
}

static uint8_t byte_at(int fd, uint64_t offset) {
        uint8_t byte;

        assert_int_equal(fd_pread_all(fd, &byte, 1, offset), 0);
        return byte;
}

static void test_place(void **state) {
        _cleanup_(fd_closep) int fd = open("file", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        const FilesystemPlace place = { .fd = fd, .offset = 1000, .size = 8 * EXT4_BLOCK_SIZE };
        struct struct_ext2_filsys volume = {};
        uint8_t block[2 * EXT4_BLOCK_SIZE], back[2 * EXT4_BLOCK_SIZE];

        assert_int_equal(ftruncate(fd, MIB), 0);
        struct struct_io_channel *io = open_channel(&place, &volume);

        /* One block stays in memory, and is read from there. */
        memset(block, 'a', sizeof(block));
        assert_int_equal(io_channel_write_blk64(io, 3, 1, block), 0);
        assert_int_equal(byte_at(fd, 1000 + 3 * EXT4_BLOCK_SIZE), 0);
        assert_int_equal(io_channel_read_blk64(io, 3, 1, back), 0);
        assert_memory_equal(back, block, EXT4_BLOCK_SIZE);

        /* Written anew, then driven out by another one. */
        memset(block, 'b', sizeof(block));
        assert_int_equal(io_channel_write_blk64(io, 3, 1, block), 0);
        assert_int_equal(io_channel_write_blk64(io, 7, 1, block), 0);
        assert_int_equal(byte_at(fd, 1000 + 3 * EXT4_BLOCK_SIZE), 'b');
        assert_int_equal(byte_at(fd, 1000 + 3 * EXT4_BLOCK_SIZE - 1), 0);
        assert_int_equal(byte_at(fd, 1000 + 4 * EXT4_BLOCK_SIZE), 0);
        assert_int_equal(byte_at(fd, 1000 + 7 * EXT4_BLOCK_SIZE), 0);

        /* More than a block, less than one, and reading over what is in memory. */
        memset(block, 'c', sizeof(block));
        assert_int_equal(io_channel_write_blk64(io, 0, 2, block), 0);
        assert_int_equal(io_channel_write_blk64(io, 5, -10, block), 0);
        assert_int_equal(byte_at(fd, 1000), 'c');
        assert_int_equal(byte_at(fd, 1000 + 2 * EXT4_BLOCK_SIZE), 0);
        assert_int_equal(byte_at(fd, 1000 + 5 * EXT4_BLOCK_SIZE + 9), 'c');
        assert_int_equal(byte_at(fd, 1000 + 5 * EXT4_BLOCK_SIZE + 10), 0);
        assert_int_equal(io_channel_write_blk64(io, 6, 1, block), 0);
        assert_int_equal(io_channel_read_blk64(io, 6, 2, back), 0);
        assert_int_equal(back[0], 'c');
        assert_int_equal(back[EXT4_BLOCK_SIZE], 'b');

        /* Nothing beyond the end, at either side of an overflow. */
        static const unsigned long long beyond[] = { 8, 9, UINT64_MAX / EXT4_BLOCK_SIZE, UINT64_MAX };
        for (size_t i = 0; i < ELEMENTSOF(beyond); i++) {
                assert_int_not_equal(io_channel_write_blk64(io, beyond[i], 1, block), 0);
                assert_int_not_equal(io_channel_read_blk64(io, beyond[i], 1, back), 0);
        }
        assert_int_not_equal(io_channel_write_blk64(io, 7, 2, block), 0);

        assert_int_equal(io_channel_flush(io), 0);
        assert_int_equal(io_channel_close(io), 0);
}

static void test_errors(void **state) {
        _cleanup_(fd_closep) int fd = open("file", O_RDONLY | O_CREAT | O_CLOEXEC, 0600);
        const FilesystemPlace place = { .fd = fd, .size = 8 * EXT4_BLOCK_SIZE };
        struct struct_ext2_filsys volume = {};
        uint8_t block[EXT4_BLOCK_SIZE] = {};
        struct struct_io_channel *io = open_channel(&place, &volume);

        assert_int_equal(io_channel_write_blk64(io, 1, 1, block), 0);
        assert_int_equal(io_channel_flush(io), EBADF);
        assert_int_equal(io_channel_read_blk64(io, 1, 1, block), ENODATA);
        assert_int_equal(io_channel_close(io), 0);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                unit_test_in_directory(test_place),
                unit_test_in_directory(test_errors),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
