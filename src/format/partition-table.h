/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Where partitions go: pure arithmetic, no I/O. */

#include "base/macro.h"
#include "base/uuid.h"
#include "format/partition-type.h"

#define SECTOR_SIZE UINT64_C(512)

/* Partitions start at multiples of this. */
#define PARTITION_GRAIN_SIZE MIB

/* What is kept free before the first partition for the table, and after the last for its backup. */
#define PARTITION_TABLE_SIZE MIB

/* Discoverable Partitions Specification, "Partition Attribute Flags". */
#define PARTITION_ATTRIBUTE_READ_ONLY (UINT64_C(1) << 60)
#define PARTITION_ATTRIBUTE_GROW      (UINT64_C(1) << 59)

typedef struct Partition {
        PartitionType type;
        const char *name; /* GPT name in UTF-8, at most 36 UTF-16 units */
        uint64_t size;    /* asked for, in bytes: a multiple of SECTOR_SIZE */
        Uuid uuid;
        uint64_t attributes; /* PARTITION_ATTRIBUTE_* */
} Partition;

typedef struct PartitionTable {
        Uuid disk_uuid;
        unsigned architecture; /* index for partition_type_uuid() */
        const Partition *partitions;
        size_t n_partitions;
} PartitionTable;

typedef struct PartitionPlace {
        uint64_t offset, size; /* bytes */
} PartitionPlace;

typedef struct PartitionLayout {
        uint64_t disk_size;
        size_t n_places;
        PartitionPlace places[]; /* places[i] answers partitions[i] */
} PartitionLayout;

/* Places all partitions in order, each start aligned to the grain, and sizes the disk: one MiB before the first for the
 * table, one after the end of the last for its backup. -EFBIG when that is more than a file can hold, -EINVAL for sizes
 * that are zero or no multiples of the sector size. */
int partition_table_place(const PartitionTable *table, PartitionLayout **ret);

/* Where a partition that is added behind those of the table will start: what partition_table_place() says once it is
 * there. For file systems that tell their size only when they are written. */
int partition_table_next(const PartitionTable *table, uint64_t *ret_offset);

static inline void partition_layout_free(PartitionLayout *layout) {
        free(layout);
}
DEFINE_CLEANUP(PartitionLayout, partition_layout_free)
