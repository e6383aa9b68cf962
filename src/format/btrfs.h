/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* How a btrfs is made, for the files btrfs*.c only. A plan gives every inode its number; then the contents of all files
 * are written, one behind the other, and what they became is noted; then the trees, each from its first item to its
 * last, and those that describe the others at the end; the super block comes last. */

#include "base/reason.h"
#include "base/tree-walk.h"
#include "format/btrfs-tree.h"
#include "format/filesystem.h"

/* What lies in the tree of files itself rather than in an extent of its own: the kernel's default for max_inline. A file
 * that is compressed may be one sector long before that. */
#define BTRFS_INLINE_SIZE_MAX UINT64_C(2048)

#define BTRFS_VOLUME_TOP 0 /* the index of the volume that is no subvolume */

typedef struct BtrfsVolume {
        const TreeNode *node; /* its root directory */
        uint64_t id;          /* BTRFS_FS_TREE_OBJECTID, subvolumes from 256 on */
        uint64_t n_inodes;
        Uuid uuid;
} BtrfsVolume;

/* A node of the tree: a name, and the inode that it is a name of. */
typedef struct BtrfsInode {
        uint32_t volume; /* index of the volume that the inode is in; for a subvolume its own */
        uint32_t n_names;
        uint64_t number;
        uint64_t index; /* of the name in its directory */

        /* Names of one inode, within one volume: names that lie in several volumes are inodes in each of them. */
        const TreeNode *first; /* the first in tree order; the inode is written with it */
        const TreeNode *next;  /* NULL: this is the last */
        const TreeNode *last;  /* set for the first */

        size_t first_extent, n_extents; /* of a regular file's content, set for the first */
} BtrfsInode;

typedef struct BtrfsPlan {
        const Tree *tree;
        TreeWalk walk;
        const FilesystemOptions *options;
        BtrfsVolume *volumes; /* in tree order, the top one first */
        size_t n_volumes;
        BtrfsInode *inodes; /* by TreeNode.index */
} BtrfsPlan;

int btrfs_plan_new(const Tree *tree, const FilesystemOptions *options, BtrfsPlan **ret, Reason *reason);
void btrfs_plan_free(BtrfsPlan *plan);
DEFINE_CLEANUP(BtrfsPlan, btrfs_plan_free)

static inline BtrfsInode *btrfs_inode(const BtrfsPlan *plan, const TreeNode *node) {
        return &plan->inodes[node->index];
}

/* The volume that the node's inode is in. */
static inline const BtrfsVolume *btrfs_volume(const BtrfsPlan *plan, const TreeNode *node) {
        return &plan->volumes[btrfs_inode(plan, node)->volume];
}

/* Whether a volume starts at the node: its name is in another tree than its inode. */
static inline bool btrfs_is_volume(const BtrfsPlan *plan, const TreeNode *node) {
        return btrfs_volume(plan, node)->node == node;
}

/* The time that the node has in the file system, for all of its times: when files were copied, looked at or given their
 * owners is nothing that two builds have in common. */
struct timespec btrfs_time(const BtrfsPlan *plan, const TreeNode *node);

/* A piece of a file's content. */
typedef struct BtrfsExtent {
        uint64_t offset;    /* in the file */
        uint64_t address;   /* on disk; of inline content the offset in BtrfsData.inline_content */
        uint32_t size;      /* in the file: whole sectors, but for inline content */
        uint32_t disk_size; /* the same if it is not compressed */
        uint8_t encoding;   /* BTRFS_ENCODING_… */
        bool is_inline;
} BtrfsExtent;

/* What became of the contents of all files. */
typedef struct BtrfsData {
        BtrfsExtent *extents; /* by file in tree order; those not inline have ascending addresses */
        size_t n_extents, extents_room;
        uint32_t *sums; /* of each sector that was taken, in the order of addresses */
        size_t n_sums, sums_room;
        uint8_t *inline_content;
        size_t inline_size, inline_room;
} BtrfsData;

void btrfs_data_done(BtrfsData *data);

/* Writes the contents of all regular files, and notes in the plan which extents they have. */
int btrfs_data_write(BtrfsPlan *plan, BtrfsOutput *output, BtrfsSpace *space, BtrfsData *data,
                     Reason *reason);

/* For those who write contents: appends what was written, and the sums of its sectors; continues the last extent where it
 * can. */
