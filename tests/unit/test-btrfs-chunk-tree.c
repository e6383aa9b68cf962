/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "btrfs-fixture.h"

/* Three chunks: one with a gap, one that is full, one that is empty. */
static void make_space(BtrfsSpace *space) {
        uint64_t start, size;

        *space = (BtrfsSpace){};
        assert_int_equal(btrfs_space_take(space, BTRFS_BLOCK_GROUP_DATA, 4096, 63 * MIB, &start, &size), 0);
        assert_int_equal(btrfs_space_take(space, BTRFS_BLOCK_GROUP_DATA, 4096, 4096, &start, &size), 0);
        btrfs_space_close(space, 0);
        assert_int_equal(btrfs_space_take(space, BTRFS_BLOCK_GROUP_METADATA, MIB, MIB, &start, &size), 0);
        btrfs_space_close(space, 0);
        assert_int_equal(btrfs_space_open(space, BTRFS_BLOCK_GROUP_SYSTEM), 0);
        btrfs_space_close(space, 4 * MIB);
        assert_int_equal(space->n_chunks, 3);
}

static void fill(int (*function)(const BtrfsImage *, BtrfsTree *), BtrfsSpace *space, Items *ret) {
        const BtrfsPlan plan = { .options = &options };
        const BtrfsImage image = { .plan = &plan,
                                   .space = space,
                                   .total_size = GIB,
                                   .device_uuid = { { 7 } },
                                   .chunk_tree_uuid = { { 8 } } };
        _cleanup_(ground_done) Ground ground;

        make_space(space);
        ground_init(&ground);
        ground_fill(&ground, function, &image, ret);
}

static void test_chunks(void **state) {
        _cleanup_(btrfs_space_done) BtrfsSpace space;
        _cleanup_(items_done) Items items = {};

        fill(btrfs_fill_chunk_tree, &space, &items);
        assert_int_equal(items.n_items, 4);
        const struct btrfs_dev_item *device =
                (const void *)find_item(&items, BTRFS_DEV_ITEMS_OBJECTID, BTRFS_DEV_ITEM_KEY, 1)->data;
        assert_int_equal(le64toh(device->total_bytes), GIB);
        assert_int_equal(le64toh(device->bytes_used), 64 * MIB + MIB + 4 * MIB);
        assert_int_equal(device->uuid[0], 7);
        assert_memory_equal(device->fsid, options.uuid.bytes, 16);
        for (size_t i = 0; i < space.n_chunks; i++) {
                const struct btrfs_chunk *chunk =
                        (const void *)find_item(&items, BTRFS_FIRST_CHUNK_TREE_OBJECTID, BTRFS_CHUNK_ITEM_KEY,
                                                space.chunks[i].start)
                                ->data;

                assert_int_equal(le64toh(chunk->length), space.chunks[i].size);
                assert_int_equal(le64toh(chunk->type), space.chunks[i].type);
                assert_int_equal(le64toh(chunk->stripe.offset), space.chunks[i].start);
                assert_int_equal(chunk->stripe.dev_uuid[0], 7);
        }
}

static void test_device(void **state) {
        _cleanup_(btrfs_space_done) BtrfsSpace space;
        _cleanup_(items_done) Items items = {};

        fill(btrfs_fill_device_tree, &space, &items);
        assert_int_equal(items.n_items, 3);
        for (size_t i = 0; i < 3; i++) {
                const struct btrfs_dev_extent *extent =
                        (const void *)find_item(&items, 1, BTRFS_DEV_EXTENT_KEY, space.chunks[i].start)->data;

                assert_int_equal(le64toh(extent->chunk_offset), space.chunks[i].start);
                assert_int_equal(le64toh(extent->length), space.chunks[i].size);
                assert_int_equal(extent->chunk_tree_uuid[0], 8);
        }
}

static void test_free_space(void **state) {
        _cleanup_(btrfs_space_done) BtrfsSpace space;
        _cleanup_(items_done) Items items = {};
        static const uint32_t counts[] = { 2, 0, 1 };

        fill(btrfs_fill_free_space_tree, &space, &items);
        assert_int_equal(items.n_items, 6);
        for (size_t i = 0; i < 3; i++) {
                const struct btrfs_free_space_info *info =
                        (const void *)find_item(&items, space.chunks[i].start, BTRFS_FREE_SPACE_INFO_KEY,
                                                space.chunks[i].size)
                                ->data;
                assert_int_equal(le32toh(info->extent_count), counts[i]);
                assert_int_equal(le32toh(info->flags), 0);
        }
        /* Where the copy of the super block is, and behind the sector that follows it. */
        (void)find_item(&items, BTRFS_MIRROR_1, BTRFS_FREE_SPACE_EXTENT_KEY, BTRFS_STRIPE_SIZE);
        (void)find_item(&items, BTRFS_MIRROR_1 + BTRFS_STRIPE_SIZE + 4096, BTRFS_FREE_SPACE_EXTENT_KEY,
                        MIB - BTRFS_STRIPE_SIZE - 4096);
        (void)find_item(&items, 66 * MIB, BTRFS_FREE_SPACE_EXTENT_KEY, 4 * MIB);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_chunks),
                cmocka_unit_test(test_device),
                cmocka_unit_test(test_free_space),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
