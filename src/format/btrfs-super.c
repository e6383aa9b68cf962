/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <string.h>

#include "base/crc32c.h"
#include "format/btrfs.h"

/* What a reader has to know. */
static uint64_t incompat_flags(const FilesystemOptions *options) {
        uint64_t flags = BTRFS_FEATURE_INCOMPAT_MIXED_BACKREF | BTRFS_FEATURE_INCOMPAT_BIG_METADATA |
                         BTRFS_FEATURE_INCOMPAT_EXTENDED_IREF | BTRFS_FEATURE_INCOMPAT_SKINNY_METADATA |
                         BTRFS_FEATURE_INCOMPAT_NO_HOLES;

        if (options->compression == COMPRESSION_LZO)
                flags |= BTRFS_FEATURE_INCOMPAT_COMPRESS_LZO;
        if (options->compression == COMPRESSION_ZSTD)
                flags |= BTRFS_FEATURE_INCOMPAT_COMPRESS_ZSTD;
        return flags;
}

/* Where the trees are once more, for a kernel that cannot read what the super block itself names. */
static void encode_backup(const BtrfsImage *image, const BtrfsSuper *super, BtrfsRootBackup *ret) {
        const BtrfsRoot *extent_tree = btrfs_image_root(image, BTRFS_EXTENT_TREE_OBJECTID);
        const BtrfsRoot *fs_tree = btrfs_image_root(image, BTRFS_FS_TREE_OBJECTID);
        const BtrfsRoot *device_tree = btrfs_image_root(image, BTRFS_DEV_TREE_OBJECTID);
        const BtrfsRoot *checksum_tree = btrfs_image_root(image, BTRFS_CSUM_TREE_OBJECTID);

        *ret = (BtrfsRootBackup){
                .root_tree = super->root_tree,
                .root_tree_generation = super->generation,
                .root_tree_level = super->root_tree_level,
                .chunk_tree = super->chunk_tree,
                .chunk_tree_generation = super->generation,
                .chunk_tree_level = super->chunk_tree_level,
                .extent_tree = htole64(extent_tree->address),
                .extent_tree_generation = super->generation,
                .extent_tree_level = extent_tree->level,
                .fs_tree = htole64(fs_tree->address),
                .fs_tree_generation = super->generation,
                .fs_tree_level = fs_tree->level,
                .device_tree = htole64(device_tree->address),
                .device_tree_generation = super->generation,
                .device_tree_level = device_tree->level,
                .checksum_tree = htole64(checksum_tree->address),
                .checksum_tree_generation = super->generation,
                .checksum_tree_level = checksum_tree->level,
                .total_size = super->total_size,
                .used_size = super->used_size,
                .n_devices = super->n_devices,
        };
}

/* The chunk tree cannot be found by itself: the super block knows the chunks that it lies in. */
static int encode_system_array(const BtrfsImage *image, BtrfsSuper *super) {
        size_t size = 0;

        for (size_t i = 0; i < image->space->n_chunks; i++) {
                const BtrfsChunk *chunk = &image->space->chunks[i];
                struct btrfs_disk_key key;
                struct btrfs_chunk item;

                if (chunk->type != BTRFS_BLOCK_GROUP_SYSTEM)
                        continue;
                if (size + sizeof(key) + sizeof(item) > sizeof(super->system_array))
                        return -EFBIG;
                btrfs_key_encode((struct btrfs_key){ BTRFS_FIRST_CHUNK_TREE_OBJECTID, BTRFS_CHUNK_ITEM_KEY,
                                                     chunk->start },
                                 &key);
                btrfs_chunk_encode(image, chunk, &item);
                memcpy(super->system_array + size, &key, sizeof(key));
                memcpy(super->system_array + size + sizeof(key), &item, sizeof(item));
                size += sizeof(key) + sizeof(item);
        }
        super->system_array_size = htole32((uint32_t)size);
        return 0;
}

static int encode(const BtrfsImage *image, BtrfsSuper *super) {
        const FilesystemOptions *options = image->plan->options;
        const BtrfsRoot *root_tree = btrfs_image_root(image, BTRFS_ROOT_TREE_OBJECTID);
        const BtrfsRoot *chunk_tree = btrfs_image_root(image, BTRFS_CHUNK_TREE_OBJECTID);

        *super = (BtrfsSuper){
                .flags = htole64(BTRFS_HEADER_FLAG_WRITTEN),
                .magic = htole64(BTRFS_SUPER_MAGIC_NUMBER),
                .generation = htole64(BTRFS_GENERATION),
                .root_tree = htole64(root_tree->address),
                .root_tree_level = root_tree->level,
                .chunk_tree = htole64(chunk_tree->address),
                .chunk_tree_level = chunk_tree->level,
                .chunk_tree_generation = htole64(BTRFS_GENERATION),
                .total_size = htole64(image->total_size),
                .used_size = htole64(btrfs_space_used(image->space)),
                .root_directory = htole64(BTRFS_ROOT_TREE_DIR_OBJECTID),
                .n_devices = htole64(1),
                .sector_size = htole32(BTRFS_SECTOR_SIZE),
                .node_size = htole32(BTRFS_NODE_SIZE),
                .leaf_size = htole32(BTRFS_NODE_SIZE),
                .stripe_size = htole32(BTRFS_SECTOR_SIZE),
                .compat_read_only_flags = htole64(BTRFS_FEATURE_COMPAT_RO_FREE_SPACE_TREE |
                                                  BTRFS_FEATURE_COMPAT_RO_FREE_SPACE_TREE_VALID),
                .incompat_flags = htole64(incompat_flags(options)),
                .checksum_type = htole16(BTRFS_CSUM_TYPE_CRC32),
                .uuid_tree_generation = htole64(BTRFS_GENERATION),
        };
        memcpy(super->fsid, options->uuid.bytes, sizeof(super->fsid));
        if (options->label)
                memcpy(super->label, options->label, strlen(options->label));
        btrfs_device_encode(image, &super->device);
        encode_backup(image, super, &super->backups[0]);
        return encode_system_array(image, super);
}

int btrfs_super_write(const BtrfsImage *image, BtrfsOutput *output) {
        static const uint64_t addresses[] = { BTRFS_SUPER_OFFSET, BTRFS_MIRROR_1, BTRFS_MIRROR_2 };
        BtrfsSuper super;

        int r = encode(image, &super);
        for (size_t i = 0; r >= 0 && i < ELEMENTSOF(addresses); i++) {
                if (addresses[i] + BTRFS_SUPER_SIZE >= image->total_size)
                        break;
                super.address = htole64(addresses[i]);
                const uint32_t sum =
                        htole32(~crc32c(UINT32_MAX, (const uint8_t *)&super + sizeof(super.checksum),
                                        sizeof(super) - sizeof(super.checksum)));
                memcpy(super.checksum, &sum, sizeof(sum));
                r = btrfs_output_write(output, addresses[i], &super, sizeof(super));
        }
        return r;
}
