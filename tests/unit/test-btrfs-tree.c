/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "btrfs-fixture.h"

static uint32_t next_size(uint32_t *number, uint32_t size_max) {
        *number = *number * 1664525 + 1013904223;
        return (*number >> 8) % (size_max + 1);
}

/* Fills a tree with n items, and finds them again. */
static void check_tree(size_t n, uint32_t size_max) {
        _cleanup_(ground_done) Ground ground;
        _cleanup_(items_done) Items items = {};
        _cleanup_(btrfs_forest_done) BtrfsForest counting = {};
        BtrfsTree tree, counted;
        uint32_t number = 7;

        ground_init(&ground);
        btrfs_tree_init(&tree, &ground.forest, 300, BTRFS_BLOCK_GROUP_METADATA);
        btrfs_tree_init(&counted, &counting, 300, BTRFS_BLOCK_GROUP_METADATA);
        for (size_t i = 0; i < n; i++) {
                const struct btrfs_key key = { 256 + i / 3, (uint8_t)(i % 3), i };
                const uint32_t size = next_size(&number, size_max);
                void *data, *ignored;

                assert_int_equal(btrfs_tree_add(&tree, key, size, &data), 0);
                assert_int_equal(btrfs_tree_add(&counted, key, size, &ignored), 0);
                memset(data, (int)i % 255 + 1, size);
        }
        assert_int_equal(btrfs_tree_finish(&counted), 0);
        ground_finish(&ground, &tree, &items);

        number = 7;
        assert_int_equal(items.n_items, n);
        for (size_t i = 0; i < n; i++) {
                assert_int_equal(items.items[i].key.offset, i);
                assert_int_equal(items.items[i].size, next_size(&number, size_max));
                for (uint32_t k = 0; k < items.items[i].size; k++)
                        assert_int_equal(items.items[i].data[k], i % 255 + 1);
        }

        /* Counting finds the same blocks. */
        assert_int_equal(counted.n_blocks, items.n_blocks);
        assert_int_equal(counting.blocks.n_items, ground.forest.blocks.n_items);
        for (size_t i = 0; i < items.n_blocks; i++) {
                assert_int_equal(counting.blocks.items[i].level, ground.forest.blocks.items[i].level);
                assert_int_equal(counting.blocks.items[i].owner, 300);
        }
        btrfs_tree_done(&counted);
}

static void test_empty(void **state) {
        check_tree(0, 0);
}

static void test_sizes(void **state) {
        check_tree(1, 0);
        check_tree(651, 0); /* as many as a leaf has room for */
        check_tree(652, 0);
        check_tree(2000, 100);
        check_tree(2000, BTRFS_ITEM_SIZE_MAX);
}

/* A leaf each, around the number of pointers of a block. */
static void test_levels(void **state) {
        static const size_t numbers[] = { 1, 2, 492, 493, 494, 986, 987 };

        for (size_t i = 0; i < ELEMENTSOF(numbers); i++) {
                _cleanup_(ground_done) Ground ground;
                _cleanup_(items_done) Items items = {};
                const size_t n = numbers[i];
                BtrfsTree tree;
                void *data;

                ground_init(&ground);
                btrfs_tree_init(&tree, &ground.forest, 5, BTRFS_BLOCK_GROUP_METADATA);
                for (size_t k = 0; k < n; k++)
                        assert_int_equal(btrfs_tree_add(&tree, (struct btrfs_key){ k, 1, 0 },
                                                        BTRFS_ITEM_SIZE_MAX, &data),
                                         0);
                ground_finish(&ground, &tree, &items);
                assert_int_equal(items.n_items, n);
                assert_int_equal(items.n_blocks, n == 1 ? 1 : n <= 493 ? n + 1 : n <= 986 ? n + 3 : n + 4);
        }
}

static void test_deep(void **state) {
        check_tree(400000, 0);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_empty),
                cmocka_unit_test(test_sizes),
                cmocka_unit_test(test_levels),
                cmocka_unit_test(test_deep),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
