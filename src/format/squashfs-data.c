/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <string.h>

#include <sqfs/frag_table.h>

#include "base/interrupt.h"
#include "format/squashfs.h"

/* The kernel counts blocks of a file in an int. */
#define BLOCKS_MAX INT32_MAX

#define FRAGMENT_OWNER NULL

struct SquashfsData {
        const Tree *tree;
        Progress *progress;
        SquashfsChannel *channel;
        struct sqfs_compressor_t *compressor;
        WorkerPool *pool; /* of SquashfsBlocks */

        SquashfsContent *
                *contents; /* by TreeNode.index; several may point to one, which belongs to its node */
        SquashfsContent **buckets; /* lists of contents, by their hashes */
        size_t n_buckets;          /* a power of two */

        sqfs_frag_table_t *fragments;
        uint8_t *fragment; /* the block that ends of files are gathered in */
        size_t fragment_size;
        uint8_t *other; /* a block of a file that another is compared with */
};

static void content_free(SquashfsContent *content) {
        if (!content)
                return;
        free(content->sizes);
        free(content);
}
DEFINE_CLEANUP(SquashfsContent, content_free)

void squashfs_data_free(SquashfsData *data) {
        if (!data)
                return;
        worker_pool_free(data->pool);
        /* Backwards: a content belongs to the first of the nodes that have it. */
        for (size_t i = data->contents ? data->tree->n_nodes : 0; i-- > 0;) {
                SquashfsContent *content = data->contents[i];

                if (content && content->node == data->tree->nodes[i])
                        content_free(content);
        }
        free(data->contents);
        free(data->buckets);
        sqfs_destroy(data->fragments);
        free(data->fragment);
        free(data->other);
        free(data);
}

static size_t count_files(const Tree *tree) {
        size_t n = 0;

        for (size_t i = 0; i < tree->n_nodes; i++)
                n += S_ISREG(tree->nodes[i]->status.st_mode);
        return n;
}

int squashfs_data_new(const Tree *tree, const FilesystemOptions *options, SquashfsChannel *channel,
                      struct sqfs_compressor_t *compressor, SquashfsData **ret) {
        _cleanup_(squashfs_data_freep) SquashfsData *data = calloc(1, sizeof(SquashfsData));

        assert(tree && options && channel && compressor && ret);

        if (!data)
                return -ENOMEM;
        *data = (SquashfsData){
                .tree = tree,
                .progress = options->progress,
                .channel = channel,
                .compressor = compressor,
                .n_buckets = 64,
        };
        for (const size_t n = count_files(tree); data->n_buckets < n;)
                data->n_buckets *= 2;
        data->contents = calloc(tree->n_nodes, sizeof(SquashfsContent *));
        data->buckets = calloc(data->n_buckets, sizeof(SquashfsContent *));
        data->fragment = malloc(SQUASHFS_BLOCK_SIZE);
        data->other = malloc(SQUASHFS_BLOCK_SIZE);
        data->fragments = sqfs_frag_table_create(0);
        if (!data->contents || !data->buckets || !data->fragment || !data->other || !data->fragments)
                return -ENOMEM;

        const int r = squashfs_pool_new(compressor, options->n_threads, &data->pool);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(data);
        return 0;
}

/* Writes the block and notes where: in its file, or in the table of fragments. */
static int write_block(SquashfsData *data, const SquashfsBlock *block) {
        const bool packed = block->packed_size > 0;
        const size_t size = packed ? block->packed_size : block->size;
        const uint32_t stored = (uint32_t)size | (packed ? 0 : SQUASHFS_STORED_AS_IS);
        SquashfsContent *content = block->owner;
        uint64_t offset;

        const int r =
                squashfs_channel_append(data->channel, packed ? block->packed : block->data, size, &offset);
        if (r < 0)
                return r;
        if (content == FRAGMENT_OWNER)
                return squashfs_error(
                        sqfs_frag_table_set(data->fragments, (sqfs_u32)block->index, offset, stored));

        /* All blocks of a file follow each other: nothing else is submitted between them. */
        if (content->start == UINT64_MAX)
                content->start = offset;
        content->sizes[block->index] = stored;
        return 0;
}

/* Takes the oldest block out of the pool; false when there is none. */
static int retire_block(SquashfsData *data) {
        void *block;

        int r = interrupt_check();
        if (r < 0)
                return r;
        r = worker_pool_take(data->pool, true, &block);
        if (r <= 0)
                return r;
        r = write_block(data, block);
        if (r < 0)
                return r;
        worker_pool_release(data->pool);
        return true;
}

