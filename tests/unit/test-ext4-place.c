/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ext4-fixture.h"

static struct struct_ext2_filsys *make_volume(uint64_t n_blocks, uint32_t n_journal_blocks) {
        const Ext4Geometry geometry = {
                .n_blocks = n_blocks,
                .n_inodes = 1024,
                .n_journal_blocks = n_journal_blocks,
        };
        const FilesystemPlace place = {
                .fd = open("image", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600),
                .size = n_blocks * EXT4_BLOCK_SIZE,
        };
        struct struct_ext2_filsys *volume = NULL;

        assert_int_equal(ftruncate(place.fd, (off_t)place.size), 0);
        assert_int_equal(ext4_volume_new(&geometry, &options, &place, &volume, NULL), 0);
        return volume;
}

/* Files lie behind each other in the order of the tree, directories before them, each in one piece. */
static void test_order(void **state) {
        static const char *const order[] = { "", "d", "a", "d/b", "e" };
        uint64_t next = 0;

        make_file("tree/a", 3 * EXT4_BLOCK_SIZE);
        make_directory("tree/d");
        make_file("tree/d/b", 200000);
        make_file("tree/e", 1);
        _cleanup_(tree_freep) Tree *tree = load_tree();
        _cleanup_(ext4_plan_freep) Ext4Plan *plan = make_plan(tree);
        _cleanup_(ext4_volume_freep) struct struct_ext2_filsys *volume = make_volume(4096, 1024);
        const uint64_t n_free = ext2fs_free_blocks_count(volume->super);

        assert_int_equal(ext4_place(plan, volume, 0, NULL), 0);
        for (size_t i = 0; i < ELEMENTSOF(order); i++) {
                const Ext4Inode *inode = plan_find(plan, order[i]);

                assert_int_equal(inode->placed.n_items, 1);
                assert_true(inode->placed.items[0].physical >= next);
                next = inode->placed.items[0].physical + inode->placed.items[0].n_blocks;
                assert_false(ext2fs_test_block_bitmap2(volume->block_map, inode->placed.items[0].physical));
        }
        assert_int_equal(ext2fs_free_blocks_count(volume->super), n_free);

        /* Placing again changes nothing. */
        const Ext4Extent before = plan_find(plan, "e")->placed.items[0];
        assert_int_equal(ext4_place(plan, volume, 0, NULL), 0);
        assert_memory_equal(&before, plan_find(plan, "e")->placed.items, sizeof(before));
}

static void test_space(void **state) {
        uint64_t n_missing = 0;

        make_file("tree/a", 1000 * EXT4_BLOCK_SIZE);
        _cleanup_(tree_freep) Tree *tree = load_tree();
        _cleanup_(ext4_plan_freep) Ext4Plan *plan = make_plan(tree);
        _cleanup_(ext4_volume_freep) struct struct_ext2_filsys *volume = make_volume(4096, 1024);
        const uint64_t n_left =
                ext2fs_free_blocks_count(volume->super) - 1005; /* the file, the root, lost+found */

        assert_int_equal(ext4_place(plan, volume, n_left, NULL), 0);
        assert_int_equal(ext4_place(plan, volume, n_left + 1, &n_missing), -ENOSPC);
        assert_int_equal(n_missing, 1);
        assert_int_equal(ext4_place(plan, volume, n_left + 77, &n_missing), -ENOSPC);
        assert_int_equal(n_missing, 77);
        assert_int_equal(ext4_place(plan, volume, n_left + 77, NULL), -ENOSPC);
}

/* A file that is larger than the room before a backup super block goes on behind it, and one extent has 128 MiB. */
static void test_pieces(void **state) {
        make_file("tree/a", 1);
        assert_int_equal(truncate("tree/a", (off_t)(700 * MIB)), 0);
        _cleanup_(tree_freep) Tree *tree = load_tree();
        tree->nodes[1]->status.st_blocks = (blkcnt_t)(700 * MIB / 512); /* as if it had no hole */
        _cleanup_(ext4_plan_freep) Ext4Plan *plan = make_plan(tree);
        _cleanup_(ext4_volume_freep) struct struct_ext2_filsys *volume = make_volume(200000, 4096);
        uint64_t logical = 0;

        assert_int_equal(ext4_place(plan, volume, 0, NULL), 0);
        const Ext4Inode *inode = plan_find(plan, "a");
        assert_true(inode->placed.n_items > 4);
        assert_int_equal(inode->n_index_blocks, 1);
        for (size_t i = 0; i < inode->placed.n_items; i++) {
                const Ext4Extent *extent = &inode->placed.items[i];

                assert_int_equal(extent->logical, logical);
                assert_true(extent->n_blocks <= EXT4_EXTENT_SIZE_MAX);
                for (uint32_t k = 0; k < extent->n_blocks; k++)
                        assert_false(ext2fs_test_block_bitmap2(volume->block_map, extent->physical + k));
                logical += extent->n_blocks;
        }
        assert_int_equal(logical, 700 * MIB / EXT4_BLOCK_SIZE);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                unit_test_with_tree(test_order),
                unit_test_with_tree(test_space),
                unit_test_with_tree(test_pieces),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