int btrfs_data_add(BtrfsData *data, BtrfsInode *inode, const BtrfsExtent *extent, const uint32_t *sums);
int btrfs_data_add_inline(BtrfsData *data, BtrfsInode *inode, const BtrfsExtent *extent, const void *content);

/* Writes the items of the inode that the node is the first name of. */
int btrfs_inode_write(BtrfsPlan *plan, const BtrfsData *data, const TreeNode *node, BtrfsTree *tree,
                      Reason *reason);

/* The root directory of a tree that has no files. */
int btrfs_inode_write_empty(BtrfsTree *tree);

void btrfs_inode_encode_time(struct timespec time, struct btrfs_timespec *ret);

/* Add what an inode has of names, in this order: its own; its attributes; what is in it, if it is a directory.
 * -EOVERFLOW when too many names have the same sum, or an attribute is too large; for that there is a reason. */
int btrfs_names_add(const BtrfsPlan *plan, const TreeNode *first, BtrfsTree *tree);
int btrfs_attributes_add(const TreeAttributes *attributes, uint64_t number, BtrfsTree *tree, Reason *reason);
int btrfs_directory_add(const BtrfsPlan *plan, const TreeNode *node, BtrfsTree *tree);

/* Instead of names: "..", as the root directory of a volume is called in itself. */
int btrfs_directory_add_self(BtrfsTree *tree, uint64_t number);

/* The sum that names are sorted by. */
uint32_t btrfs_name_hash(const void *name, size_t size);

/* Where a finished tree is. */
typedef struct BtrfsRoot {
        uint64_t id;
        uint64_t address;
        uint64_t n_blocks;
        uint8_t level;
} BtrfsRoot;

/* Everything that the trees describe that are not about files. */
typedef struct BtrfsImage {
        const BtrfsPlan *plan;
        const BtrfsData *data;
        Uuid device_uuid, chunk_tree_uuid;
        uint64_t total_size;

        const BtrfsSpace *space;  /* with all chunks, also of what is not written yet */
        const BtrfsBlock *blocks; /* all tree blocks, in the order of their addresses */
        size_t n_blocks;

        BtrfsRoot *roots; /* of all trees, by id */
        size_t n_roots;
} BtrfsImage;

/* The plan must be there; afterwards all roots are there that there will be, but for where they are. */
int btrfs_image_init(BtrfsImage *image, const BtrfsPlan *plan, const BtrfsData *data);
void btrfs_image_done(BtrfsImage *image);
BtrfsRoot *btrfs_image_root(const BtrfsImage *image, uint64_t id);
void btrfs_image_set_root(BtrfsImage *image, const BtrfsTree *tree);

/* What is known beforehand of trees that describe themselves. */
typedef struct BtrfsLayout {
        BtrfsSpace space;
        BtrfsBlock *blocks;
        size_t n_blocks;
} BtrfsLayout;

void btrfs_layout_done(BtrfsLayout *layout);

/* Finds out what all trees take that describe where things are, behind what is written, which is all but them. The image
 * refers to the layout from then on. */
int btrfs_layout_find(BtrfsImage *image, const BtrfsForest *written, BtrfsLayout *ret);

/* Writes those trees. */
int btrfs_layout_write(BtrfsImage *image, BtrfsForest *forest);

/* Add all items of a tree, in order. How many and how large they are depends on nothing but the space, the number of
 * blocks and the ids of roots. */
int btrfs_fill_root_tree(const BtrfsImage *image, BtrfsTree *tree);
int btrfs_fill_extent_tree(const BtrfsImage *image, BtrfsTree *tree);
int btrfs_fill_chunk_tree(const BtrfsImage *image, BtrfsTree *tree);
int btrfs_fill_device_tree(const BtrfsImage *image, BtrfsTree *tree);
int btrfs_fill_checksum_tree(const BtrfsImage *image, BtrfsTree *tree);
int btrfs_fill_uuid_tree(const BtrfsImage *image, BtrfsTree *tree);
int btrfs_fill_free_space_tree(const BtrfsImage *image, BtrfsTree *tree);

/* What the chunk tree says of the device and of a chunk, which the super block repeats. */
void btrfs_chunk_encode(const BtrfsImage *image, const BtrfsChunk *chunk, struct btrfs_chunk *ret);
void btrfs_device_encode(const BtrfsImage *image, struct btrfs_dev_item *ret);

/* Writes the super block and its copies. */
int btrfs_super_write(const BtrfsImage *image, BtrfsOutput *output);
