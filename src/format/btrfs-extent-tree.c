/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The extent tree says what every piece of the disk is used for, its own blocks included. */

#include <string.h>

#include "format/btrfs.h"

/* Only the tree of the extents that belong to a file: the reference lies in the item itself. */
typedef struct DataExtent {
        struct btrfs_extent_item item;
        uint8_t type;
        struct btrfs_extent_data_ref reference;
} __attribute__((packed)) DataExtent;

typedef struct TreeExtent {
        struct btrfs_extent_item item;
        struct btrfs_extent_inline_ref reference;
} __attribute__((packed)) TreeExtent;

typedef struct Filler {
        const BtrfsImage *image;
        BtrfsTree *tree;
        size_t n_groups; /* of the chunks, how many have their item */
} Filler;

static int add_item(Filler *filler, struct btrfs_key key, const void *item, size_t size) {
        void *to;

        const int r = btrfs_tree_add(filler->tree, key, size, &to);
        if (r < 0)
                return r;
        memcpy(to, item, size);
        return 0;
}

/* Every chunk is a block group. Their items stand among those of extents, by address. */
static int add_groups_before(Filler *filler, struct btrfs_key key) {
        const BtrfsSpace *space = filler->image->space;

        for (; filler->n_groups < space->n_chunks; filler->n_groups++) {
                const BtrfsChunk *chunk = &space->chunks[filler->n_groups];
                const struct btrfs_key own = { chunk->start, BTRFS_BLOCK_GROUP_ITEM_KEY, chunk->size };
                const struct btrfs_block_group_item item = {
                        .used = htole64(chunk->used),
                        .chunk_objectid = htole64(BTRFS_FIRST_CHUNK_TREE_OBJECTID),
                        .flags = htole64(chunk->type),
                };

                if (btrfs_key_compare(own, key) > 0)
                        break;
                const int r = add_item(filler, own, &item, sizeof(item));
                if (r < 0)
                        return r;
        }
        return 0;
}

static int add_data(Filler *filler, const TreeNode *node, const BtrfsExtent *extent) {
        const BtrfsPlan *plan = filler->image->plan;
        const struct btrfs_key key = { extent->address, BTRFS_EXTENT_ITEM_KEY, extent->disk_size };
        const DataExtent item = {
                .item = { .refs = htole64(1),
                          .generation = htole64(BTRFS_GENERATION),
                          .flags = htole64(BTRFS_EXTENT_FLAG_DATA) },
                .type = BTRFS_EXTENT_DATA_REF_KEY,
                .reference = { .root = htole64(btrfs_volume(plan, node)->id),
                               .objectid = htole64(btrfs_inode(plan, node)->number),
                               .offset = htole64(extent->offset),
                               .count = htole32(1) },
        };

        const int r = add_groups_before(filler, key);
        return r < 0 ? r : add_item(filler, key, &item, sizeof(item));
}

static int add_file(Filler *filler, const TreeNode *node) {
        const BtrfsInode *inode = btrfs_inode(filler->image->plan, node);

        if (inode->first != node)
                return 0;
        for (size_t i = 0; i < inode->n_extents; i++) {
                const BtrfsExtent *extent = &filler->image->data->extents[inode->first_extent + i];

                if (extent->is_inline)
                        continue;
                const int r = add_data(filler, node, extent);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int add_block(Filler *filler, const BtrfsBlock *block, uint64_t address) {
        const struct btrfs_key key = { address, BTRFS_METADATA_ITEM_KEY, block->level };
        const TreeExtent item = {
                .item = { .refs = htole64(1),
                          .generation = htole64(BTRFS_GENERATION),
                          .flags = htole64(BTRFS_EXTENT_FLAG_TREE_BLOCK) },
                .reference = { .type = BTRFS_TREE_BLOCK_REF_KEY, .offset = htole64(block->owner) },
        };

        const int r = add_groups_before(filler, key);
        return r < 0 ? r : add_item(filler, key, &item, sizeof(item));
}

static int add_blocks(Filler *filler) {
        const BtrfsSpace *space = filler->image->space;
        size_t n = 0;

        for (size_t i = 0; i < space->n_chunks; i++) {
                const BtrfsChunk *chunk = &space->chunks[i];

                if (chunk->type == BTRFS_BLOCK_GROUP_DATA)
                        continue;
                for (size_t k = 0; k < chunk->n_runs; k++) {
                        const BtrfsRun *run = &space->runs[chunk->first_run + k];

                        for (uint64_t offset = 0; offset < run->size; offset += BTRFS_NODE_SIZE) {
                                const int r =
                                        add_block(filler, &filler->image->blocks[n++], run->start + offset);
                                if (r < 0)
                                        return r;
                        }
                }
        }
        assert(n == filler->image->n_blocks);
        return 0;
}

int btrfs_fill_extent_tree(const BtrfsImage *image, BtrfsTree *tree) {
        const Tree *files = image->plan->tree;
        Filler filler = { .image = image, .tree = tree };
        int r;

        for (size_t i = 0; i < files->n_nodes; i++) {
                r = add_file(&filler, files->nodes[i]);
                if (r < 0)
                        return r;
        }
        r = add_blocks(&filler);
        if (r < 0)
                return r;
        return add_groups_before(&filler, (struct btrfs_key){ UINT64_MAX, UINT8_MAX, UINT64_MAX });
}
