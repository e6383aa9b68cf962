/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "btrfs-fixture.h"

/* What is behind another is gathered, what is elsewhere is not; all of it arrives. */
static void test_writes(void **state) {
        static const struct {
                uint64_t address;
                size_t size;
        } parts[] = {
                { MIB, 4096 },         { MIB + 4096, 3 * MIB }, { 65536, 4096 },
                { 20 * MIB, 2 * MIB }, { 22 * MIB, 1 },         { 30 * MIB, 0 },
        };
        _cleanup_(fd_closep) int fd = memfd_create("disk", MFD_CLOEXEC);
        const FilesystemPlace place = { .fd = fd, .offset = 512 };
        _cleanup_(btrfs_output_done) BtrfsOutput output = {};
        _cleanup_(freep) uint8_t *data = malloc(3 * MIB), *found = malloc(3 * MIB);
        struct stat status;

        assert_true(data && found);
        assert_int_equal(btrfs_output_init(&output, &place), 0);
        for (size_t i = 0; i < ELEMENTSOF(parts); i++) {
                memset(data, (int)i + 1, parts[i].size);
                assert_int_equal(btrfs_output_write(&output, parts[i].address, data, parts[i].size), 0);
        }
        assert_int_equal(btrfs_output_flush(&output), 0);
        assert_int_equal(btrfs_output_flush(&output), 0);

        for (size_t i = 0; i < ELEMENTSOF(parts); i++) {
                memset(data, (int)i + 1, parts[i].size);
                assert_int_equal(fd_pread_all(fd, found, parts[i].size, 512 + parts[i].address), 0);
                assert_memory_equal(found, data, parts[i].size);
        }
        assert_int_equal(fstat(fd, &status), 0);
        assert_int_equal(status.st_size, 512 + 22 * MIB + 1);
}

/* Rooms follow each other, and the buffer's end cuts them. */
static void test_room(void **state) {
        const FilesystemPlace place = { .fd = -EBADF, .size = 1 };
        _cleanup_(btrfs_output_done) BtrfsOutput output = {};
        uint8_t *first, *second;
        size_t size;

        assert_int_equal(btrfs_output_init(&output, &place), 0);
        assert_int_equal(btrfs_output_room(&output, 0, BTRFS_OUTPUT_BUFFER_SIZE - 5, &first, &size), 0);
        assert_int_equal(size, BTRFS_OUTPUT_BUFFER_SIZE - 5);
        assert_int_equal(btrfs_output_room(&output, size, 100, &second, &size), 0);
        assert_ptr_equal(second, first + BTRFS_OUTPUT_BUFFER_SIZE - 5);
        assert_int_equal(size, 5);
}

/* The end of the place is no error, and is not passed. */
static void test_end(void **state) {
        _cleanup_(fd_closep) int fd = memfd_create("disk", MFD_CLOEXEC);
        const FilesystemPlace place = { .fd = fd, .offset = 100, .size = 10000 };
        _cleanup_(btrfs_output_done) BtrfsOutput output = {};
        _cleanup_(freep) uint8_t *data = calloc(1, 4096);
        struct stat status;

        assert_non_null(data);
        assert_int_equal(btrfs_output_init(&output, &place), 0);
        for (uint64_t address = 0; address < 100 * MIB; address += 10 * MIB) {
                assert_int_equal(btrfs_output_write(&output, address, data, 4096), 0);
                assert_int_equal(btrfs_output_write(&output, address + 4096, data, 4096), 0);
        }
        assert_int_equal(btrfs_output_write(&output, 8192, data, 4096), 0);
        assert_int_equal(btrfs_output_flush(&output), 0);
        assert_int_equal(fstat(fd, &status), 0);
        assert_int_equal(status.st_size, 100 + 8192);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_writes),
                cmocka_unit_test(test_room),
                cmocka_unit_test(test_end),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
