/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "format/partition-table.h"

#define SIZES_MAX 8

/* Places partitions of these sizes (ended by 0). */
static int place(const uint64_t *sizes, PartitionLayout **ret) {
        Partition partitions[SIZES_MAX] = {};
        PartitionTable table = { .partitions = partitions };

        for (; sizes[table.n_partitions] > 0; table.n_partitions++)
                partitions[table.n_partitions] =
                        (Partition){ .type = PARTITION_ROOT, .name = "", .size = sizes[table.n_partitions] };
        return partition_table_place(&table, ret);
}

/* What mkosi of 2017 with util-linux 2.38.1 made of the same sizes, in sectors; but for the disk of the squashfs image,
 * which it sized without the gap before the second of its appended partitions. */
static void test_measured(void **state) {
        static const struct {
                const char *name;
                uint64_t disk_size;
                uint64_t sectors[SIZES_MAX], starts[SIZES_MAX];
        } cases[] = {
                { "raw_gpt", 1075838976, { 2097152 }, { 2048 } },
                { "raw_gpt, bootable", 1344274432, { 524288, 2097152 }, { 2048, 526336 } },
                { "bootable, swap, home, srv",
                  1579155456,
                  { 524288, 131072, 262144, 65536, 2097152 },
                  { 2048, 526336, 657408, 919552, 985088 } },
                { "raw_btrfs, bootable, home", 1478492160, { 524288, 2359296 }, { 2048, 526336 } },
                { "squashfs, bootable, verity",
                  (733184 + 16528 + 2048) * 512,
                  { 524288, 205120, 16528 },
                  { 2048, 526336, 733184 } },
                { "raw_gpt, bootable, verity",
                  (2623488 + 16528 + 2048) * UINT64_C(512),
                  { 524288, 2097152, 16528 },
                  { 2048, 526336, 2623488 } },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(partition_layout_freep) PartitionLayout *layout = NULL;
                uint64_t sizes[SIZES_MAX] = {};
                size_t n = 0;

                for (; cases[i].sectors[n] > 0; n++)
                        sizes[n] = cases[i].sectors[n] * SECTOR_SIZE;
                assert_int_equal(place(sizes, &layout), 0);
                assert_int_equal(layout->disk_size, cases[i].disk_size);
                assert_int_equal(layout->n_places, n);
                for (size_t j = 0; j < n; j++) {
                        assert_int_equal(layout->places[j].offset, cases[i].starts[j] * SECTOR_SIZE);
                        assert_int_equal(layout->places[j].size, sizes[j]);
                }
        }
}

/* A partition that ends 1 to 33 sectors behind the grain once made the disk too small for the next one: the last sectors
 * of a table, 33 of them, must lie behind the last partition whatever the sizes. */
static void test_gaps(void **state) {
        for (uint64_t sectors = 1; sectors <= 2 * 2048 + 40; sectors++) {
                _cleanup_(partition_layout_freep) PartitionLayout *layout = NULL;
                const uint64_t sizes[] = { sectors * SECTOR_SIZE, 2 * MIB, 0 };
                const Partition first = { .type = PARTITION_ROOT, .size = sizes[0] };
                const PartitionTable table = { .partitions = &first, .n_partitions = 1 };
                uint64_t next;

                assert_int_equal(place(sizes, &layout), 0);
                assert_int_equal(layout->places[1].offset % PARTITION_GRAIN_SIZE, 0);
                assert_true(layout->places[1].offset >= layout->places[0].offset + sizes[0]);
                assert_true(layout->places[1].offset <
                            layout->places[0].offset + sizes[0] + PARTITION_GRAIN_SIZE);
                assert_int_equal(layout->disk_size, layout->places[1].offset + sizes[1] + MIB);
                assert_int_equal(partition_table_next(&table, &next), 0);
                assert_int_equal(next, layout->places[1].offset);
        }
}

static void test_empty(void **state) {
        _cleanup_(partition_layout_freep) PartitionLayout *layout = NULL;

        assert_int_equal(place((const uint64_t[]){ 0 }, &layout), 0);
        assert_int_equal(layout->disk_size, 2 * MIB);
        assert_int_equal(layout->n_places, 0);
}

static void test_refused(void **state) {
        const uint64_t limit = (uint64_t)INT64_MAX + 1;
        const struct {
                uint64_t sizes[3];
                int r;
        } cases[] = {
                { { 511 }, -EINVAL },
                { { MIB, MIB + 1 }, -EINVAL },
                { { UINT64_MAX }, -EINVAL },
                { { UINT64_MAX - 511 }, -EFBIG },
                { { limit }, -EFBIG },
                { { limit - MIB }, -EFBIG },
                { { limit - 2 * MIB }, -EFBIG },
                { { limit - 2 * MIB - SECTOR_SIZE }, 0 },
                { { limit - 2 * MIB - SECTOR_SIZE, SECTOR_SIZE }, -EFBIG },
                { { limit - 4 * MIB, MIB }, 0 },
                { { limit / 2, limit / 2 }, -EFBIG },
        };
        const Partition nothing = { .type = PARTITION_ROOT };
        const PartitionTable table = { .partitions = &nothing, .n_partitions = 1 };
        PartitionLayout *untouched = NULL;

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(partition_layout_freep) PartitionLayout *layout = NULL;

                assert_int_equal(place(cases[i].sizes, &layout), cases[i].r);
                assert_int_equal(!layout, cases[i].r < 0);
        }
        assert_int_equal(partition_table_place(&table, &untouched), -EINVAL);
        assert_null(untouched);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_measured),
                cmocka_unit_test(test_gaps),
                cmocka_unit_test(test_empty),
                cmocka_unit_test(test_refused),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
