/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What btrfs has on disk and <linux/btrfs_tree.h> does not say in every version: heads of blocks, the super block, and
 * the sizes that we choose. Integers are little-endian. See "Btrfs On-disk format" in the documentation of btrfs. */

#include <endian.h>
#include <linux/btrfs.h>
#include <linux/btrfs_tree.h>

#include "base/macro.h"

#define BTRFS_SECTOR_SIZE UINT64_C(4096)
#define BTRFS_NODE_SIZE   UINT64_C(16384)
#define BTRFS_STRIPE_SIZE UINT64_C(65536) /* what a copy of the super block keeps for itself */

/* The first file system that a kernel could have written; everything in it is of this transaction. */
#define BTRFS_GENERATION 1

#define BTRFS_SUPER_MAGIC_NUMBER UINT64_C(0x4d5f53665248425f) /* "_BHRfS_M" */
#define BTRFS_SUPER_OFFSET       (64 * KIB)
#define BTRFS_SUPER_SIZE         4096
#define BTRFS_SYSTEM_ARRAY_SIZE  2048

/* Where copies of the super block lie, if the device is that large. A third one would be at 1 PiB. */
#define BTRFS_MIRROR_1 (64 * MIB)
#define BTRFS_MIRROR_2 (256 * GIB)

#define BTRFS_HEADER_BACKREF_MIXED (UINT64_C(1) << 56)
#define BTRFS_INODE_IS_OF_ROOT     (UINT64_C(1) << 31) /* the root item around it has valid flags */

/* How the data of an extent is stored. */
enum {
        BTRFS_ENCODING_NONE,
        BTRFS_ENCODING_ZLIB,
        BTRFS_ENCODING_LZO,
        BTRFS_ENCODING_ZSTD,
};

/* At the head of every tree block. */
typedef struct BtrfsHeader {
        uint8_t checksum[BTRFS_CSUM_SIZE]; /* of all that follows */
        uint8_t fsid[BTRFS_FSID_SIZE];
        uint64_t address;
        uint64_t flags;
        uint8_t chunk_tree_uuid[BTRFS_UUID_SIZE];
        uint64_t generation;
        uint64_t owner;
        uint32_t n_items;
        uint8_t level;
} __attribute__((packed)) BtrfsHeader;

/* In a leaf; the data lies at an offset behind the header. */
typedef struct BtrfsItem {
        struct btrfs_disk_key key;
        uint32_t offset;
        uint32_t size;
} __attribute__((packed)) BtrfsItem;

/* In a block that is no leaf. */
typedef struct BtrfsPointer {
        struct btrfs_disk_key key;
        uint64_t address;
        uint64_t generation;
} __attribute__((packed)) BtrfsPointer;

#define BTRFS_LEAF_ROOM     (BTRFS_NODE_SIZE - sizeof(BtrfsHeader))
#define BTRFS_ITEM_SIZE_MAX (BTRFS_LEAF_ROOM - sizeof(BtrfsItem))

typedef struct BtrfsRootBackup {
        uint64_t root_tree, root_tree_generation;
        uint64_t chunk_tree, chunk_tree_generation;
        uint64_t extent_tree, extent_tree_generation;
        uint64_t fs_tree, fs_tree_generation;
        uint64_t device_tree, device_tree_generation;
        uint64_t checksum_tree, checksum_tree_generation;
        uint64_t total_size, used_size, n_devices;
        uint64_t reserved_1[4];
        uint8_t root_tree_level, chunk_tree_level, extent_tree_level, fs_tree_level, device_tree_level,
                checksum_tree_level;
        uint8_t reserved_2[10];
} __attribute__((packed)) BtrfsRootBackup;

typedef struct BtrfsSuper {
        uint8_t checksum[BTRFS_CSUM_SIZE];
        uint8_t fsid[BTRFS_FSID_SIZE];
        uint64_t address;
        uint64_t flags;
        uint64_t magic;
        uint64_t generation;
        uint64_t root_tree;
        uint64_t chunk_tree;
        uint64_t log_tree, log_tree_transaction;
        uint64_t total_size, used_size;
        uint64_t root_directory;
        uint64_t n_devices;
        uint32_t sector_size, node_size, leaf_size, stripe_size;
        uint32_t system_array_size;
        uint64_t chunk_tree_generation;
        uint64_t compat_flags, compat_read_only_flags, incompat_flags;
        uint16_t checksum_type;
        uint8_t root_tree_level, chunk_tree_level, log_tree_level;
        struct btrfs_dev_item device;
        char label[BTRFS_LABEL_SIZE];
        uint64_t cache_generation, uuid_tree_generation;
        uint8_t metadata_uuid[BTRFS_FSID_SIZE];
        uint64_t reserved[28];
        uint8_t system_array[BTRFS_SYSTEM_ARRAY_SIZE];
        BtrfsRootBackup backups[4];
        uint8_t padding[565];
} __attribute__((packed)) BtrfsSuper;

static_assert(sizeof(BtrfsHeader) == 101, "The header of a block is not as on disk");
static_assert(sizeof(BtrfsItem) == 25 && sizeof(BtrfsPointer) == 33, "Items are not as on disk");
static_assert(sizeof(BtrfsRootBackup) == 168, "A backup of roots is not as on disk");
static_assert(offsetof(BtrfsSuper, system_array) == 0x32b && sizeof(BtrfsSuper) == BTRFS_SUPER_SIZE,
              "The super block is not as on disk");

static inline void btrfs_key_encode(struct btrfs_key key, struct btrfs_disk_key *ret) {
        *ret = (struct btrfs_disk_key){
                .objectid = htole64(key.objectid),
                .type = key.type,
                .offset = htole64(key.offset),
        };
}

/* Negative when a sorts before b, 0 when they are the same. */
static inline int btrfs_key_compare(struct btrfs_key a, struct btrfs_key b) {
        if (a.objectid != b.objectid)
                return a.objectid < b.objectid ? -1 : 1;
        if (a.type != b.type)
                return a.type < b.type ? -1 : 1;
        return a.offset < b.offset ? -1 : a.offset > b.offset;
}
