/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <string.h>
#include <sys/sysmacros.h>

#include <ext2fs/ext2fs.h>

#include "base/fd.h"
#include "base/interrupt.h"
#include "format/ext4.h"

typedef struct Writer {
        const Ext4Plan *plan;
        ext2_filsys volume;
        const FilesystemPlace *place;
        TreeWalk *walk;
} Writer;

static bool is_directory(const Ext4Inode *inode) {
        return !inode->node || S_ISDIR(inode->node->status.st_mode);
}

static bool is_fast_link(const Ext4Inode *inode) {
        return inode->node && S_ISLNK(inode->node->status.st_mode) && inode->placed.n_items == 0;
}

static void mark_used(ext2_filsys volume, const Ext4Inode *inode) {
        for (size_t i = 0; i < inode->placed.n_items; i++)
                ext2fs_block_alloc_stats_range(volume, inode->placed.items[i].physical,
                                               inode->placed.items[i].n_blocks, +1);
        for (size_t i = 0; i < inode->n_index_blocks; i++)
                ext2fs_block_alloc_stats2(volume, inode->index_blocks[i], +1);
        if (inode->number >= EXT2_FIRST_INODE(volume->super))
                ext2fs_inode_alloc_stats2(volume, inode->number, +1, is_directory(inode));
}

/* 34 bits of seconds from 1901 on, the upper two beside the nanoseconds. */
static void encode_time(struct timespec time, uint32_t *ret_seconds, uint32_t *ret_extra) {
        const int64_t seconds_min = INT32_MIN, seconds_max = INT32_MAX + (INT64_C(3) << 32);
        const int64_t seconds = MIN(MAX((int64_t)time.tv_sec, seconds_min), seconds_max);

        *ret_seconds = (uint32_t)seconds;
        *ret_extra = (uint32_t)((seconds - (int32_t)*ret_seconds) >> 32) & 3;
        *ret_extra |= (uint32_t)time.tv_nsec << 2;
}

/* All four times are the time of the last modification, or the upper bound if that is earlier: when files were copied,
 * looked at or given their owners is nothing that two builds have in common. */
static void set_times(struct ext2_inode_large *disk, const Ext4Inode *inode, int64_t time_max) {
        struct timespec time = { .tv_sec = time_max };

        if (inode->node && inode->node->status.st_mtim.tv_sec < time_max)
                time = inode->node->status.st_mtim;

        encode_time(time, &disk->i_mtime, &disk->i_mtime_extra);
        disk->i_atime = disk->i_ctime = disk->i_crtime = disk->i_mtime;
        disk->i_atime_extra = disk->i_ctime_extra = disk->i_crtime_extra = disk->i_mtime_extra;
}

/* The kernel's two forms of device numbers: the old one of 16 bits where that is enough. */
static void set_device(struct ext2_inode_large *disk, dev_t device) {
        const uint32_t major_number = major(device), minor_number = minor(device);

        if (major_number < 256 && minor_number < 256)
                disk->i_block[0] = major_number << 8 | minor_number;
        else
                disk->i_block[1] =
                        (minor_number & 0xff) | major_number << 8 | (minor_number & ~UINT32_C(0xff)) << 12;
}

static uint64_t inode_size(const Ext4Inode *inode) {
        uint64_t n_blocks = 0;

        if (!is_directory(inode))
                return S_ISREG(inode->node->status.st_mode) || S_ISLNK(inode->node->status.st_mode)
                               ? (uint64_t)inode->node->status.st_size
                               : 0;
        for (size_t i = 0; i < inode->placed.n_items; i++)
                n_blocks += inode->placed.items[i].n_blocks;
        return n_blocks * EXT4_BLOCK_SIZE;
}

static void set_owner(struct ext2_inode_large *disk, const struct stat *status) {
        disk->i_uid = (uint16_t)status->st_uid;
        disk->i_uid_high = (uint16_t)(status->st_uid >> 16);
        disk->i_gid = (uint16_t)status->st_gid;
        disk->i_gid_high = (uint16_t)(status->st_gid >> 16);
}

static int set_blocks(const Writer *writer, const Ext4Inode *inode, struct ext2_inode_large *disk) {
        uint64_t n_blocks = inode->n_index_blocks;

        for (size_t i = 0; i < inode->placed.n_items; i++)
                n_blocks += inode->placed.items[i].n_blocks;
        disk->i_flags |= EXT4_EXTENTS_FL;
        if (ext2fs_iblk_set(writer->volume, EXT2_INODE(disk), n_blocks) != 0)
                return -EFBIG;
        return ext4_write_extents(writer->volume, inode, (uint8_t *)disk->i_block);
}

