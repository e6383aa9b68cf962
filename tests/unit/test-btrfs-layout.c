/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "btrfs-fixture.h"

/* The trees that describe the disk, behind n_blocks blocks of a tree of files that nobody looks into: what was found out
 * beforehand is what is there at the end. */
static void check_layout(size_t n_blocks, bool is_written) {
        _cleanup_(tree_freep) Tree *tree = load_tree();
        _cleanup_(btrfs_plan_freep) BtrfsPlan *plan = make_plan(tree, &options);
        _cleanup_(btrfs_data_done) BtrfsData data = {};
        _cleanup_(btrfs_image_done) BtrfsImage image = {};
        _cleanup_(btrfs_layout_done) BtrfsLayout layout = {};
        _cleanup_(ground_done) Ground ground;
        _cleanup_(items_done) Items extents = {};
        BtrfsTree files;
        size_t n_found = 0;
        void *item;

        ground_init(&ground);
        if (!is_written)
                ground.forest.output = NULL;
        assert_int_equal(btrfs_image_init(&image, plan, &data), 0);
        btrfs_tree_init(&files, &ground.forest, BTRFS_FS_TREE_OBJECTID, BTRFS_BLOCK_GROUP_METADATA);
        for (size_t i = 0; i < n_blocks; i++)
                assert_int_equal(
                        btrfs_tree_add(&files, (struct btrfs_key){ i, 1, 0 }, BTRFS_ITEM_SIZE_MAX, &item), 0);
        assert_int_equal(btrfs_tree_finish(&files), 0);
        btrfs_image_set_root(&image, &files);
        btrfs_tree_done(&files);
        const size_t n_before = ground.forest.blocks.n_items;

        assert_int_equal(btrfs_layout_find(&image, &ground.forest, &layout), 0);
        assert_int_equal(ground.forest.blocks.n_items, n_before);
        assert_int_equal(btrfs_layout_write(&image, &ground.forest), 0);
        assert_int_equal(btrfs_output_flush(&ground.output), 0);

        assert_int_equal(layout.n_blocks, ground.forest.blocks.n_items);
        for (size_t i = 0; i < layout.n_blocks; i++) {
                assert_int_equal(layout.blocks[i].owner, ground.forest.blocks.items[i].owner);
                assert_int_equal(layout.blocks[i].level, ground.forest.blocks.items[i].level);
        }
        assert_int_equal(layout.space.n_chunks, ground.space.n_chunks);
        for (size_t i = 0; i < ground.space.n_chunks; i++) {
                assert_int_equal(layout.space.chunks[i].start, ground.space.chunks[i].start);
                assert_int_equal(layout.space.chunks[i].used, ground.space.chunks[i].used);
                if (i + 2 >= ground.space.n_chunks) /* the last of either type */
                        assert_true(layout.space.chunks[i].size >
                                    layout.space.chunks[i].used + 4 * MIB - 16384);
        }

        if (!is_written)
                return;

        /* The extent tree knows every block, itself included. */
        const BtrfsRoot *root = btrfs_image_root(&image, BTRFS_EXTENT_TREE_OBJECTID);
        read_tree(ground.place.fd, root->id, root->address, root->level, &extents);
        assert_int_equal(extents.n_blocks, root->n_blocks);
        for (size_t i = 0; i < extents.n_items; i++)
                n_found += extents.items[i].key.type == BTRFS_METADATA_ITEM_KEY;
        assert_int_equal(n_found, layout.n_blocks);
}

/* Around the sizes where the extent tree gets another block, or level. */
static void test_sizes(void **state) {
        for (size_t i = 1; i < 700; i = i < 300 ? i * 2 : i + 1 + i % 7)
                check_layout(i, true);
}

static void test_mirror(void **state) {
        check_layout(5000, true);
}

/* More than a chunk has room for: about 3 GiB of blocks. */
static void test_chunks(void **state) {
        check_layout(65000, false);
        check_layout(200000, false);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                unit_test_with_tree(test_sizes),
                unit_test_with_tree(test_mirror),
                unit_test_with_tree(test_chunks),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