static int find_room(SquashfsData *data, SquashfsBlock **ret) {
        for (;;) {
                SquashfsBlock *block = worker_pool_room(data->pool);

                if (block) {
                        *ret = block;
                        return 0;
                }
                const int r = retire_block(data);
                if (r < 0)
                        return r;
        }
}

static int flush_fragment(SquashfsData *data) {
        SquashfsBlock *block;

        const int r = find_room(data, &block);
        if (r < 0)
                return r;

        uint8_t *const buffer = block->data;
        block->data = data->fragment;
        block->size = data->fragment_size;
        block->owner = FRAGMENT_OWNER;
        block->index = sqfs_frag_table_get_size(data->fragments) - 1;
        data->fragment = buffer;
        data->fragment_size = 0;
        worker_pool_submit(data->pool);
        return 0;
}

/* Gathers the end of a file, which is in the block that would be submitted next, and the last of its file: this is
 * where the ends before it may be written without coming between the blocks of a file. */
static int add_fragment(SquashfsData *data, SquashfsContent *content, const SquashfsBlock *block) {
        const size_t size = block->size;
        int r;

        if (data->fragment_size + size > SQUASHFS_BLOCK_SIZE) {
                r = flush_fragment(data); /* exchanges the buffers: the end starts the new one */
                if (r < 0)
                        return r;
        } else
                memcpy(data->fragment + data->fragment_size, block->data, size);
        if (data->fragment_size == 0) {
                r = squashfs_error(sqfs_frag_table_append(data->fragments, 0, 0, NULL));
                if (r < 0)
                        return r;
        }

        content->fragment = (uint32_t)sqfs_frag_table_get_size(data->fragments) - 1;
        content->fragment_offset = (uint32_t)data->fragment_size;
        data->fragment_size += size;
        return 0;
}

/* Hashes what tells most files apart. Whether they are the same is found out by comparing them, so that a hash of no
 * great quality costs time only. */
static uint64_t hash_block(const uint8_t *data, size_t size, uint64_t seed) {
        uint64_t hash = seed, word;

        for (; size >= sizeof(word); data += sizeof(word), size -= sizeof(word)) {
                memcpy(&word, data, sizeof(word));
                hash = (hash ^ word) * UINT64_C(0x9e3779b97f4a7c15);
                hash ^= hash >> 29;
        }
        for (; size > 0; data++, size--)
                hash = (hash ^ *data) * UINT64_C(0x9e3779b97f4a7c15);
        return hash ^ hash >> 32;
}

static int compare_rest(SquashfsReader *a, SquashfsReader *b, uint8_t *buffer_a, uint8_t *buffer_b,
                        bool *ret_same) {
        size_t size_a, size_b;
        bool zeros_a, zeros_b;

        for (;;) {
                int r = interrupt_check();
                if (r < 0)
                        return r;
                r = squashfs_reader_next(a, buffer_a, &size_a, &zeros_a);
                if (r < 0)
                        return r;
                r = squashfs_reader_next(b, buffer_b, &size_b, &zeros_b);
                if (r < 0)
                        return r;
                if (size_a == 0) {
                        *ret_same = true;
                        return 0;
                }
                if (zeros_a != zeros_b || (!zeros_a && memcmp(buffer_a, buffer_b, size_a) != 0)) {
                        *ret_same = false;
                        return 0;
                }
        }
}

/* Compares the file with one that was added before, by reading both again: they are in memory, most likely. */
static int compare_files(SquashfsData *data, SquashfsReader *reader, uint8_t *buffer,
                         const SquashfsContent *candidate, bool *ret_same, Reason *reason) {
        _cleanup_(squashfs_reader_close) SquashfsReader old = { .fd = -EBADF };

        const int r = squashfs_reader_open(data->tree, candidate->node, &old);
        if (r < 0)
                return squashfs_refuse(candidate->node, r, NULL, reason);
        squashfs_reader_rewind(reader);
        return compare_rest(reader, &old, buffer, data->other, ret_same);
}

/* Finds a content that is the same as that of the reader, whose first block is in the buffer, and stays there if there
 * is none. */
