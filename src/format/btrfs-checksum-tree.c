/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Trees that are looked up by content: the sums of all data, and which volume has which UUID. */

#include <string.h>

#include "format/btrfs.h"

/* The kernel's own limit for an item. */
#define SUMS_MAX ((BTRFS_LEAF_ROOM - 2 * sizeof(BtrfsItem)) / sizeof(uint32_t) - 1)

static int add_sums(BtrfsTree *tree, uint64_t address, const uint32_t *sums, size_t n) {
        void *to;

        const int r = btrfs_tree_add(
                tree, (struct btrfs_key){ BTRFS_EXTENT_CSUM_OBJECTID, BTRFS_EXTENT_CSUM_KEY, address },
                n * sizeof(uint32_t), &to);
        if (r < 0)
                return r;
        for (size_t i = 0; i < n; i++) {
                const uint32_t sum = htole32(sums[i]);

                memcpy((uint8_t *)to + i * sizeof(sum), &sum, sizeof(sum));
        }
        return 0;
}

int btrfs_fill_checksum_tree(const BtrfsImage *image, BtrfsTree *tree) {
        const BtrfsSpace *space = image->space;
        size_t done = 0;

        for (size_t i = 0; i < space->n_chunks; i++) {
                const BtrfsChunk *chunk = &space->chunks[i];

                if (chunk->type != BTRFS_BLOCK_GROUP_DATA)
                        continue;
                for (size_t k = 0; k < chunk->n_runs; k++) {
                        const BtrfsRun *run = &space->runs[chunk->first_run + k];
                        const size_t n = run->size / BTRFS_SECTOR_SIZE;

                        for (size_t from = 0, part; from < n; from += part) {
                                part = MIN(n - from, (size_t)SUMS_MAX);
                                const int r = add_sums(tree, run->start + from * BTRFS_SECTOR_SIZE,
                                                       image->data->sums + done + from, part);
                                if (r < 0)
                                        return r;
                        }
                        done += n;
                }
        }
        assert(done == image->data->n_sums);
        return 0;
}

/* The two halves of a UUID are numbers of the key. */
static struct btrfs_key uuid_key(Uuid uuid) {
        uint64_t halves[2];

        memcpy(halves, uuid.bytes, sizeof(halves));
        return (struct btrfs_key){ le64toh(halves[0]), BTRFS_UUID_KEY_SUBVOL, le64toh(halves[1]) };
}

typedef struct Named {
        struct btrfs_key key;
        uint64_t id;
} Named;

static int compare_named(const void *a, const void *b) {
        return btrfs_key_compare(((const Named *)a)->key, ((const Named *)b)->key);
}

int btrfs_fill_uuid_tree(const BtrfsImage *image, BtrfsTree *tree) {
        const BtrfsPlan *plan = image->plan;
        _cleanup_(freep) Named *named = calloc(plan->n_volumes, sizeof(Named));

        if (!named)
                return -ENOMEM;
        for (size_t i = 0; i < plan->n_volumes; i++)
                named[i] = (Named){ uuid_key(plan->volumes[i].uuid), plan->volumes[i].id };
        qsort(named, plan->n_volumes, sizeof(Named), compare_named);

        for (size_t i = 0; i < plan->n_volumes; i++) {
                const uint64_t id = htole64(named[i].id);
                void *to;

                const int r = btrfs_tree_add(tree, named[i].key, sizeof(id), &to);
                if (r < 0)
                        return r;
                memcpy(to, &id, sizeof(id));
        }
        return 0;
}
