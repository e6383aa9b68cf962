/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "format/btrfs.h"

static const uint64_t ids_before_volumes[] = {
        BTRFS_ROOT_TREE_OBJECTID, BTRFS_EXTENT_TREE_OBJECTID,     BTRFS_CHUNK_TREE_OBJECTID,
        BTRFS_DEV_TREE_OBJECTID,  BTRFS_FS_TREE_OBJECTID,         BTRFS_CSUM_TREE_OBJECTID,
        BTRFS_UUID_TREE_OBJECTID, BTRFS_FREE_SPACE_TREE_OBJECTID,
};

static void add_root(BtrfsImage *image, uint64_t id) {
        image->roots[image->n_roots++] = (BtrfsRoot){ .id = id };
}

int btrfs_image_init(BtrfsImage *image, const BtrfsPlan *plan, const BtrfsData *data) {
        BtrfsImage made = { .plan = plan, .data = data };

        int r = uuid_derive(plan->options->uuid, "btrfs device", &made.device_uuid);
        if (r < 0)
                return r;
        r = uuid_derive(plan->options->uuid, "btrfs chunk tree", &made.chunk_tree_uuid);
        if (r < 0)
                return r;
        made.roots = calloc(ELEMENTSOF(ids_before_volumes) + plan->n_volumes, sizeof(BtrfsRoot));
        if (!made.roots)
                return -ENOMEM;

        for (size_t i = 0; i < ELEMENTSOF(ids_before_volumes); i++)
                add_root(&made, ids_before_volumes[i]);
        for (size_t i = 1; i < plan->n_volumes; i++)
                add_root(&made, plan->volumes[i].id);
        add_root(&made, BTRFS_DATA_RELOC_TREE_OBJECTID);
        *image = made;
        return 0;
}

void btrfs_image_done(BtrfsImage *image) {
        free(image->roots);
        *image = (BtrfsImage){};
}

BtrfsRoot *btrfs_image_root(const BtrfsImage *image, uint64_t id) {
        size_t low = 0, high = image->n_roots;

        while (low < high) {
                const size_t middle = low + (high - low) / 2;

                if (image->roots[middle].id < id)
                        low = middle + 1;
                else
                        high = middle;
        }
        assert(low < image->n_roots && image->roots[low].id == id);
        return &image->roots[low];
}

void btrfs_image_set_root(BtrfsImage *image, const BtrfsTree *tree) {
        BtrfsRoot *root = btrfs_image_root(image, tree->owner);

        root->address = tree->address;
        root->level = tree->level;
        root->n_blocks = tree->n_blocks;
}
