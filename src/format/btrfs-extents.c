/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <string.h>

#include "format/btrfs.h"

/* The kernel makes none that is larger. */
#define EXTENT_SIZE_MAX (128 * MIB)

void btrfs_data_done(BtrfsData *data) {
        free(data->extents);
        free(data->sums);
        free(data->inline_content);
        *data = (BtrfsData){};
}

/* Makes room for n items more. */
static int grow(void **items, size_t n_items, size_t *room, size_t n, size_t item_size) {
        if (n <= *room - n_items)
                return 0;

        const size_t wanted = MAX(n_items + n, 2 * *room + 64);
        void *more = reallocarray(*items, wanted, item_size);
        if (!more)
                return -ENOMEM;
        *items = more;
        *room = wanted;
        return 0;
}

/* Whether the two can be one extent. Chunks of full size touch, and no extent reaches from one into the next. */
static bool continues(const BtrfsExtent *last, const BtrfsExtent *extent) {
        return !last->is_inline && last->encoding == BTRFS_ENCODING_NONE &&
               extent->encoding == BTRFS_ENCODING_NONE && last->offset + last->size == extent->offset &&
               last->address + last->size == extent->address &&
               last->size + (uint64_t)extent->size <= EXTENT_SIZE_MAX &&
               (extent->address - BTRFS_CHUNK_GRAIN) % BTRFS_CHUNK_SIZE_MAX != 0;
}

static int add_extent(BtrfsData *data, BtrfsInode *inode, const BtrfsExtent *extent) {
        const int r =
                grow((void **)&data->extents, data->n_extents, &data->extents_room, 1, sizeof(BtrfsExtent));
        if (r < 0)
                return r;
        if (inode->n_extents == 0)
                inode->first_extent = data->n_extents;
        inode->n_extents++;
        data->extents[data->n_extents++] = *extent;
        return 0;
}

int btrfs_data_add(BtrfsData *data, BtrfsInode *inode, const BtrfsExtent *extent, const uint32_t *sums) {
        const size_t n_sums = extent->disk_size / BTRFS_SECTOR_SIZE;

        assert(!extent->is_inline && extent->disk_size % BTRFS_SECTOR_SIZE == 0);

        int r = grow((void **)&data->sums, data->n_sums, &data->sums_room, n_sums, sizeof(uint32_t));
        if (r < 0)
                return r;
        memcpy(data->sums + data->n_sums, sums, n_sums * sizeof(uint32_t));
        data->n_sums += n_sums;

        if (inode->n_extents > 0 && continues(&data->extents[data->n_extents - 1], extent)) {
                data->extents[data->n_extents - 1].size += extent->size;
                data->extents[data->n_extents - 1].disk_size += extent->size;
                return 0;
        }
        return add_extent(data, inode, extent);
}

int btrfs_data_add_inline(BtrfsData *data, BtrfsInode *inode, const BtrfsExtent *extent,
                          const void *content) {
        BtrfsExtent placed = *extent;

        assert(extent->is_inline);

        int r = grow((void **)&data->inline_content, data->inline_size, &data->inline_room, extent->disk_size,
                     1);
        if (r < 0)
                return r;
        placed.address = data->inline_size;
        memcpy(data->inline_content + data->inline_size, content, extent->disk_size);
        data->inline_size += extent->disk_size;
        return add_extent(data, inode, &placed);
}