static int write_inode(const Writer *writer, const Ext4Inode *inode) {
        struct ext2_inode_large disk = {
                .i_mode = S_IFDIR | 0700,
                .i_links_count = inode->n_links,
                .i_extra_isize = sizeof(struct ext2_inode_large) - EXT2_GOOD_OLD_INODE_SIZE,
        };
        const uint64_t size = inode_size(inode);
        int r = 0;

        disk.i_size = (uint32_t)size;
        disk.i_size_high = (uint32_t)(size >> 32);
        set_times(&disk, inode, writer->plan->options->time);
        if (inode->node) {
                disk.i_mode = (uint16_t)inode->node->status.st_mode;
                set_owner(&disk, &inode->node->status);
        }

        if (is_fast_link(inode))
                memcpy(disk.i_block, inode->node->target, strlen(inode->node->target));
        else if (is_directory(inode) || S_ISREG(disk.i_mode) || S_ISLNK(disk.i_mode))
                r = set_blocks(writer, inode, &disk);
        else if (S_ISCHR(disk.i_mode) || S_ISBLK(disk.i_mode))
                set_device(&disk, inode->node->status.st_rdev);
        if (r < 0)
                return r;

        /* More than one block of a directory that is in the tree is always indexed. */
        if (inode->node && is_directory(inode) && size > EXT4_BLOCK_SIZE)
                disk.i_flags |= EXT2_INDEX_FL;

        return ext4_error(ext2fs_write_inode_full(writer->volume, inode->number, EXT2_INODE(&disk),
                                                  sizeof(disk)),
                          NULL);
}

/* After write_inode(), since the attributes go into what that wrote. */
static int write_attributes(const Writer *writer, const Ext4Inode *inode, Reason *reason) {
        struct ext2_xattr_handle *handle = NULL;

        if (inode->attributes.n_items == 0)
                return 0;

        errcode_t error = ext2fs_xattrs_open(writer->volume, inode->number, &handle);
        for (size_t i = 0; !error && i < inode->attributes.n_items; i++) {
                const TreeAttribute *item = &inode->attributes.items[i];

                error = ext2fs_xattr_set(handle, item->name, item->value, item->size);
        }
        if (handle)
                (void)ext2fs_xattrs_close(&handle);
        return ext4_error(error, reason);
}

static int write_directory(const Writer *writer, const Ext4Inode *inode) {
        _cleanup_(freep) uint8_t *blocks = NULL;
        const uint8_t *block;
        size_t n_blocks;

        int r = ext4_directory_build(writer->plan, inode, &blocks, &n_blocks);
        if (r < 0)
                return r;

        block = blocks;
        for (size_t i = 0; i < inode->placed.n_items; i++) {
                const Ext4Extent *extent = &inode->placed.items[i];

                for (uint32_t k = 0; k < extent->n_blocks; k++, block += EXT4_BLOCK_SIZE) {
                        const errcode_t error = ext2fs_write_dir_block4(writer->volume, extent->physical + k,
                                                                        (void *)block, 0, inode->number);
                        if (error)
                                return ext4_error(error, NULL);
                }
        }
        return 0;
}

static int write_file(const Writer *writer, const Ext4Inode *inode) {
        const uint64_t size = (uint64_t)inode->node->status.st_size;
        _cleanup_(fd_closep) int fd = -EBADF;

        if (inode->placed.n_items == 0)
                return 0;
        fd = tree_walk_open(writer->walk, inode->node);
        if (fd < 0)
                return fd;

        for (size_t i = 0; i < inode->placed.n_items; i++) {
                const Ext4Extent *extent = &inode->placed.items[i];
                const uint64_t from = (uint64_t)extent->logical * EXT4_BLOCK_SIZE;
                const uint64_t to = writer->place->offset + extent->physical * EXT4_BLOCK_SIZE;

                const uint64_t part = MIN((uint64_t)extent->n_blocks * EXT4_BLOCK_SIZE, size - from);
                int r = fd_copy_range(fd, from, writer->place->fd, to, part);
                if (r < 0)
                        return r;
                progress_advance(writer->plan->options->progress, part);
        }
        return 0;
}

static int write_link(const Writer *writer, const Ext4Inode *inode) {
        const char *target = inode->node->target;

        if (inode->placed.n_items == 0)
                return 0;
        return fd_pwrite_all(writer->place->fd, target, strlen(target),
                             writer->place->offset + inode->placed.items[0].physical * EXT4_BLOCK_SIZE);
}

static int write_node(const Writer *writer, const Ext4Inode *inode, Reason *reason) {
        int r = interrupt_check();
        if (r < 0)
                return r;

        if (is_directory(inode))
                r = write_directory(writer, inode);
        else if (S_ISREG(inode->node->status.st_mode))
                r = write_file(writer, inode);
        else if (S_ISLNK(inode->node->status.st_mode))
                r = write_link(writer, inode);
        if (r < 0)
                return r;

        r = write_inode(writer, inode);
        if (r < 0)
                return r;
        return write_attributes(writer, inode, reason);
}

int ext4_write_inodes(const Ext4Plan *plan, struct struct_ext2_filsys *volume, const FilesystemPlace *place,
                      Reason *reason) {
        _cleanup_(tree_walk_done) TreeWalk walk = tree_walk(plan->tree);
        const Writer writer = { .plan = plan, .volume = volume, .place = place, .walk = &walk };

        /* All of them before the first is written: blocks for attributes are found by libext2fs on the way. */
        for (size_t i = 0; i < plan->n_inodes; i++)
                mark_used(volume, &plan->inodes[i]);

        for (size_t i = 0; i < plan->n_inodes; i++) {
                const Ext4Inode *inode = &plan->inodes[i];
                _cleanup_(freep) char *path = NULL;

                int r = write_node(&writer, inode, reason);
                if (r >= 0)
                        continue;
                if (r == -EINTR || !inode->node || tree_node_path(inode->node, &path) < 0)
                        return r;
                return reason_set(reason, r, "Cannot write '%s' to the ext4 file system: %m", path);
        }
        return 0;
}
