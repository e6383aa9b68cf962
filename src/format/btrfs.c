/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "base/fd.h"
#include "base/interrupt.h"
#include "base/parse.h"
#include "format/btrfs-compress.h"
#include "format/btrfs.h"

/* A file system being written. */
typedef struct Maker {
        BtrfsPlan *plan;
        BtrfsOutput output;
        BtrfsSpace space;
        BtrfsData data;
        BtrfsImage image;
        BtrfsLayout layout;
        BtrfsForest forest;
        BtrfsTree *trees; /* of files, one for each volume, while they are written */
} Maker;

static void maker_done(Maker *maker) {
        for (size_t i = 0; maker->trees && i < maker->plan->n_volumes; i++)
                btrfs_tree_done(&maker->trees[i]);
        free(maker->trees);
        btrfs_layout_done(&maker->layout);
        btrfs_image_done(&maker->image);
        btrfs_forest_done(&maker->forest);
        btrfs_data_done(&maker->data);
        btrfs_space_done(&maker->space);
        btrfs_output_done(&maker->output);
        btrfs_plan_free(maker->plan);
}

static int finish_tree(Maker *maker, BtrfsTree *tree) {
        const int r = btrfs_tree_finish(tree);
        if (r < 0)
                return r;
        btrfs_image_set_root(&maker->image, tree);
        return 0;
}

/* Items of a volume come in the order of its inodes, which is that of the tree. */
static int write_files(Maker *maker, Reason *reason) {
        BtrfsPlan *plan = maker->plan;

        maker->trees = calloc(plan->n_volumes, sizeof(BtrfsTree));
        if (!maker->trees)
                return -ENOMEM;
        for (size_t i = 0; i < plan->n_volumes; i++)
                btrfs_tree_init(&maker->trees[i], &maker->forest, plan->volumes[i].id,
                                BTRFS_BLOCK_GROUP_METADATA);

        for (size_t i = 0; i < plan->tree->n_nodes; i++) {
                const TreeNode *node = plan->tree->nodes[i];

                if (plan->inodes[i].first != node)
                        continue;
                int r = interrupt_check();
                if (r < 0)
                        return r;
                r = btrfs_inode_write(plan, &maker->data, node, &maker->trees[plan->inodes[i].volume],
                                      reason);
                if (r < 0)
                        return r;
        }
        for (size_t i = 0; i < plan->n_volumes; i++) {
                const int r = finish_tree(maker, &maker->trees[i]);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* For what balancing moves. */
static int fill_relocation_tree(const BtrfsImage *image, BtrfsTree *tree) {
        return btrfs_inode_write_empty(tree);
}

static int write_other_trees(Maker *maker) {
        static const struct {
                uint64_t id;
                int (*fill)(const BtrfsImage *image, BtrfsTree *tree);
        } trees[] = {
                { BTRFS_CSUM_TREE_OBJECTID, btrfs_fill_checksum_tree },
                { BTRFS_UUID_TREE_OBJECTID, btrfs_fill_uuid_tree },
                { BTRFS_DATA_RELOC_TREE_OBJECTID, fill_relocation_tree },
        };

        maker->image.space = &maker->space;
        for (size_t i = 0; i < ELEMENTSOF(trees); i++) {
                _cleanup_(btrfs_tree_done) BtrfsTree tree = {};

                btrfs_tree_init(&tree, &maker->forest, trees[i].id, BTRFS_BLOCK_GROUP_METADATA);
                int r = trees[i].fill(&maker->image, &tree);
                if (r >= 0)
                        r = finish_tree(maker, &tree);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* What the options ask for on top of what is there, if there is room. */
static int choose_size(const Maker *maker, uint64_t given, uint64_t *ret_size, uint64_t *ret_needed,
                       Reason *reason) {
        const FilesystemOptions *options = maker->plan->options;
        const uint64_t needed = btrfs_space_end(&maker->layout.space);
        char text_needed[24], text_given[24];

        if (given == 0) {
                const uint64_t size =
                        needed + filesystem_reserve(options, btrfs_space_used(&maker->layout.space));

                *ret_size = align_up(size, BTRFS_SECTOR_SIZE);
                if (options->size_grain > 0)
                        *ret_size = align_up(*ret_size, options->size_grain);
                return 0;
        }
        if (given >= needed) {
                *ret_size = given;
                return 0;
        }
        *ret_needed = needed;
        size_format_rounded(given, text_given);
        size_format_rounded(needed, text_needed);
        return reason_set(reason, -ENOSPC,
                          "The tree needs a btrfs file system of %s, and this one has only %s", text_needed,
                          text_given);
}

static int write_all(Maker *maker, const FilesystemPlace *place, uint64_t *ret_size, uint64_t *ret_needed,
                     Reason *reason) {
        int r = btrfs_data_write(maker->plan, &maker->output, &maker->space, &maker->data, reason);
        if (r < 0)
                return r;
        r = write_files(maker, reason);
        if (r < 0)
                return r;
        r = write_other_trees(maker);
        if (r < 0)
                return r;
        r = btrfs_layout_find(&maker->image, &maker->forest, &maker->layout);
        if (r < 0)
                return r;
        r = choose_size(maker, place->size, ret_size, ret_needed, reason);
        if (r < 0)
                return r;

        maker->image.total_size = *ret_size & ~(BTRFS_SECTOR_SIZE - 1);
        r = btrfs_layout_write(&maker->image, &maker->forest);
        if (r < 0)
                return r;
        r = btrfs_super_write(&maker->image, &maker->output);
        if (r < 0)
                return r;
        r = btrfs_output_flush(&maker->output);
        if (r < 0)
                return r;
        return fd_extend(place->fd, place->offset + *ret_size);
}

static int btrfs_make(const Tree *tree, const FilesystemOptions *options, const FilesystemPlace *place,
                      uint64_t *ret_size, Reason *reason) {
        _cleanup_(maker_done) Maker maker = {};
        uint64_t size = 0, needed = 0;

        int r = btrfs_plan_new(tree, options, &maker.plan, reason);
        if (r < 0)
                return r;
        r = btrfs_output_init(&maker.output, place);
        if (r < 0)
                return r;
        r = btrfs_image_init(&maker.image, maker.plan, &maker.data);
        if (r < 0)
                return r;
        maker.forest = (BtrfsForest){ .uuid = options->uuid,
                                      .chunk_tree_uuid = maker.image.chunk_tree_uuid,
                                      .output = &maker.output,
                                      .space = &maker.space };

        r = write_all(&maker, place, &size, &needed, reason);
        if (r == -ENOSPC && needed > 0)
                *ret_size = needed;
        if (r < 0)
                return r;
        *ret_size = size;
        return 0;
}

const Filesystem filesystem_btrfs = {
        .name = "btrfs",
        .check_compression = btrfs_check_compression,
        .compressions = 1U << COMPRESSION_ZLIB | 1U << COMPRESSION_LZO | 1U << COMPRESSION_ZSTD,
        .make = btrfs_make,
};
