/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What describes the device: the chunk tree (what lies at an address), the device tree (the same by places on the
 * device), and the free space tree. */

#include <string.h>

#include "format/btrfs.h"

static int add_item(BtrfsTree *tree, struct btrfs_key key, const void *item, size_t size) {
        void *to;

        const int r = btrfs_tree_add(tree, key, size, &to);
        if (r < 0)
                return r;
        if (size > 0)
                memcpy(to, item, size);
        return 0;
}

void btrfs_device_encode(const BtrfsImage *image, struct btrfs_dev_item *ret) {
        *ret = (struct btrfs_dev_item){
                .devid = htole64(1),
                .total_bytes = htole64(image->total_size),
                .bytes_used = htole64(btrfs_space_allocated(image->space)),
                .io_align = htole32(BTRFS_SECTOR_SIZE),
                .io_width = htole32(BTRFS_SECTOR_SIZE),
                .sector_size = htole32(BTRFS_SECTOR_SIZE),
        };
        memcpy(ret->uuid, image->device_uuid.bytes, sizeof(ret->uuid));
        memcpy(ret->fsid, image->plan->options->uuid.bytes, sizeof(ret->fsid));
}

void btrfs_chunk_encode(const BtrfsImage *image, const BtrfsChunk *chunk, struct btrfs_chunk *ret) {
        *ret = (struct btrfs_chunk){
                .length = htole64(chunk->size),
                .owner = htole64(BTRFS_EXTENT_TREE_OBJECTID),
                .stripe_len = htole64(BTRFS_STRIPE_SIZE),
                .type = htole64(chunk->type),
                .io_align = htole32(BTRFS_STRIPE_SIZE),
                .io_width = htole32(BTRFS_STRIPE_SIZE),
                .sector_size = htole32(BTRFS_SECTOR_SIZE),
                .num_stripes = htole16(1),
                .sub_stripes = htole16(1),
                .stripe = { .devid = htole64(1), .offset = htole64(chunk->start) },
        };
        memcpy(ret->stripe.dev_uuid, image->device_uuid.bytes, sizeof(ret->stripe.dev_uuid));
}

int btrfs_fill_chunk_tree(const BtrfsImage *image, BtrfsTree *tree) {
        struct btrfs_dev_item device;

        btrfs_device_encode(image, &device);
        int r = add_item(tree, (struct btrfs_key){ BTRFS_DEV_ITEMS_OBJECTID, BTRFS_DEV_ITEM_KEY, 1 }, &device,
                         sizeof(device));
        if (r < 0)
                return r;
        for (size_t i = 0; i < image->space->n_chunks; i++) {
                const BtrfsChunk *chunk = &image->space->chunks[i];
                struct btrfs_chunk item;

                btrfs_chunk_encode(image, chunk, &item);
                r = add_item(tree,
                             (struct btrfs_key){ BTRFS_FIRST_CHUNK_TREE_OBJECTID, BTRFS_CHUNK_ITEM_KEY,
                                                 chunk->start },
                             &item, sizeof(item));
                if (r < 0)
                        return r;
        }
        return 0;
}

int btrfs_fill_device_tree(const BtrfsImage *image, BtrfsTree *tree) {
        for (size_t i = 0; i < image->space->n_chunks; i++) {
                const BtrfsChunk *chunk = &image->space->chunks[i];
                struct btrfs_dev_extent item = {
                        .chunk_tree = htole64(BTRFS_CHUNK_TREE_OBJECTID),
                        .chunk_objectid = htole64(BTRFS_FIRST_CHUNK_TREE_OBJECTID),
                        .chunk_offset = htole64(chunk->start),
                        .length = htole64(chunk->size),
                };

                memcpy(item.chunk_tree_uuid, image->chunk_tree_uuid.bytes, sizeof(item.chunk_tree_uuid));
                const int r = add_item(tree, (struct btrfs_key){ 1, BTRFS_DEV_EXTENT_KEY, chunk->start },
                                       &item, sizeof(item));
                if (r < 0)
                        return r;
        }
        return 0;
}

/* What lies between the runs of a chunk, and behind the last. That it cannot be taken where a copy of the super block
 * lies is not said here: who reads this knows. */
static size_t find_free(const BtrfsSpace *space, const BtrfsChunk *chunk, BtrfsRun *ret) {
        uint64_t position = chunk->start;
        size_t n = 0;

        for (size_t i = 0; i < chunk->n_runs; i++) {
                const BtrfsRun *run = &space->runs[chunk->first_run + i];

                if (run->start > position)
                        ret[n++] = (BtrfsRun){ .start = position, .size = run->start - position };
                position = run->start + run->size;
        }
        if (chunk->start + chunk->size > position)
                ret[n++] = (BtrfsRun){ .start = position, .size = chunk->start + chunk->size - position };
        return n;
}

static int add_free_space(const BtrfsSpace *space, const BtrfsChunk *chunk, BtrfsTree *tree) {
        _cleanup_(freep) BtrfsRun *runs = calloc(chunk->n_runs + 1, sizeof(BtrfsRun));

        if (!runs)
                return -ENOMEM;
        const size_t n = find_free(space, chunk, runs);
        const struct btrfs_free_space_info info = { .extent_count = htole32((uint32_t)n) };
        int r = add_item(tree, (struct btrfs_key){ chunk->start, BTRFS_FREE_SPACE_INFO_KEY, chunk->size },
                         &info, sizeof(info));
        for (size_t i = 0; r >= 0 && i < n; i++)
                r = add_item(tree,
                             (struct btrfs_key){ runs[i].start, BTRFS_FREE_SPACE_EXTENT_KEY, runs[i].size },
                             NULL, 0);
        return r;
}

int btrfs_fill_free_space_tree(const BtrfsImage *image, BtrfsTree *tree) {
        for (size_t i = 0; i < image->space->n_chunks; i++) {
                const int r = add_free_space(image->space, &image->space->chunks[i], tree);
                if (r < 0)
                        return r;
        }
        return 0;
}