static int find_same(SquashfsData *data, SquashfsReader *reader, uint8_t *buffer, uint64_t hash,
                     SquashfsContent **ret, Reason *reason) {
        const off_t size = reader->node->status.st_size;
        bool moved = false;

        *ret = NULL;
        for (SquashfsContent *content = data->buckets[hash & (data->n_buckets - 1)]; content;
             content = content->next) {
                bool same = false;

                if (content->hash != hash || content->node->status.st_size != size)
                        continue;
                const int r = compare_files(data, reader, buffer, content, &same, reason);
                if (r < 0)
                        return r;
                if (same) {
                        *ret = content;
                        return 0;
                }
                moved = true;
        }
        if (!moved)
                return 0;

        size_t again_size;
        bool again_zeros;
        squashfs_reader_rewind(reader);
        return squashfs_reader_next(reader, buffer, &again_size, &again_zeros);
}

static int content_new(const TreeNode *node, uint64_t hash, SquashfsContent **ret) {
        const uint64_t n_blocks = divide_round_up((uint64_t)node->status.st_size, SQUASHFS_BLOCK_SIZE);
        _cleanup_(content_freep) SquashfsContent *content = calloc(1, sizeof(SquashfsContent));

        if (n_blocks > BLOCKS_MAX)
                return -EFBIG;
        if (!content)
                return -ENOMEM;
        *content = (SquashfsContent){
                .node = node,
                .hash = hash,
                .start = UINT64_MAX,
                .n_sizes = n_blocks,
                .fragment = SQUASHFS_NONE,
        };
        content->sizes = calloc(n_blocks, sizeof(uint32_t));
        if (!content->sizes)
                return -ENOMEM;
        *ret = TAKE_PTR(content);
        return 0;
}

/* Adds one block that was read into the one that is submitted next. */
static int add_block(SquashfsData *data, SquashfsContent *content, size_t index, SquashfsBlock *block,
                     bool zeros) {
        if (zeros) {
                content->n_zeros += block->size;
                return 0;
        }
        if (block->size < SQUASHFS_BLOCK_SIZE) {
                content->n_sizes--; /* the end is elsewhere */
                return add_fragment(data, content, block);
        }
        block->owner = content;
        block->index = index;
        worker_pool_submit(data->pool);
        return 0;
}

/* Adds a content, whose first block was read already. */
static int add_content(SquashfsData *data, SquashfsContent *content, SquashfsReader *reader,
                       SquashfsBlock *block, bool zeros) {
        for (size_t index = 0;; index++) {
                progress_advance(data->progress, block->size);
                int r = add_block(data, content, index, block, zeros);
                if (r < 0)
                        return r;
                if (reader->position == (uint64_t)content->node->status.st_size)
                        return 0;

                r = interrupt_check();
                if (r < 0)
                        return r;
                r = find_room(data, &block);
                if (r < 0)
                        return r;
                r = squashfs_reader_next(reader, block->data, &block->size, &zeros);
                if (r < 0)
                        return r;
        }
}

int squashfs_data_add(SquashfsData *data, SquashfsReader *reader, Reason *reason) {
        const TreeNode *node = reader->node;
        SquashfsContent *content = NULL;
        SquashfsBlock *block;
        bool zeros;

        assert(data && S_ISREG(node->status.st_mode) && !node->original && node->status.st_size > 0);

        int r = find_room(data, &block);
        if (r < 0)
                return r;
        r = squashfs_reader_next(reader, block->data, &block->size, &zeros);
        if (r < 0)
                return r;
        const uint64_t size = (uint64_t)node->status.st_size;
        const uint64_t hash = hash_block(block->data, zeros ? 0 : block->size, size);
        r = find_same(data, reader, block->data, hash, &content, reason);
        if (r < 0)
                return r;
        if (content) {
                progress_advance(data->progress, size);
                data->contents[node->index] = content;
                return 0;
        }

        r = content_new(node, hash, &content);
        if (r < 0)
                return r;
        SquashfsContent **bucket = &data->buckets[hash & (data->n_buckets - 1)];
        data->contents[node->index] = content;
        content->next = *bucket;
        *bucket = content;
        return add_content(data, content, reader, block, zeros);
}

int squashfs_data_finish(SquashfsData *data) {
        int r = data->fragment_size > 0 ? flush_fragment(data) : 0;

        if (r < 0)
                return r;
        do
                r = retire_block(data);
        while (r > 0);
        return r;
}

const SquashfsContent *squashfs_data_find(const SquashfsData *data, const TreeNode *node) {
        return data->contents[node->index];
}

int squashfs_data_write_fragments(SquashfsData *data, struct sqfs_super_t *super) {
        return squashfs_error(sqfs_frag_table_write(data->fragments, squashfs_channel_file(data->channel),
                                                    super, data->compressor));
}
