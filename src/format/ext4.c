/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/parse.h"
#include "format/ext4.h"

/* One inode for so many bytes, as mke2fs has it; if the tree has more, then those and an eighth on top. */
#define INODE_RATIO       (16 * KIB)
#define INODES_SPARE_PART 8
#define INODES_SPARE_MIN  64

/* Below 8 MiB an ext4 has no journal (mke2fs draws the same line), so that is the smallest we ask for. */
#define BLOCKS_WITH_JOURNAL_MIN 2048
#define JOURNAL_BLOCKS_MIN      1024

/* Sizes of journals as mke2fs chooses them, by the size of the file system, both in blocks. */
static uint32_t journal_size(uint64_t n_blocks) {
        static const struct {
                uint64_t n_blocks_max;
                uint32_t n_journal_blocks;
        } sizes[] = {
                { BLOCKS_WITH_JOURNAL_MIN, 0 }, /* 8 MiB */
                { 128 * MIB / EXT4_BLOCK_SIZE, 1024 },   { 1 * GIB / EXT4_BLOCK_SIZE, 4096 },
                { 2 * GIB / EXT4_BLOCK_SIZE, 8192 },     { 16 * GIB / EXT4_BLOCK_SIZE, 16384 },
                { 32 * GIB / EXT4_BLOCK_SIZE, 32768 },   { 64 * GIB / EXT4_BLOCK_SIZE, 65536 },
                { 128 * GIB / EXT4_BLOCK_SIZE, 131072 },
        };

        for (size_t i = 0; i < ELEMENTSOF(sizes); i++) {
                if (n_blocks < sizes[i].n_blocks_max)
                        return sizes[i].n_journal_blocks;
        }
        return 262144;
}

static Ext4Geometry geometry_of(const Ext4Plan *plan, uint64_t n_blocks) {
        const uint64_t n_used = plan->n_inodes + EXT4_INODE_NUMBER;
        const uint64_t n_wanted = n_used + n_used / INODES_SPARE_PART + INODES_SPARE_MIN;

        return (Ext4Geometry){
                .n_blocks = n_blocks,
                .n_inodes =
                        (uint32_t)MIN(MAX(n_wanted, n_blocks / (INODE_RATIO / EXT4_BLOCK_SIZE)), UINT32_MAX),
                .n_journal_blocks = journal_size(n_blocks),
        };
}

/* Sees whether the plan fits into a file system of the geometry, without writing to any place but memory. */
static int try_geometry(Ext4Plan *plan, const Ext4Geometry *geometry, uint64_t reserve_blocks,
                        uint64_t *ret_missing, Reason *reason) {
        _cleanup_(ext4_volume_freep) struct struct_ext2_filsys *volume = NULL;
        _cleanup_(fd_closep) int fd = memfd_create("ext4", MFD_CLOEXEC);
        const FilesystemPlace place = { .fd = fd, .size = geometry->n_blocks * EXT4_BLOCK_SIZE };

        *ret_missing = 1;
        if (geometry->n_blocks == 0)
                return -ENOSPC;
        if (fd < 0)
                return -errno;
        if (ftruncate(fd, (off_t)place.size) < 0)
                return -errno;

        int r = ext4_volume_new(geometry, plan->options, &place, &volume, reason);
        if (r < 0)
                return r;
        return ext4_place(plan, volume, reserve_blocks, ret_missing);
}

/* Grows the file system from what its content takes by what turns out to be missing, until it fits. */
static int find_size(Ext4Plan *plan, uint64_t reserve_blocks, uint64_t *ret_blocks, Reason *reason) {
        uint64_t n_blocks = MAX(plan->n_blocks + plan->n_attribute_blocks + reserve_blocks,
                                (uint64_t)BLOCKS_WITH_JOURNAL_MIN);

        for (;;) {
                const Ext4Geometry geometry = geometry_of(plan, n_blocks);
                uint64_t n_missing;

                int r = try_geometry(plan, &geometry, reserve_blocks, &n_missing, reason);
                if (r == 0)
                        break;
                if (r != -ENOSPC)
                        return r;
                n_blocks += n_missing;
        }
        *ret_blocks = n_blocks;
        return 0;
}

/* In a place that is tight, a smaller journal than mke2fs would make is better than none at all. */
static int find_geometry(Ext4Plan *plan, uint64_t size, Ext4Geometry *ret, uint64_t *ret_needed,
                         Reason *reason) {
        Ext4Geometry geometry = geometry_of(plan, size / EXT4_BLOCK_SIZE);
        char text_needed[24], text_given[24];
        uint64_t n_missing, n_needed;
        int r;

        for (;;) {
                r = try_geometry(plan, &geometry, 0, &n_missing, reason);
                if (r == 0) {
                        *ret = geometry;
                        return 0;
                }
                if (r != -ENOSPC)
                        return r;
                if (geometry.n_journal_blocks <= JOURNAL_BLOCKS_MIN)
                        break;
                geometry.n_journal_blocks /= 2;
        }

        r = find_size(plan, 0, &n_needed, reason);
        if (r < 0)
                return r;
        *ret_needed = n_needed * EXT4_BLOCK_SIZE;
        size_format_rounded(size, text_given);
        size_format_rounded(align_up(*ret_needed, MIB), text_needed);
        return reason_set(reason, -ENOSPC,
                          "The tree needs an ext4 file system of %s, and this one has only %s", text_needed,
                          text_given);
}

/* The size that the content needs, with the reserve that goes with it. */
static int choose_size(Ext4Plan *plan, uint64_t *ret_size, Reason *reason) {
        const FilesystemOptions *options = plan->options;
        const uint64_t content_size = (plan->n_blocks + plan->n_attribute_blocks) * EXT4_BLOCK_SIZE;
        const uint64_t reserve_size = filesystem_reserve(options, content_size);
        uint64_t n_blocks;

        const int r = find_size(plan, divide_round_up(reserve_size, EXT4_BLOCK_SIZE), &n_blocks, reason);
        if (r < 0)
                return r;
        *ret_size = n_blocks * EXT4_BLOCK_SIZE;
        if (options->size_grain > 0)
                *ret_size = align_up(*ret_size, options->size_grain);
        return 0;
}

static int ext4_make(const Tree *tree, const FilesystemOptions *options, const FilesystemPlace *wish,
                     uint64_t *ret_size, Reason *reason) {
        _cleanup_(ext4_volume_freep) struct struct_ext2_filsys *volume = NULL;
        _cleanup_(ext4_plan_freep) Ext4Plan *plan = NULL;
        FilesystemPlace chosen = *wish;
        const FilesystemPlace *place = &chosen;
        Ext4Geometry geometry;

        int r = ext4_plan_new(tree, options, &plan, reason);
        if (r < 0)
                return r;
        if (wish->size == 0) {
                r = choose_size(plan, &chosen.size, reason);
                if (r < 0)
                        return r;
        }
        r = find_geometry(plan, place->size, &geometry, ret_size, reason);
        if (r < 0)
                return r;

        r = fd_extend(place->fd, place->offset + place->size);
        if (r < 0)
                return r;
        r = ext4_volume_new(&geometry, options, place, &volume, reason);
        if (r < 0)
                return r;
        r = ext4_place(plan, volume, 0, NULL);
        if (r < 0)
                return r;
        r = ext4_write_inodes(plan, volume, place, reason);
        if (r < 0)
                return r;
        r = ext4_volume_finish(volume, reason);
        if (r < 0)
                return r;

        *ret_size = place->size;
        return 0;
}

const Filesystem filesystem_ext4 = {
        .name = "ext4",
        .make = ext4_make,
};
