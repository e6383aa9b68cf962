/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ext4-fixture.h"

/* Lists are checked against a plain reading of the rule: four extents in the inode, else blocks of 340. */
static void test_index_blocks(void **state) {
        static const struct {
                size_t n_extents, n_blocks;
        } cases[] = {
                { 0, 0 },
                { 4, 0 },
                { 5, 1 },
                { 340, 1 },
                { 341, 2 },
                { 1360, 4 },
                { 1361, 5 + 1 },
                { 4 * 340 * 340, 4 * 340 + 4 },
                { 4 * 340 * 340 + 1, 4 * 340 + 1 + 5 + 1 },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++)
                assert_int_equal(ext4_extents_index_blocks(cases[i].n_extents), cases[i].n_blocks);
}

/* Every second block of a file has data; libext2fs finds each of them where it should be. */
static void check_holes(unsigned n_extents, unsigned depth) {
        _cleanup_(fd_closep) int fd = open("tree/file", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        _cleanup_(ext4_volume_freep) struct struct_ext2_filsys *volume = NULL;
        ext2_extent_handle_t handle = NULL;
        struct ext2_extent_info info = {};
        ext2_file_t file = NULL;

        for (uint32_t i = 0; i < n_extents; i++)
                assert_int_equal(fd_pwrite_all(fd, &i, sizeof(i), UINT64_C(2) * i * EXT4_BLOCK_SIZE), 0);
        make_image();
        check_image("image");

        volume = open_image();
        const ext2_ino_t number = find_inode(volume, "file");
        assert_int_equal(ext2fs_extent_open(volume, number, &handle), 0);
        assert_int_equal(ext2fs_extent_get_info(handle, &info), 0);
        assert_int_equal(info.max_depth, depth);
        ext2fs_extent_free(handle);

        assert_int_equal(ext2fs_file_open(volume, number, 0, &file), 0);
        for (uint32_t i = 0; i < n_extents; i++) {
                uint32_t value[2] = {};
                unsigned n;

                assert_int_equal(
                        ext2fs_file_llseek(file, UINT64_C(2) * i * EXT4_BLOCK_SIZE, EXT2_SEEK_SET, NULL), 0);
                assert_int_equal(ext2fs_file_read(file, &value[0], sizeof(value[0]), &n), 0);
                assert_int_equal(value[0], i);
        }
        assert_int_equal(ext2fs_file_close(file), 0);
}

static void test_depth(void **state) {
        check_holes(4, 0);
        check_holes(5, 1);
        check_holes(341, 1);
        check_holes(1360, 1);
        check_holes(1361, 2);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_index_blocks),
                unit_test_with_tree(test_depth),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
