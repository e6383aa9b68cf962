/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "btrfs-fixture.h"

static void take(BtrfsSpace *space, uint64_t type, uint64_t size) {
        uint64_t start, taken;

        assert_int_equal(btrfs_space_take(space, type, size, size, &start, &taken), 0);
}

static void check(const Items *items, const BtrfsSpace *space) {
        for (size_t i = 0; i < 3; i++) {
                const BtrfsChunk *chunk = &space->chunks[i];
                const struct btrfs_block_group_item *group =
                        (const void *)find_item(items, chunk->start, BTRFS_BLOCK_GROUP_ITEM_KEY, chunk->size)
                                ->data;

                assert_int_equal(le64toh(group->used), chunk->used);
                assert_int_equal(le64toh(group->flags), chunk->type);
        }
        const Found *found = find_item(items, MIB + 8192, BTRFS_EXTENT_ITEM_KEY, 4096);
        const struct btrfs_extent_data_ref *reference = (const void *)(found->data + 25);
        assert_int_equal(found->size, 53);
        assert_int_equal(found->data[24], BTRFS_EXTENT_DATA_REF_KEY);
        assert_int_equal(le64toh(reference->root), 256);
        assert_int_equal(le64toh(reference->objectid), 257);
        assert_int_equal(le64toh(reference->offset), 131072);
        (void)find_item(items, MIB, BTRFS_EXTENT_ITEM_KEY, 8192);

        static const uint64_t owners[] = { 5, 5, 3 }, addresses[] = { 2 * MIB, 2 * MIB + 16384, 3 * MIB };
        static const uint8_t levels[] = { 0, 1, 0 };
        for (size_t i = 0; i < 3; i++) {
                found = find_item(items, addresses[i], BTRFS_METADATA_ITEM_KEY, levels[i]);
                const struct btrfs_extent_inline_ref *owner = (const void *)(found->data + 24);
                assert_int_equal(owner->type, BTRFS_TREE_BLOCK_REF_KEY);
                assert_int_equal(le64toh(owner->offset), owners[i]);
        }
}

/* Two files and three blocks: every piece of the disk is there, with its owner. */
static void test_extents(void **state) {
        static const char *const names[] = { "s", NULL };
        static BtrfsExtent extents[] = {
                { .offset = 0, .address = MIB, .size = 8192, .disk_size = 8192 },
                { .is_inline = true, .size = 5, .disk_size = 5 },
                { .offset = 131072, .address = MIB + 8192, .size = 131072, .disk_size = 4096, .encoding = 3 },
        };
        static const BtrfsBlock blocks[] = { { 5, 0 }, { 5, 1 }, { 3, 0 } };
        FilesystemOptions with = options;
        _cleanup_(btrfs_space_done) BtrfsSpace space = {};
        _cleanup_(ground_done) Ground ground;
        _cleanup_(items_done) Items items = {};

        assert_int_equal(mkdir("tree/s", 0755), 0);
        make_file("tree/a", 8192, false);
        make_file("tree/b", 5, false);
        make_file("tree/s/c", 8192, false);
        assert_int_equal(link("tree/a", "tree/z"), 0);
        with.subvolumes = names;
        _cleanup_(tree_freep) Tree *tree = load_tree();
        _cleanup_(btrfs_plan_freep) BtrfsPlan *plan = make_plan(tree, &with);
        static const char *const paths[] = { "a", "b", "s/c" };
        for (size_t i = 0; i < 3; i++) {
                btrfs_inode(plan, tree_find(tree, paths[i]))->first_extent = i;
                btrfs_inode(plan, tree_find(tree, paths[i]))->n_extents = 1;
        }
        take(&space, BTRFS_BLOCK_GROUP_DATA, 12288);
        btrfs_space_close(&space, 0);
        take(&space, BTRFS_BLOCK_GROUP_METADATA, 32768);
        btrfs_space_close(&space, 0);
        take(&space, BTRFS_BLOCK_GROUP_SYSTEM, 16384);
        btrfs_space_close(&space, 0);

        const BtrfsData data = { .extents = extents, .n_extents = 3 };
        const BtrfsImage image = {
                .plan = plan, .data = &data, .space = &space, .blocks = blocks, .n_blocks = 3
        };
        ground_init(&ground);
        ground_fill(&ground, btrfs_fill_extent_tree, &image, &items);
        assert_int_equal(items.n_items, 3 + 2 + 3);

        check(&items, &space);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                unit_test_with_tree(test_extents),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
