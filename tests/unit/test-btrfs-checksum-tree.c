/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "btrfs-fixture.h"

static uint64_t take(BtrfsSpace *space, uint64_t type, uint64_t size_min, uint64_t size_max) {
        uint64_t start, size;

        assert_int_equal(btrfs_space_take(space, type, size_min, size_max, &start, &size), 0);
        return start;
}

static void test_sums(void **state) {
        _cleanup_(ground_done) Ground ground;
        _cleanup_(btrfs_space_done) BtrfsSpace space = {};
        _cleanup_(items_done) Items items = {};
        _cleanup_(freep) uint32_t *sums = NULL;

        /* A run that is longer than an item can say, one behind the mirror, and one in another chunk. */
        (void)take(&space, BTRFS_BLOCK_GROUP_DATA, 4096, 62 * MIB);
        (void)take(&space, BTRFS_BLOCK_GROUP_DATA, 2 * MIB, 2 * MIB);
        btrfs_space_close(&space, 0);
        (void)take(&space, BTRFS_BLOCK_GROUP_METADATA, 16384, 16384);
        btrfs_space_close(&space, 0);
        (void)take(&space, BTRFS_BLOCK_GROUP_DATA, 4096, 4096);
        const size_t n = 64 * MIB / 4096 + 1;
        sums = calloc(n, sizeof(uint32_t));
        assert_non_null(sums);
        for (size_t i = 0; i < n; i++)
                sums[i] = (uint32_t)i + 1;

        const BtrfsData data = { .sums = sums, .n_sums = n };
        ground_init(&ground);
        ground_fill(&ground, btrfs_fill_checksum_tree, &(BtrfsImage){ .space = &space, .data = &data },
                    &items);
        uint32_t next = 1;
        for (size_t i = 0; i < items.n_items; i++) {
                const Found *found = &items.items[i];

                assert_int_equal(found->key.objectid, BTRFS_EXTENT_CSUM_OBJECTID);
                assert_int_equal(found->key.type, BTRFS_EXTENT_CSUM_KEY);
                assert_true(found->size / 4 <= 4057);
                for (uint32_t k = 0; k < found->size; k += 4) {
                        uint32_t sum;

                        memcpy(&sum, found->data + k, 4);
                        assert_int_equal(le32toh(sum), next++);
                }
        }
        assert_int_equal(next, n + 1);
        assert_int_equal(items.items[0].key.offset, MIB);
        (void)find_item(&items, BTRFS_EXTENT_CSUM_OBJECTID, BTRFS_EXTENT_CSUM_KEY,
                        BTRFS_MIRROR_1 + BTRFS_STRIPE_SIZE);
        (void)find_item(&items, BTRFS_EXTENT_CSUM_OBJECTID, BTRFS_EXTENT_CSUM_KEY, space.chunks[2].start);
}

static void test_uuids(void **state) {
        BtrfsVolume volumes[] = {
                { .id = 5, .uuid = { { 0, 0, 0, 0, 0, 0, 0, 2, 1 } } },
                { .id = 256, .uuid = { { 9, 0, 0, 0, 0, 0, 0, 1, 7 } } },
                { .id = 257, .uuid = { { 8, 0, 0, 0, 0, 0, 0, 1, 7 } } },
        };
        const BtrfsPlan plan = { .volumes = volumes, .n_volumes = ELEMENTSOF(volumes) };
        _cleanup_(items_done) Items items = {};
        _cleanup_(ground_done) Ground ground;

        ground_init(&ground);
        ground_fill(&ground, btrfs_fill_uuid_tree, &(BtrfsImage){ .plan = &plan }, &items);
        assert_int_equal(items.n_items, 3);
        static const uint64_t ids[] = { 257, 256, 5 };
        for (size_t i = 0; i < 3; i++) {
                uint64_t id;

                assert_int_equal(items.items[i].size, sizeof(id));
                memcpy(&id, items.items[i].data, sizeof(id));
                assert_int_equal(le64toh(id), ids[i]);
        }
        assert_int_equal(items.items[0].key.objectid, UINT64_C(0x0100000000000008));
        assert_int_equal(items.items[0].key.offset, 7);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_sums),
                cmocka_unit_test(test_uuids),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
