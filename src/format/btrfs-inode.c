/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/text.h"
#include "format/btrfs.h"

/* A kernel's link target is at most this long, and so it always fits. */
#define TARGET_SIZE_MAX (BTRFS_SECTOR_SIZE - 1)

void btrfs_inode_encode_time(struct timespec time, struct btrfs_timespec *ret) {
        *ret = (struct btrfs_timespec){ .sec = htole64((uint64_t)time.tv_sec),
                                        .nsec = htole32((uint32_t)time.tv_nsec) };
}

/* The sizes of a directory: every name counts twice, as it is stored twice. */
static uint64_t directory_size(const TreeNode *node) {
        uint64_t size = 0;

        for (size_t i = 0; i < node->n_children; i++)
                size += 2 * strlen(node->children[i]->name);
        return size;
}

static void measure(const BtrfsData *data, const BtrfsInode *inode, const TreeNode *node, uint64_t *ret_size,
                    uint64_t *ret_stored) {
        *ret_size = *ret_stored = 0;
        switch (node->status.st_mode & S_IFMT) {
        case S_IFDIR:
                *ret_size = directory_size(node);
                return;
        case S_IFLNK:
                *ret_size = *ret_stored = strlen(node->target);
                return;
        case S_IFREG:
                *ret_size = (uint64_t)node->status.st_size;
                for (size_t i = 0; i < inode->n_extents; i++)
                        *ret_stored += data->extents[inode->first_extent + i].size;
                return;
        default:
                return;
        }
}

static int add_inode(const BtrfsPlan *plan, const BtrfsData *data, const TreeNode *node, BtrfsTree *tree) {
        const BtrfsInode *inode = btrfs_inode(plan, node);
        const dev_t device = node->status.st_rdev;
        struct btrfs_inode_item item = {
                .generation = htole64(BTRFS_GENERATION),
                .transid = htole64(BTRFS_GENERATION),
                .nlink = htole32(inode->n_names),
                .uid = htole32(node->status.st_uid),
                .gid = htole32(node->status.st_gid),
                .mode = htole32(node->status.st_mode),
        };
        uint64_t size, stored;
        void *to;

        measure(data, inode, node, &size, &stored);
        item.size = htole64(size);
        item.nbytes = htole64(stored);
        if (S_ISCHR(node->status.st_mode) || S_ISBLK(node->status.st_mode))
                item.rdev = htole64((uint64_t)major(device) << 20 | minor(device));
        btrfs_inode_encode_time(btrfs_time(plan, node), &item.mtime);
        item.atime = item.ctime = item.otime = item.mtime;

        const int r = btrfs_tree_add(tree, (struct btrfs_key){ inode->number, BTRFS_INODE_ITEM_KEY, 0 },
                                     sizeof(item), &to);
        if (r < 0)
                return r;
        memcpy(to, &item, sizeof(item));
        return 0;
}

static int add_inline(BtrfsTree *tree, uint64_t number, const BtrfsExtent *extent, const void *content) {
        const struct btrfs_file_extent_item item = {
                .generation = htole64(BTRFS_GENERATION),
                .ram_bytes = htole64(extent->size),
                .compression = extent->encoding,
                .type = BTRFS_FILE_EXTENT_INLINE,
        };
        const size_t head = offsetof(struct btrfs_file_extent_item, disk_bytenr);
        void *to;

        const int r = btrfs_tree_add(tree, (struct btrfs_key){ number, BTRFS_EXTENT_DATA_KEY, 0 },
                                     head + extent->disk_size, &to);
        if (r < 0)
                return r;
        memcpy(to, &item, head);
        memcpy((uint8_t *)to + head, content, extent->disk_size);
        return 0;
}

static int add_extent(BtrfsTree *tree, uint64_t number, const BtrfsExtent *extent) {
        const struct btrfs_file_extent_item item = {
                .generation = htole64(BTRFS_GENERATION),
                .ram_bytes = htole64(extent->size),
                .compression = extent->encoding,
                .type = BTRFS_FILE_EXTENT_REG,
                .disk_bytenr = htole64(extent->address),
                .disk_num_bytes = htole64(extent->disk_size),
                .num_bytes = htole64(extent->size),
        };
        void *to;

        const int r =
                btrfs_tree_add(tree, (struct btrfs_key){ number, BTRFS_EXTENT_DATA_KEY, extent->offset },
                               sizeof(item), &to);
        if (r < 0)
                return r;
        memcpy(to, &item, sizeof(item));
        return 0;
}

static int add_content(const BtrfsInode *inode, const BtrfsData *data, BtrfsTree *tree) {
        for (size_t i = 0; i < inode->n_extents; i++) {
                const BtrfsExtent *extent = &data->extents[inode->first_extent + i];

                const int r = extent->is_inline ? add_inline(tree, inode->number, extent,
                                                             data->inline_content + extent->address)
                                                : add_extent(tree, inode->number, extent);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int add_target(const TreeNode *node, uint64_t number, BtrfsTree *tree) {
        const size_t length = strlen(node->target);
        const BtrfsExtent extent = { .size = (uint32_t)length, .disk_size = (uint32_t)length };

        return length > TARGET_SIZE_MAX ? -ENAMETOOLONG : add_inline(tree, number, &extent, node->target);
}

static int add_items(BtrfsPlan *plan, const BtrfsData *data, const TreeNode *node, BtrfsTree *tree,
                     Reason *reason) {
        const BtrfsInode *inode = btrfs_inode(plan, node);
        _cleanup_(tree_attributes_done) TreeAttributes attributes = {};

        int r = add_inode(plan, data, node, tree);
        if (r < 0)
                return r;
        r = btrfs_is_volume(plan, node) ? btrfs_directory_add_self(tree, inode->number)
                                        : btrfs_names_add(plan, node, tree);
        if (r < 0)
                return r;
        r = tree_walk_read_attributes(&plan->walk, node, &attributes);
        if (r < 0)
                return r;
        r = btrfs_attributes_add(&attributes, inode->number, tree, reason);
        if (r < 0)
                return r;

        switch (node->status.st_mode & S_IFMT) {
        case S_IFDIR:
                return btrfs_directory_add(plan, node, tree);
        case S_IFLNK:
                return add_target(node, inode->number, tree);
        case S_IFREG:
                return add_content(inode, data, tree);
        default:
                return 0;
        }
}

int btrfs_inode_write(BtrfsPlan *plan, const BtrfsData *data, const TreeNode *node, BtrfsTree *tree,
                      Reason *reason) {
        _cleanup_(reason_done) Reason why = {};
        _cleanup_(freep) char *path = NULL;

        const int r = add_items(plan, data, node, tree, &why);
        if (r >= 0 || r == -EINTR || tree_node_path(node, &path) < 0)
                return r;
        return reason_set(reason, r, "Cannot put '%s' into a btrfs file system: %s", path,
                          reason_text(&why, r));
}

int btrfs_inode_write_empty(BtrfsTree *tree) {
        const struct btrfs_inode_item item = {
                .generation = htole64(BTRFS_GENERATION),
                .nlink = htole32(1),
                .mode = htole32(S_IFDIR | 0755),
        };
        void *to;

        const int r =
                btrfs_tree_add(tree, (struct btrfs_key){ BTRFS_FIRST_FREE_OBJECTID, BTRFS_INODE_ITEM_KEY, 0 },
                               sizeof(item), &to);
        if (r < 0)
                return r;
        memcpy(to, &item, sizeof(item));
        return btrfs_directory_add_self(tree, BTRFS_FIRST_FREE_OBJECTID);
}
