/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <string.h>

#include "base/crc32c.h"
#include "format/btrfs-tree.h"

#define POINTERS_MAX (BTRFS_LEAF_ROOM / sizeof(BtrfsPointer))

static BtrfsHeader *header_of(uint8_t *block) {
        return (BtrfsHeader *)block;
}

static BtrfsItem *items_of(uint8_t *block) {
        return (BtrfsItem *)(block + sizeof(BtrfsHeader));
}

static BtrfsPointer *pointers_of(uint8_t *block) {
        return (BtrfsPointer *)(block + sizeof(BtrfsHeader));
}

void btrfs_forest_done(BtrfsForest *forest) {
        free(forest->blocks.items);
        forest->blocks = (BtrfsBlocks){};
}

void btrfs_tree_init(BtrfsTree *tree, BtrfsForest *forest, uint64_t owner, uint64_t type) {
        *tree = (BtrfsTree){ .forest = forest, .owner = owner, .type = type };
}

void btrfs_tree_done(BtrfsTree *tree) {
        for (size_t i = 0; i < BTRFS_LEVELS_MAX; i++)
                free(tree->levels[i]);
        *tree = (BtrfsTree){};
}

static int blocks_add(BtrfsBlocks *blocks, uint64_t owner, uint8_t level) {
        if ((blocks->n_items & (blocks->n_items - 1)) == 0) {
                const size_t room = blocks->n_items == 0 ? 1 : 2 * blocks->n_items;
                BtrfsBlock *more = reallocarray(blocks->items, room, sizeof(BtrfsBlock));

                if (!more)
                        return -ENOMEM;
                blocks->items = more;
        }
        blocks->items[blocks->n_items++] = (BtrfsBlock){ .owner = owner, .level = level };
        return 0;
}

/* Gives the block an address and writes it. */
static int write_block(BtrfsTree *tree, unsigned level, uint64_t *ret_address) {
        BtrfsForest *forest = tree->forest;
        BtrfsHeader *header = header_of(tree->levels[level]);
        uint64_t address = 0, size;

        tree->n_blocks++;
        int r = blocks_add(&forest->blocks, tree->owner, (uint8_t)level);
        if (r < 0)
                return r;
        if (forest->space) {
                r = btrfs_space_take(forest->space, tree->type, BTRFS_NODE_SIZE, BTRFS_NODE_SIZE, &address,
                                     &size);
                if (r < 0)
                        return r;
        }

        header->address = htole64(address);
        header->flags = htole64(BTRFS_HEADER_FLAG_WRITTEN | BTRFS_HEADER_BACKREF_MIXED);
        header->generation = htole64(BTRFS_GENERATION);
        header->owner = htole64(tree->owner);
        header->level = (uint8_t)level;
        header->n_items = htole32(header->n_items);
        memcpy(header->fsid, forest->uuid.bytes, sizeof(header->fsid));
        memcpy(header->chunk_tree_uuid, forest->chunk_tree_uuid.bytes, sizeof(header->chunk_tree_uuid));
        if (forest->output) {
                const uint32_t sum =
                        htole32(~crc32c(UINT32_MAX, tree->levels[level] + sizeof(header->checksum),
                                        BTRFS_NODE_SIZE - sizeof(header->checksum)));

                memcpy(header->checksum, &sum, sizeof(sum));
                r = btrfs_output_write(forest->output, address, tree->levels[level], BTRFS_NODE_SIZE);
                if (r < 0)
                        return r;
        }
        *ret_address = address;
        return 0;
}

static int open_block(BtrfsTree *tree, unsigned level) {
        if (level >= BTRFS_LEVELS_MAX)
                return -EFBIG;
        tree->levels[level] = calloc(1, BTRFS_NODE_SIZE);
        return tree->levels[level] ? 0 : -ENOMEM;
}

/* Writes the block under way in the level, tells the level above, and starts an empty one. */
static int close_block(BtrfsTree *tree, unsigned level) {
        uint64_t address;
        int r;

        if (level + 1 == BTRFS_LEVELS_MAX)
                return -EFBIG;
        r = write_block(tree, level, &address);
        if (r < 0)
                return r;

        if (!tree->levels[level + 1]) {
                r = open_block(tree, level + 1);
                if (r < 0)
                        return r;
        } else if (header_of(tree->levels[level + 1])->n_items == POINTERS_MAX) {
                r = close_block(tree, level + 1);
                if (r < 0)
                        return r;
        }

        BtrfsHeader *above = header_of(tree->levels[level + 1]);
        /* The first key lies at the same place in a leaf and above. */
        pointers_of(tree->levels[level + 1])[above->n_items++] = (BtrfsPointer){
                .key = pointers_of(tree->levels[level])[0].key,
                .address = htole64(address),
                .generation = htole64(BTRFS_GENERATION),
        };
        memset(tree->levels[level], 0, BTRFS_NODE_SIZE);
        return 0;
}

int btrfs_tree_add(BtrfsTree *tree, struct btrfs_key key, size_t size, void **ret) {
        int r;

        assert(size <= BTRFS_ITEM_SIZE_MAX);
        assert(!tree->levels[0] || btrfs_key_compare(tree->last, key) < 0);

        if (!tree->levels[0]) {
                r = open_block(tree, 0);
                if (r < 0)
                        return r;
        }
        if ((header_of(tree->levels[0])->n_items + 1) * sizeof(BtrfsItem) + tree->data_size + size >
            BTRFS_LEAF_ROOM) {
                r = close_block(tree, 0);
                if (r < 0)
                        return r;
                tree->data_size = 0;
        }

        BtrfsHeader *header = header_of(tree->levels[0]);
        BtrfsItem *item = &items_of(tree->levels[0])[header->n_items++];
        tree->data_size += size;
        tree->last = key;
        btrfs_key_encode(key, &item->key);
        item->offset = htole32((uint32_t)(BTRFS_LEAF_ROOM - tree->data_size));
        item->size = htole32((uint32_t)size);
        *ret = tree->levels[0] + BTRFS_NODE_SIZE - tree->data_size;
        return 0;
}

int btrfs_tree_finish(BtrfsTree *tree) {
        int r;

        if (!tree->levels[0]) {
                r = open_block(tree, 0);
                if (r < 0)
                        return r;
        }
        for (unsigned level = 0;; level++) {
                if (level + 1 == BTRFS_LEVELS_MAX || !tree->levels[level + 1]) {
                        tree->level = (uint8_t)level;
                        return write_block(tree, level, &tree->address);
                }
                r = close_block(tree, level);
                if (r < 0)
                        return r;
        }
}
