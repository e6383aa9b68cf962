/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <stddef.h>
#include <string.h>

#include <et/com_err.h>
#include <ext2fs/ext2fs.h>

#include "format/ext4.h"

/* The features of mke2fs in Debian 12 and 13, which every kernel and boot loader of the last ten years knows. */
#define FEATURES_COMPAT \
        (EXT2_FEATURE_COMPAT_DIR_INDEX | EXT2_FEATURE_COMPAT_EXT_ATTR | EXT2_FEATURE_COMPAT_RESIZE_INODE)
#define FEATURES_INCOMPAT                                                                               \
        (EXT2_FEATURE_INCOMPAT_FILETYPE | EXT3_FEATURE_INCOMPAT_EXTENTS | EXT4_FEATURE_INCOMPAT_64BIT | \
         EXT4_FEATURE_INCOMPAT_FLEX_BG)
#define FEATURES_RO_COMPAT                                                         \
        (EXT2_FEATURE_RO_COMPAT_SPARSE_SUPER | EXT2_FEATURE_RO_COMPAT_LARGE_FILE | \
         EXT4_FEATURE_RO_COMPAT_HUGE_FILE | EXT4_FEATURE_RO_COMPAT_DIR_NLINK |     \
         EXT4_FEATURE_RO_COMPAT_EXTRA_ISIZE | EXT4_FEATURE_RO_COMPAT_METADATA_CSUM)

#define LOG_GROUPS_PER_FLEX 4

/* One block in so many is for root alone, so that a full file system can still be logged in to and cleaned up. */
#define RESERVED_RATIO 100

int ext4_error(long error, Reason *reason) {
        if (error == 0)
                return 0;
        if (error == EXT2_ET_NO_MEMORY)
                return -ENOMEM;
        if (error > 0 && error < 4096)
                return -(int)error; /* an errno */
        if (error == EXT2_ET_TOOSMALL || error == EXT2_ET_BLOCK_ALLOC_FAIL ||
            error == EXT2_ET_INODE_ALLOC_FAIL || error == EXT2_ET_TOO_MANY_INODES)
                return -ENOSPC;

        initialize_ext2_error_table();
        return reason_set(reason, -EIO, "libext2fs: %s", error_message(error));
}

void ext4_volume_free(struct struct_ext2_filsys *volume) {
        if (volume)
                ext2fs_free(volume);
}

/* Copies a text that need not end with a NUL when it fills the field. */
static void set_text(uint8_t *field, size_t size, const char *text) {
        memset(field, 0, size);
        if (text)
                memcpy(field, text, strnlen(text, size));
}

static void set_super_block(ext2_filsys volume, const FilesystemOptions *options) {
        struct ext2_super_block *super = volume->super;

        /* Zero would have libext2fs ask the clock; the super block's fields are unsigned, the first second is lost. */
        volume->now = (time_t)MIN(MAX(options->time, INT64_C(1)), (int64_t)UINT32_MAX);
        super->s_mkfs_time = super->s_lastcheck = super->s_wtime = (uint32_t)volume->now;

        memcpy(super->s_uuid, options->uuid.bytes, sizeof(super->s_uuid));
        memcpy(super->s_hash_seed, options->hash_seed.bytes, sizeof(super->s_hash_seed));
        for (size_t i = 0; i < ELEMENTSOF(super->s_hash_seed); i++)
                super->s_hash_seed[i] = ext2fs_le32_to_cpu(super->s_hash_seed[i]);
        super->s_def_hash_version = EXT2_HASH_HALF_MD4;
        super->s_flags &= ~(uint32_t)EXT2_FLAGS_UNSIGNED_HASH;
        super->s_flags |= EXT2_FLAGS_SIGNED_HASH;

        set_text(super->s_volume_name, sizeof(super->s_volume_name), options->label);
        set_text(super->s_last_mounted, sizeof(super->s_last_mounted), options->last_mounted);
        super->s_max_mnt_count = -1; /* never checked for being mounted often */
        super->s_default_mount_opts = EXT2_DEFM_XATTR_USER | EXT2_DEFM_ACL;
        super->s_creator_os = EXT2_OS_LINUX;
        super->s_checksum_type = EXT2_CRC32C_CHKSUM;
        ext2fs_r_blocks_count_set(super, ext2fs_blocks_count(super) / RESERVED_RATIO);
        ext2fs_init_csum_seed(volume);
}

