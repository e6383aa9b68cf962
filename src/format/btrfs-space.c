/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <string.h>

#include "format/btrfs-space.h"

void btrfs_space_done(BtrfsSpace *space) {
        free(space->chunks);
        free(space->runs);
        *space = (BtrfsSpace){};
}

/* Makes room for one item more; arrays grow when their number of items is a power of two. */
static int grow(void **items, size_t n, size_t item_size) {
        if ((n & (n - 1)) != 0)
                return 0;

        void *more = reallocarray(*items, n == 0 ? 1 : 2 * n, item_size);
        if (!more)
                return -ENOMEM;
        *items = more;
        return 0;
}

static int copy(const void *items, size_t n, size_t item_size, void **ret) {
        size_t room = 1;

        while (room < n)
                room *= 2;
        *ret = calloc(room, item_size);
        if (!*ret)
                return -ENOMEM;
        if (n > 0)
                memcpy(*ret, items, n * item_size);
        return 0;
}

int btrfs_space_copy(const BtrfsSpace *space, BtrfsSpace *ret) {
        BtrfsSpace made = { .n_chunks = space->n_chunks, .n_runs = space->n_runs };

        int r = copy(space->chunks, space->n_chunks, sizeof(BtrfsChunk), (void **)&made.chunks);
        if (r >= 0)
                r = copy(space->runs, space->n_runs, sizeof(BtrfsRun), (void **)&made.runs);
        if (r < 0) {
                btrfs_space_done(&made);
                return r;
        }
        *ret = made;
        return 0;
}

uint64_t btrfs_space_end(const BtrfsSpace *space) {
        if (space->n_chunks == 0)
                return BTRFS_CHUNK_GRAIN;

        const BtrfsChunk *last = &space->chunks[space->n_chunks - 1];
        return last->start + last->size;
}

int btrfs_space_open(BtrfsSpace *space, uint64_t type) {
        const uint64_t start = btrfs_space_end(space);

        const int r = grow((void **)&space->chunks, space->n_chunks, sizeof(BtrfsChunk));
        if (r < 0)
                return r;
        space->chunks[space->n_chunks++] = (BtrfsChunk){
                .type = type,
                .start = start,
                .size = BTRFS_CHUNK_SIZE_MAX,
                .position = start,
                .first_run = space->n_runs,
        };
        return 0;
}

static int add_run(BtrfsSpace *space, uint64_t start, uint64_t size) {
        BtrfsChunk *chunk = &space->chunks[space->n_chunks - 1];
        BtrfsRun *last = chunk->n_runs > 0 ? &space->runs[space->n_runs - 1] : NULL;

        if (last && last->start + last->size == start)
                last->size += size;
        else {
                const int r = grow((void **)&space->runs, space->n_runs, sizeof(BtrfsRun));
                if (r < 0)
                        return r;
                space->runs[space->n_runs++] = (BtrfsRun){ .start = start, .size = size };
                chunk->n_runs++;
        }
        chunk->used += size;
        chunk->position = start + size;
        return 0;
}

/* The piece of the chunk that starts at its position and ends at a copy of the super block or with the chunk; a copy
 * that it would start in is skipped. */
static BtrfsRun next_piece(const BtrfsChunk *chunk, uint64_t position) {
        static const uint64_t mirrors[] = { BTRFS_MIRROR_1, BTRFS_MIRROR_2 };
        uint64_t end = chunk->start + chunk->size;

        for (size_t i = 0; i < ELEMENTSOF(mirrors); i++) {
                if (position >= mirrors[i] && position < mirrors[i] + BTRFS_STRIPE_SIZE)
                        position = mirrors[i] + BTRFS_STRIPE_SIZE;
                if (position < mirrors[i] && mirrors[i] < end)
                        end = mirrors[i];
        }
        return (BtrfsRun){ .start = position, .size = end > position ? end - position : 0 };
}

int btrfs_space_take(BtrfsSpace *space, uint64_t type, uint64_t size_min, uint64_t size_max,
                     uint64_t *ret_start, uint64_t *ret_size) {
        assert(size_min > 0 && size_min <= size_max && size_min <= BTRFS_CHUNK_SIZE_MAX / 2);

        for (;;) {
                const BtrfsChunk *chunk = space->n_chunks > 0 ? &space->chunks[space->n_chunks - 1] : NULL;

                if (chunk && chunk->type == type) {
                        BtrfsRun piece = next_piece(chunk, chunk->position);

                        if (piece.size < size_min)
                                piece = next_piece(chunk, piece.start + piece.size);
                        if (piece.size >= size_min) {
                                piece.size = MIN(piece.size, size_max);
                                const int r = add_run(space, piece.start, piece.size);
                                if (r < 0)
                                        return r;
                                *ret_start = piece.start;
                                *ret_size = piece.size;
                                return 0;
                        }
                }
                const int r = btrfs_space_open(space, type);
                if (r < 0)
                        return r;
        }
}

void btrfs_space_close(BtrfsSpace *space, uint64_t slack) {
        BtrfsChunk *chunk = &space->chunks[space->n_chunks - 1];

        chunk->size = align_up(MAX(chunk->position - chunk->start + slack, UINT64_C(1)), BTRFS_CHUNK_GRAIN);
}

uint64_t btrfs_space_used(const BtrfsSpace *space) {
        uint64_t sum = 0;

        for (size_t i = 0; i < space->n_chunks; i++)
                sum += space->chunks[i].used;
        return sum;
}

uint64_t btrfs_space_allocated(const BtrfsSpace *space) {
        uint64_t sum = 0;

        for (size_t i = 0; i < space->n_chunks; i++)
                sum += space->chunks[i].size;
        return sum;
}
