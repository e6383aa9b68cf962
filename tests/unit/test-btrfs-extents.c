/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "btrfs-fixture.h"

static void add(BtrfsData *data, BtrfsInode *inode, BtrfsExtent extent) {
        _cleanup_(freep) uint32_t *sums = calloc(extent.disk_size / BTRFS_SECTOR_SIZE, sizeof(uint32_t));

        assert_non_null(sums);
        for (size_t i = 0; i < extent.disk_size / BTRFS_SECTOR_SIZE; i++)
                sums[i] = (uint32_t)(extent.address / BTRFS_SECTOR_SIZE + i);
        assert_int_equal(btrfs_data_add(data, inode, &extent, sums), 0);
}

static BtrfsExtent plain(uint64_t offset, uint64_t address, uint64_t size) {
        return (BtrfsExtent){
                .offset = offset, .address = address, .size = (uint32_t)size, .disk_size = (uint32_t)size
        };
}

/* Pieces that follow each other, in the file and on the disk, are one extent. */
static void test_continued(void **state) {
        _cleanup_(btrfs_data_done) BtrfsData data = {};
        BtrfsInode inode = {}, other = {};
        BtrfsExtent compressed = {
                .offset = 20 * MIB, .address = 2 * GIB, .size = 131072, .disk_size = 4096
        };

        add(&data, &inode, plain(0, 3 * MIB, MIB));
        add(&data, &inode, plain(MIB, 4 * MIB, 4096));
        assert_int_equal(inode.n_extents, 1);
        assert_int_equal(data.extents[0].size, MIB + 4096);
        assert_int_equal(data.extents[0].disk_size, MIB + 4096);

        add(&data, &inode, plain(2 * MIB, 4 * MIB + 4096, 4096)); /* behind a hole */
        add(&data, &inode, plain(2 * MIB + 4096, 5 * MIB, 4096)); /* elsewhere on the disk */
        add(&data, &inode, plain(2 * MIB + 8192, GIB + MIB - 4096, 4096));
        add(&data, &inode, plain(2 * MIB + 12288, GIB + MIB, 4096)); /* in the next chunk */
        compressed.encoding = BTRFS_ENCODING_ZSTD;
        add(&data, &inode, compressed);
        compressed.offset += compressed.size;
        compressed.address += compressed.disk_size;
        add(&data, &inode, compressed);
        assert_int_equal(inode.n_extents, 7);

        add(&data, &other, plain(20 * MIB + 262144, 2 * GIB + 8192, 4096));
        assert_int_equal(other.first_extent, 7);
        assert_int_equal(other.n_extents, 1);
        assert_int_equal(inode.n_extents, 7);
}

static void test_largest(void **state) {
        _cleanup_(btrfs_data_done) BtrfsData data = {};
        BtrfsInode inode = {};

        for (uint64_t i = 0; i < 300; i++)
                add(&data, &inode, plain(i * MIB, (i + 1) * MIB, MIB));
        assert_int_equal(inode.n_extents, 3);
        assert_int_equal(data.extents[0].size, 128 * MIB);
        assert_int_equal(data.extents[1].size, 128 * MIB);
        assert_int_equal(data.extents[2].size, 44 * MIB);
        assert_int_equal(data.n_sums, 300 * MIB / BTRFS_SECTOR_SIZE);
        for (size_t i = 0; i < data.n_sums; i++)
                assert_int_equal(data.sums[i], 256 + i);
}

static void test_inline(void **state) {
        _cleanup_(btrfs_data_done) BtrfsData data = {};
        BtrfsInode inodes[100] = {};
        char text[16];

        for (size_t i = 0; i < ELEMENTSOF(inodes); i++) {
                const uint32_t size = (uint32_t)snprintf(text, sizeof(text), "number %zu", i);
                const BtrfsExtent extent = { .size = size, .disk_size = size, .is_inline = true };

                assert_int_equal(btrfs_data_add_inline(&data, &inodes[i], &extent, text), 0);
        }
        for (size_t i = 0; i < ELEMENTSOF(inodes); i++) {
                const BtrfsExtent *extent = &data.extents[inodes[i].first_extent];

                assert_int_equal(inodes[i].n_extents, 1);
                (void)snprintf(text, sizeof(text), "number %zu", i);
                assert_int_equal(extent->disk_size, strlen(text));
                assert_memory_equal(data.inline_content + extent->address, text, extent->disk_size);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_continued),
                cmocka_unit_test(test_largest),
                cmocka_unit_test(test_inline),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
