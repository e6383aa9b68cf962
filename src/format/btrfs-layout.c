/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The trees that describe where everything lies, themselves included. What they take depends on what they say: so they
 * are filled without being written, until what they take is what they were told that they would. */

#include <string.h>

#include "format/btrfs.h"

/* What is left free in the last metadata chunk: the kernel puts some MiB aside for itself before it lets anybody write,
 * and more the larger the trees are. */
#define METADATA_SLACK_MIN  (16 * MIB)
#define METADATA_SLACK_PART 8
#define SYSTEM_SLACK        (4 * MIB)

/* In the order in which they are written: the root tree must know where the others are. */
static const struct {
        uint64_t id;
        int (*fill)(const BtrfsImage *image, BtrfsTree *tree);
} layout_trees[] = {
        { BTRFS_DEV_TREE_OBJECTID, btrfs_fill_device_tree },
        { BTRFS_FREE_SPACE_TREE_OBJECTID, btrfs_fill_free_space_tree },
        { BTRFS_EXTENT_TREE_OBJECTID, btrfs_fill_extent_tree },
        { BTRFS_ROOT_TREE_OBJECTID, btrfs_fill_root_tree },
        { BTRFS_CHUNK_TREE_OBJECTID, btrfs_fill_chunk_tree },
};

static uint64_t chunk_type(uint64_t id) {
        return id == BTRFS_CHUNK_TREE_OBJECTID ? BTRFS_BLOCK_GROUP_SYSTEM : BTRFS_BLOCK_GROUP_METADATA;
}

static void close_metadata(BtrfsSpace *space) {
        uint64_t used = 0;

        for (size_t i = 0; i < space->n_chunks; i++)
                if (space->chunks[i].type == BTRFS_BLOCK_GROUP_METADATA)
                        used += space->chunks[i].used;
        btrfs_space_close(space, MAX(used / METADATA_SLACK_PART, METADATA_SLACK_MIN));
}

/* Takes so many blocks of either type behind what is taken already. */
static int extend_space(BtrfsSpace *space, size_t n_metadata, size_t n_system) {
        for (size_t i = 0; i < n_metadata + n_system; i++) {
                uint64_t address, size;

                if (i == n_metadata)
                        close_metadata(space);
                const int r = btrfs_space_take(space,
                                               i < n_metadata ? BTRFS_BLOCK_GROUP_METADATA
                                                              : BTRFS_BLOCK_GROUP_SYSTEM,
                                               BTRFS_NODE_SIZE, BTRFS_NODE_SIZE, &address, &size);
                if (r < 0)
                        return r;
        }
        btrfs_space_close(space, SYSTEM_SLACK);
        return 0;
}

/* Fills the trees without writing them; says which blocks they take. */
static int count_blocks(const BtrfsImage *image, BtrfsForest *forest, size_t *ret_metadata,
                        size_t *ret_system) {
        for (size_t i = 0; i < ELEMENTSOF(layout_trees); i++) {
                _cleanup_(btrfs_tree_done) BtrfsTree tree = {};

                if (layout_trees[i].id == BTRFS_CHUNK_TREE_OBJECTID)
                        *ret_metadata = forest->blocks.n_items;
                btrfs_tree_init(&tree, forest, layout_trees[i].id, chunk_type(layout_trees[i].id));
                int r = layout_trees[i].fill(image, &tree);
                if (r >= 0)
                        r = btrfs_tree_finish(&tree);
                if (r < 0)
                        return r;
        }
        *ret_system = forest->blocks.n_items - *ret_metadata;
        return 0;
}

void btrfs_layout_done(BtrfsLayout *layout) {
        btrfs_space_done(&layout->space);
        free(layout->blocks);
        *layout = (BtrfsLayout){};
}

/* One round: assumes the numbers of blocks, and corrects them. Returns 1 if they were right. */
static int try_layout(BtrfsImage *image, const BtrfsForest *written, size_t *n_metadata, size_t *n_system,
                      BtrfsLayout *ret) {
        _cleanup_(btrfs_layout_done) BtrfsLayout layout = {};
        _cleanup_(btrfs_forest_done) BtrfsForest forest = {};
        const size_t n_written = written->blocks.n_items, n_planned = *n_metadata + *n_system;
        size_t n_metadata_found = 0, n_system_found = 0;

        layout.n_blocks = n_written + n_planned;
        layout.blocks = calloc(layout.n_blocks, sizeof(BtrfsBlock));
        if (!layout.blocks)
                return -ENOMEM;
        memcpy(layout.blocks, written->blocks.items, n_written * sizeof(BtrfsBlock));
        int r = btrfs_space_copy(written->space, &layout.space);
        if (r < 0)
                return r;
        r = extend_space(&layout.space, *n_metadata, *n_system);
        if (r < 0)
                return r;
        image->space = &layout.space;
        image->blocks = layout.blocks;
        image->n_blocks = layout.n_blocks;
        r = count_blocks(image, &forest, &n_metadata_found, &n_system_found);
        if (r < 0)
                return r;

        if (n_metadata_found != *n_metadata || n_system_found != *n_system) {
                *n_metadata = n_metadata_found;
                *n_system = n_system_found;
                return 0;
        }
        memcpy(layout.blocks + n_written, forest.blocks.items, n_planned * sizeof(BtrfsBlock));
        *ret = layout;
        layout = (BtrfsLayout){};
        image->space = &ret->space;
        return 1;
}

int btrfs_layout_find(BtrfsImage *image, const BtrfsForest *written, BtrfsLayout *ret) {
        size_t n_metadata = ELEMENTSOF(layout_trees) - 1, n_system = 1;

        /* More blocks never need fewer, so the numbers only grow, to the smallest that are right. */
        for (;;) {
                const int r = try_layout(image, written, &n_metadata, &n_system, ret);
                if (r != 0)
                        return MIN(r, 0);
        }
}

int btrfs_layout_write(BtrfsImage *image, BtrfsForest *forest) {
        for (size_t i = 0; i < ELEMENTSOF(layout_trees); i++) {
                _cleanup_(btrfs_tree_done) BtrfsTree tree = {};

                if (layout_trees[i].id == BTRFS_CHUNK_TREE_OBJECTID)
                        close_metadata(forest->space);
                btrfs_tree_init(&tree, forest, layout_trees[i].id, chunk_type(layout_trees[i].id));
                int r = layout_trees[i].fill(image, &tree);
                if (r >= 0)
                        r = btrfs_tree_finish(&tree);
                if (r < 0)
                        return r;
                btrfs_image_set_root(image, &tree);
        }
        assert(btrfs_space_used(forest->space) == btrfs_space_used(image->space));
        return 0;
}
