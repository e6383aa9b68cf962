/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The partitions that a disk image can have: a table, in the order in which they lie on the disk (spec 2.3). */

#include "base/macro.h"
#include "config/config.h"
#include "format/filesystem.h"
#include "format/image-format.h"
#include "format/partition-table.h"

/* Where the files of a partition come from. */
typedef enum PartitionSource {
        PARTITION_SOURCE_NONE,
        PARTITION_SOURCE_BOOT,      /* the tree that goes on the EFI system partition */
        PARTITION_SOURCE_ROOT,      /* the root tree, without what other partitions take out of it */
        PARTITION_SOURCE_PART,      /* a directory of the root tree */
        PARTITION_SOURCE_HASH,      /* there are none: the hash tree of the root partition */
        PARTITION_SOURCE_SIGNATURE, /* nor here: the signature of its root hash */
} PartitionSource;

typedef struct PartitionRow {
        PartitionType type;
        const char *name;         /* GPT name */
        const char *label;        /* of the file system */
        const char *last_mounted; /* ext4's hint; NULL: none */
        size_t size; /* offset of the Config member, of which 0 means by content; PARTITION_BY_CONTENT: there is none */
        bool (*wanted)(const Config *config); /* NULL: always */
        const Filesystem *filesystem;         /* NULL: the root file system of the format, or none */
        PartitionSource source;
        unsigned encrypted; /* bits 1 << Encrypt: when it is */
        const char *
                directory; /* where it is mounted, and what it takes out of the root tree: "home"; NULL: nowhere */
} PartitionRow;

#define PARTITION_ROWS_MAX   8
#define PARTITION_BY_CONTENT SIZE_MAX

extern const PartitionRow partition_rows[];
extern const size_t n_partition_rows;

/* The row of a type, NULL when there is none. */
const PartitionRow *partition_row_find(PartitionType type);
bool partition_row_wanted(const PartitionRow *row, const Config *config);
uint64_t partition_row_size(const PartitionRow *row, const Config *config);
/* Whether it becomes a LUKS volume; the size has its header in it then. */
bool partition_row_encrypted(const PartitionRow *row, const Config *config);
/* Whether any of those that the configuration wants does. */
bool partition_rows_encrypted(const Config *config);
/* NULL where it is no file system. */
const Filesystem *partition_row_filesystem(const PartitionRow *row, const ImageFormat *format);

/* PARTITION_ATTRIBUTE_*: a root partition that is read-only says so, but for btrfs, where the subvolumes do; what is
 * written to is grown when the partition is. */
uint64_t partition_row_attributes(const PartitionRow *row, const Config *config, const ImageFormat *format);

/* What is left free in a file system whose size is chosen by its content: nothing in one that nobody writes to. */
void partition_row_reserve(const PartitionRow *row, const Config *config, const ImageFormat *format,
                           FilesystemOptions *options);

/* "partitions: esp: 256M, root: as large as its content (encrypted)" */
int partition_rows_describe(const Config *config, char **ret);
