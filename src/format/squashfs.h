/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* How a squashfs is made, for the files squashfs*.c only. File contents are cut into blocks, which a pool of threads
 * compresses and hands back in the order they came in; behind them come the tables: inodes, directories, fragments,
 * export, ids, attributes; the super block is written last. Terms and structures: Documentation/filesystems/squashfs.rst
 * in the Linux kernel's source. */

#include "base/macro.h"
#include "base/reason.h"
#include "base/tree.h"
#include "base/worker-pool.h"
#include "format/filesystem.h"

struct sqfs_compressor_t;
struct sqfs_file_t;
struct sqfs_super_t;

/* Of file contents: what is compressed on its own, and read as a whole, so that a small read costs as much as all of it.
 * Of a Debian tree of 850 MB, 256 KiB would save 1.3 % and 1 MiB 6 %. */
#define SQUASHFS_BLOCK_SIZE (128 * KIB)

/* What the size is rounded up to: a device has whole pages. */
#define SQUASHFS_ALIGNMENT 4096

#define SQUASHFS_STORED_AS_IS (1U << 24) /* in the size of a block: it did not become smaller */
#define SQUASHFS_NONE         UINT32_MAX /* no fragment, no attributes */

/* Turns an error of libsquashfs, or one that squashfs_channel_file() passed through it, into a negative errno. */
int squashfs_error(int error);

/* Where everything is written to: the place, from its start. What lies behind the place's end is counted and forgotten,
 * so that the size that would do is known in the end. */
typedef struct SquashfsChannel SquashfsChannel;

int squashfs_channel_new(const FilesystemPlace *place, SquashfsChannel **ret);
void squashfs_channel_free(SquashfsChannel *channel);
DEFINE_CLEANUP(SquashfsChannel, squashfs_channel_free)
int squashfs_channel_append(SquashfsChannel *channel, const void *data, size_t size, uint64_t *ret_offset);
uint64_t squashfs_channel_size(const SquashfsChannel *channel);
struct sqfs_file_t *squashfs_channel_file(SquashfsChannel *channel);

/* -EINVAL, with a reason, when squashfs knows no such level (0 is always fine), -EOPNOTSUPP when this libsquashfs was
 * built without the algorithm. */
int squashfs_check_compression(Compression compression, int level, Reason *reason);

/* What it makes of a block is smaller, or 0 bytes. */
int squashfs_compressor_new(Compression compression, int level, struct sqfs_compressor_t **ret,
                            Reason *reason);
void squashfs_compressor_free(struct sqfs_compressor_t *compressor);
DEFINE_CLEANUP(struct sqfs_compressor_t, squashfs_compressor_free)
/* What the super block calls the algorithm. */
unsigned squashfs_compressor_id(Compression compression);

/* A block on its way through the pool: the job of its workers, who compress it. */
typedef struct SquashfsBlock {
        uint8_t *data; /* room for SQUASHFS_BLOCK_SIZE; may be exchanged for another such buffer */
        size_t size;
        uint8_t *packed;
        size_t packed_size; /* 0: stored as it is */
        void *owner;        /* these two are for who takes the block out */
        uint64_t index;
} SquashfsBlock;

/* Each thread has a copy of the compressor. */
int squashfs_pool_new(const struct sqfs_compressor_t *compressor, unsigned n_threads, WorkerPool **ret);

/* Reads a file of the tree block by block, its size being that of the TreeNode. */
typedef struct SquashfsReader {
        const TreeNode *node;
        int fd;
        uint64_t position;
        uint64_t data_offset, data_end; /* no hole, as far as it was asked for */
} SquashfsReader;

int squashfs_reader_open(const Tree *tree, const TreeNode *node, SquashfsReader *ret);
void squashfs_reader_close(SquashfsReader *reader);
void squashfs_reader_rewind(SquashfsReader *reader);
/* Reads the next block, the last one of which may be shorter; 0 bytes at the end. When it has nothing but zeros, the
 * buffer may be left as it is. -ENODATA when the file has become shorter. */
int squashfs_reader_next(SquashfsReader *reader, uint8_t *buffer, size_t *ret_size, bool *ret_zeros);

/* The content of a file, or of several that have the same. */
typedef struct SquashfsContent SquashfsContent;

struct SquashfsContent {
        const TreeNode *node; /* the first that has it */
        uint64_t start;
        uint32_t *sizes; /* of each block as it is stored; 0: nothing but zeros, not stored */
        size_t n_sizes;
        uint64_t n_zeros; /* bytes in such blocks */
        uint32_t fragment, fragment_offset;

        uint64_t hash; /* of the first block */
        SquashfsContent *next;
};

/* Compresses and writes the contents of files, each of them once. */
typedef struct SquashfsData SquashfsData;

int squashfs_data_new(const Tree *tree, const FilesystemOptions *options, SquashfsChannel *channel,
                      struct sqfs_compressor_t *compressor, SquashfsData **ret);
void squashfs_data_free(SquashfsData *data);
DEFINE_CLEANUP(SquashfsData, squashfs_data_free)

/* Adds the content of a regular file that is not empty, by a reader at its start; the order of the calls is that of the
 * data. */
int squashfs_data_add(SquashfsData *data, SquashfsReader *reader, Reason *reason);
/* Waits until all is written. */
int squashfs_data_finish(SquashfsData *data);
/* NULL when the file is empty. */
const SquashfsContent *squashfs_data_find(const SquashfsData *data, const TreeNode *node);
int squashfs_data_write_fragments(SquashfsData *data, struct sqfs_super_t *super);

/* Inodes and directories, with the ids and attributes that they refer to. */
typedef struct SquashfsInodes SquashfsInodes;

int squashfs_inodes_new(const Tree *tree, const FilesystemOptions *options, SquashfsChannel *channel,
                        struct sqfs_compressor_t *compressor, SquashfsInodes **ret);
void squashfs_inodes_free(SquashfsInodes *inodes);
DEFINE_CLEANUP(SquashfsInodes, squashfs_inodes_free)

/* Notes owner and attributes of the node, which is no further link, and refuses what squashfs cannot store. Where the
 * node is open, its descriptor saves looking for attributes by name. */
int squashfs_inodes_add(SquashfsInodes *inodes, const TreeNode *node, int fd, Reason *reason);
/* Writes all inodes and directories; then the tables that belong behind the fragments. */
int squashfs_inodes_write(SquashfsInodes *inodes, const SquashfsData *data, struct sqfs_super_t *super,
                          Reason *reason);
int squashfs_inodes_write_tables(SquashfsInodes *inodes, struct sqfs_super_t *super);

/* Names the node in the reason, and returns r. */
int squashfs_refuse(const TreeNode *node, int r, const char *why, Reason *reason);