static errcode_t allocate_tables(ext2_filsys volume) {
        const errcode_t error = ext2fs_allocate_tables(volume);
        if (error)
                return error;

        /* The place reads as zeros, so that the kernel need not clear the tables in the background. */
        for (dgrp_t group = 0; group < volume->group_desc_count; group++) {
                ext2fs_bg_flags_set(volume, group, EXT2_BG_INODE_ZEROED);
                ext2fs_group_desc_csum_set(volume, group);
        }

        for (ext2_ino_t number = 1; number < EXT2_FIRST_INODE(volume->super); number++)
                ext2fs_inode_alloc_stats2(volume, number, +1, number == EXT2_ROOT_INO);
        return 0;
}

/* Puts the journal right behind the tables, so that all that is free is in one piece. */
static errcode_t add_journal(ext2_filsys volume, uint32_t n_blocks) {
        struct ext2_super_block *super = volume->super;
        blk64_t goal;

        if (n_blocks == 0)
                return 0;

        const errcode_t error =
                ext2fs_find_first_zero_block_bitmap2(volume->block_map, super->s_first_data_block,
                                                     ext2fs_blocks_count(super) - 1, &goal);
        if (error)
                return EXT2_ET_BLOCK_ALLOC_FAIL;
        return ext2fs_add_journal_inode2(volume, n_blocks, goal,
                                         EXT2_MKJOURNAL_LAZYINIT | EXT2_MKJOURNAL_NO_MNT_CHECK);
}

static errcode_t volume_new(const Ext4Geometry *geometry, const FilesystemOptions *options,
                            const FilesystemPlace *place, ext2_filsys *ret) {
        _cleanup_(ext4_volume_freep) struct struct_ext2_filsys *volume = NULL;
        struct ext2_super_block parameters = {
                .s_rev_level = EXT2_DYNAMIC_REV,
                .s_log_block_size = 2,
                .s_inode_size = EXT4_INODE_SIZE,
                .s_inodes_count = geometry->n_inodes,
                .s_log_groups_per_flex = LOG_GROUPS_PER_FLEX,
                .s_feature_compat = FEATURES_COMPAT,
                .s_feature_incompat = FEATURES_INCOMPAT,
                .s_feature_ro_compat = FEATURES_RO_COMPAT,
        };

        ext2fs_blocks_count_set(&parameters, geometry->n_blocks);
        errcode_t error = ext2fs_initialize("", EXT2_FLAG_64BITS, &parameters, ext4_channel_manager, &volume);
        if (error)
                return error;
        ext4_channel_attach(volume, place);
        set_super_block(volume, options);

        error = allocate_tables(volume);
        if (error)
                return error;
        volume->super->s_overhead_clusters =
                (uint32_t)(ext2fs_blocks_count(volume->super) - ext2fs_free_blocks_count(volume->super));
        error = ext2fs_create_resize_inode(volume);
        if (error)
                return error;
        error = add_journal(volume, geometry->n_journal_blocks);
        if (error)
                return error;
        volume->super->s_overhead_clusters += geometry->n_journal_blocks;

        *ret = TAKE_PTR(volume);
        return 0;
}

int ext4_volume_new(const Ext4Geometry *geometry, const FilesystemOptions *options,
                    const FilesystemPlace *place, struct struct_ext2_filsys **ret, Reason *reason) {
        return ext4_error(volume_new(geometry, options, place, ret), reason);
}

int ext4_volume_finish(struct struct_ext2_filsys *volume, Reason *reason) {
        errcode_t error = ext2fs_write_bitmaps(volume);
        if (!error)
                error = ext2fs_flush2(volume, 0);
        if (!error)
                error = io_channel_flush(volume->io);
        return ext4_error(error, reason);
}
