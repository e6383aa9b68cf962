/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "format/partition-table.h"

/* What off_t, and with it every file, can hold. */
#define DISK_SIZE_MAX ((uint64_t)INT64_MAX)

static_assert(PARTITION_GRAIN_SIZE % SECTOR_SIZE == 0, "The grain is no number of sectors");

int partition_table_place(const PartitionTable *table, PartitionLayout **ret) {
        _cleanup_(partition_layout_freep) PartitionLayout *layout = NULL;
        uint64_t end = PARTITION_TABLE_SIZE;

        assert(table && ret);

        layout = calloc(1, sizeof(PartitionLayout) + table->n_partitions * sizeof(PartitionPlace));
        if (!layout)
                return -ENOMEM;
        layout->n_places = table->n_partitions;

        for (size_t i = 0; i < table->n_partitions; i++) {
                const uint64_t size = table->partitions[i].size;

                if (size == 0 || size % SECTOR_SIZE != 0)
                        return -EINVAL;

                /* The end was below the limit, so that rounding it up does not overflow. */
                const uint64_t start = align_up(end, PARTITION_GRAIN_SIZE);
                if (start > DISK_SIZE_MAX || size > DISK_SIZE_MAX - start)
                        return -EFBIG;
                layout->places[i] = (PartitionPlace){ .offset = start, .size = size };
                end = start + size;
        }

        /* From the end of the last partition as it was aligned: sized from the sum of the contents, one disk in 64 would
         * be too small for its last partition (spec 6, defect 55). */
        if (end > DISK_SIZE_MAX - PARTITION_TABLE_SIZE)
                return -EFBIG;
        layout->disk_size = end + PARTITION_TABLE_SIZE;

        *ret = TAKE_PTR(layout);
        return 0;
}

int partition_table_next(const PartitionTable *table, uint64_t *ret_offset) {
        _cleanup_(partition_layout_freep) PartitionLayout *layout = NULL;

        const int r = partition_table_place(table, &layout);
        if (r < 0)
                return r;
        *ret_offset = align_up(layout->disk_size - PARTITION_TABLE_SIZE, PARTITION_GRAIN_SIZE);
        return 0;
}
