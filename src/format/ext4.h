/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* How an ext4 file system is made, for the files ext4*.c only. A plan says what each inode needs, out of the tree alone;
 * a volume is an ext4 without files, of a certain size; placing gives every inode its blocks in the volume; only then is
 * anything written. Terms and structures: Documentation/filesystems/ext4 in the Linux kernel's source. */

#include "base/macro.h"
#include "base/reason.h"
#include "base/tree-walk.h"
#include "format/filesystem.h"

struct struct_ext2_filsys; /* ext2_filsys points to it */
struct struct_io_manager;

#define EXT4_BLOCK_SIZE      4096
#define EXT4_INODE_SIZE      256
#define EXT4_INODE_NUMBER    12 /* of the first node below the root; 2 and 11 are the root and lost+found */
#define EXT4_EXTENT_SIZE_MAX 32768 /* blocks */
#define EXT4_LINKS_MAX       65000

/* A run of blocks of one inode. */
typedef struct Ext4Extent {
        uint32_t logical; /* its place in the file */
        uint32_t n_blocks;
        uint64_t physical; /* its place in the volume; 0 in a plan */
} Ext4Extent;

typedef struct Ext4Extents {
        Ext4Extent *items;
        size_t n_items;
} Ext4Extents;

typedef struct Ext4Inode {
        const TreeNode *node; /* NULL: the lost+found that the tree does not have */
        uint32_t number;
        uint16_t n_links;

        Ext4Extents wanted;        /* what holds data: holes of files are not in it */
        TreeAttributes attributes; /* only those that ext4 can store */
        bool attribute_block;      /* they do not fit into the inode */

        Ext4Extents placed;
        uint64_t *
                index_blocks; /* inner nodes and leaves of the extent tree, where it has more than four extents */
        size_t n_index_blocks;
} Ext4Inode;

typedef struct Ext4Plan {
        const Tree *tree;
        TreeWalk walk;
        const FilesystemOptions *options;
        Ext4Inode *inodes; /* the root first, then by number */
        size_t n_inodes;
        uint32_t *numbers; /* of each node of the tree, by TreeNode.index */
        uint64_t n_blocks; /* of data, directories, links and attributes; extent trees come on top */
        uint64_t n_attribute_blocks;
} Ext4Plan;

int ext4_plan_new(const Tree *tree, const FilesystemOptions *options, Ext4Plan **ret, Reason *reason);
void ext4_plan_free(Ext4Plan *plan);
DEFINE_CLEANUP(Ext4Plan, ext4_plan_free)

int ext4_extents_add(Ext4Extents *extents, uint32_t logical, uint32_t n_blocks, uint64_t physical);

/* The blocks of the inode's directory, without checksums, in new memory. */
int ext4_directory_build(const Ext4Plan *plan, const Ext4Inode *inode, uint8_t **ret, size_t *ret_n_blocks);

/* How big things are made. */
typedef struct Ext4Geometry {
        uint64_t n_blocks;
        uint32_t n_inodes;
        uint32_t n_journal_blocks; /* 0: no journal */
} Ext4Geometry;

/* Makes an empty file system: tables, reserved inodes, journal. */
int ext4_volume_new(const Ext4Geometry *geometry, const FilesystemOptions *options,
                    const FilesystemPlace *place, struct struct_ext2_filsys **ret, Reason *reason);
/* Writes what is still in memory. */
int ext4_volume_finish(struct struct_ext2_filsys *volume, Reason *reason);
void ext4_volume_free(struct struct_ext2_filsys *volume);
DEFINE_CLEANUP(struct struct_ext2_filsys, ext4_volume_free)

/* Finds blocks for all inodes, in the order of the plan, so that a file is in one piece and near its neighbours. -ENOSPC
 * when they do not fit, or fewer than reserve_blocks are left; then ret_missing, which may be NULL, is set to at most the
 * number of blocks that are missing, and at least 1. Nothing is written or marked. */
int ext4_place(Ext4Plan *plan, struct struct_ext2_filsys *volume, uint64_t reserve_blocks,
               uint64_t *ret_missing);

/* Marks and writes everything that was placed. */
int ext4_write_inodes(const Ext4Plan *plan, struct struct_ext2_filsys *volume, const FilesystemPlace *place,
                      Reason *reason);

/* Writes the extent tree: its root into the 60 bytes of i_block, all else into the index blocks. */
int ext4_write_extents(struct struct_ext2_filsys *volume, const Ext4Inode *inode, uint8_t root[static 60]);

/* How many blocks an extent tree takes besides its root. */
size_t ext4_extents_index_blocks(size_t n_extents);

/* libext2fs speaks to the place through this, without its own cache's and descriptor's ways: no fsync, and zeros are
 * nothing to write. The volume is attached to the place right after ext2fs_initialize(). */
extern struct struct_io_manager *const ext4_channel_manager;
void ext4_channel_attach(struct struct_ext2_filsys *volume, const FilesystemPlace *place);

/* Turns an error of libext2fs into a negative errno, with its text as the reason. */
int ext4_error(long error, Reason *reason);
