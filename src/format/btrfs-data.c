/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/crc32c.h"
#include "base/fd.h"
#include "base/interrupt.h"
#include "base/tree-walk.h"
#include "format/btrfs-pool.h"
#include "format/btrfs.h"

#define SECTORS_MAX (BTRFS_OUTPUT_BUFFER_SIZE / BTRFS_SECTOR_SIZE)

/* What is left free behind the data: the kernel lets nobody write, not even what would become inline, before it has seen
 * that there is room for data. */
#define DATA_SLACK (4 * MIB)

/* Contents on their way to the disk. */
typedef struct Writer {
        BtrfsPlan *plan;
        TreeWalk walk;
        BtrfsOutput *output;
        BtrfsSpace *space;
        BtrfsData *data;
        WorkerPool *pool; /* NULL: nothing is compressed */
        uint32_t sums[SECTORS_MAX];
} Writer;

/* A regular file being read. */
typedef struct File {
        const TreeNode *node;
        int fd;
        uint64_t size;
} File;

static int read_padded(const File *file, uint64_t offset, uint8_t *buffer, size_t size) {
        const size_t n = (size_t)MIN((uint64_t)size, file->size - offset);

        memset(buffer + n, 0, size - n);
        return fd_pread_all(file->fd, buffer, n, offset);
}

/* Fills what was taken of the disk: reads the file right into the buffer that is written. */
static int fill(Writer *writer, const File *file, uint64_t offset, uint64_t address, uint64_t size) {
        BtrfsInode *inode = btrfs_inode(writer->plan, file->node);

        while (size > 0) {
                uint8_t *room;
                size_t part;

                int r = btrfs_output_room(writer->output, address, (size_t)size, &room, &part);
                if (r < 0)
                        return r;
                r = read_padded(file, offset, room, part);
                if (r < 0)
                        return r;
                crc32c_blocks(room, part / BTRFS_SECTOR_SIZE, BTRFS_SECTOR_SIZE, writer->sums);
                const BtrfsExtent extent = { .offset = offset,
                                             .address = address,
                                             .size = (uint32_t)part,
                                             .disk_size = (uint32_t)part };
                r = btrfs_data_add(writer->data, inode, &extent, writer->sums);
                if (r < 0)
                        return r;
                progress_advance(writer->plan->options->progress, MIN((uint64_t)part, file->size - offset));
                offset += part;
                address += part;
                size -= part;
                r = interrupt_check();
                if (r < 0)
                        return r;
        }
        return 0;
}

/* Writes whole sectors of a file as they are. */
static int write_plain(Writer *writer, const File *file, uint64_t offset, uint64_t end) {
        while (offset < end) {
                uint64_t address, size;

                int r = btrfs_space_take(writer->space, BTRFS_BLOCK_GROUP_DATA, BTRFS_SECTOR_SIZE,
                                         MIN(end - offset, BTRFS_CHUNK_SIZE_MAX), &address, &size);
                if (r < 0)
                        return r;
                r = fill(writer, file, offset, address, size);
                if (r < 0)
                        return r;
                offset += size;
        }
        return 0;
}

static int write_inline(Writer *writer, const File *file) {
        uint8_t buffer[BTRFS_INLINE_SIZE_MAX];
        const BtrfsExtent extent = { .size = (uint32_t)file->size,
                                     .disk_size = (uint32_t)file->size,
                                     .is_inline = true };

        const int r = fd_pread_all(file->fd, buffer, (size_t)file->size, 0);
        if (r < 0)
                return r;
        progress_advance(writer->plan->options->progress, file->size);
        return btrfs_data_add_inline(writer->data, btrfs_inode(writer->plan, file->node), &extent, buffer);
}

/* Puts the sectors of a piece onto the disk; those that are not compressed may lie in several places. */
static int place_sectors(Writer *writer, const BtrfsPiece *piece) {
        const bool is_plain = piece->encoding == BTRFS_ENCODING_NONE;

        for (uint64_t done = 0, address, size; done < piece->stored_size; done += size) {
                const uint64_t left = piece->stored_size - done;

                int r = btrfs_space_take(writer->space, BTRFS_BLOCK_GROUP_DATA,
                                         is_plain ? BTRFS_SECTOR_SIZE : left, left, &address, &size);
                if (r < 0)
                        return r;
                r = btrfs_output_write(writer->output, address, piece->stored + done, (size_t)size);
                if (r < 0)
                        return r;
                const BtrfsExtent extent = {
                        .offset = piece->offset + done,
                        .address = address,
                        .size = (uint32_t)(is_plain ? size : align_up(piece->size, BTRFS_SECTOR_SIZE)),
                        .disk_size = (uint32_t)size,
                        .encoding = piece->encoding,
                };
                r = btrfs_data_add(writer->data, btrfs_inode(writer->plan, piece->node), &extent,
                                   piece->sums + done / BTRFS_SECTOR_SIZE);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* Puts the oldest piece that is under way to where it belongs. Answers 0 when there was none. */
static int place_piece(Writer *writer) {
        void *job;

        int r = worker_pool_take(writer->pool, true, &job);
        if (r <= 0)
                return r;
        const BtrfsPiece *piece = job;
        if (piece->is_inline) {
                const BtrfsExtent extent = { .size = (uint32_t)piece->size,
                                             .disk_size = (uint32_t)piece->stored_size,
                                             .encoding = piece->encoding,
                                             .is_inline = true };

                r = btrfs_data_add_inline(writer->data, btrfs_inode(writer->plan, piece->node), &extent,
                                          piece->stored);
        } else
                r = place_sectors(writer, piece);
        if (r < 0)
                return r;
        worker_pool_release(writer->pool);
        return 1;
}

static int compress_range(Writer *writer, const File *file, uint64_t offset, uint64_t end) {
        end = MIN(end, file->size);
        while (offset < end) {
                BtrfsPiece *piece = worker_pool_room(writer->pool);
                int r;

                if (!piece) {
                        r = place_piece(writer);
                        if (r < 0)
                                return r;
                        continue;
                }
                piece->node = file->node;
                piece->offset = offset;
                piece->size = (size_t)MIN(end - offset, BTRFS_PIECE_SIZE);
                piece->is_whole = file->size <= BTRFS_SECTOR_SIZE;
                r = fd_pread_all(file->fd, piece->data, piece->size, offset);
                if (r < 0)
                        return r;
                worker_pool_submit(writer->pool);
                progress_advance(writer->plan->options->progress, piece->size);
                offset += piece->size;
                r = interrupt_check();
                if (r < 0)
                        return r;
        }
        return 0;
}

static int write_range(Writer *writer, const File *file, uint64_t offset, uint64_t end) {
        if (writer->pool)
                return compress_range(writer, file, offset, end);
        if (file->size <= BTRFS_INLINE_SIZE_MAX)
                return write_inline(writer, file);
        return write_plain(writer, file, offset, end);
}

/* What is no hole for the source's file system, in whole sectors. */
static int write_sparse(Writer *writer, const File *file) {
        uint64_t begin = 0, end = 0; /* what was found but is not written yet */
        struct stat status;

        /* Behind its end a file that shrank would look like a hole. */
        if (fstat(file->fd, &status) < 0)
                return -errno;
        if ((uint64_t)status.st_size < file->size)
                return -ENODATA;

        for (uint64_t position = 0; position < file->size;) {
                const off_t data = lseek(file->fd, (off_t)position, SEEK_DATA);
                if (data < 0 && errno != ENXIO)
                        return -errno;
                if (data < 0 || (uint64_t)data >= file->size)
                        break;
                const off_t hole = lseek(file->fd, data, SEEK_HOLE);
                if (hole < 0)
                        return -errno;

                const uint64_t start = (uint64_t)data & ~(BTRFS_SECTOR_SIZE - 1);
                position = MIN((uint64_t)hole, file->size);
                if (start > end) {
                        const int r = end > begin ? write_range(writer, file, begin, end) : 0;
                        if (r < 0)
                                return r;
                        begin = start;
                }
                end = align_up(position, BTRFS_SECTOR_SIZE);
        }
        return end > begin ? write_range(writer, file, begin, end) : 0;
}

static int write_file(Writer *writer, const TreeNode *node) {
        _cleanup_(fd_closep) int fd = -EBADF;
        const uint64_t size = (uint64_t)node->status.st_size;

        if (size == 0)
                return 0;
        fd = tree_walk_open(&writer->walk, node);
        if (fd < 0)
                return fd;

        const File file = { .node = node, .fd = fd, .size = size };
        if ((uint64_t)node->status.st_blocks * 512 >= size)
                return write_range(writer, &file, 0, align_up(size, BTRFS_SECTOR_SIZE));
        return write_sparse(writer, &file);
}

static int reason_for(const TreeNode *node, int r, Reason *reason) {
        _cleanup_(freep) char *path = NULL;

        if (r == -EINTR || tree_node_path(node, &path) < 0)
                return r;
        return reason_set(reason, r, "Cannot copy '%s' into the file system: %m", path);
}

static int place_rest(Writer *writer) {
        int r = writer->pool ? 1 : 0;

        while (r > 0)
                r = place_piece(writer);
        return r;
}

static int start_pool(Writer *writer, const FilesystemOptions *options, Reason *reason) {
        if (options->compression == COMPRESSION_NONE)
                return 0;
        const int r = btrfs_pool_new(options->compression, options->compression_level, options->n_threads,
                                     &writer->pool);
        if (r == -EINVAL)
                return reason_set(reason, r, "btrfs has no level %d of %s", options->compression_level,
                                  compression_names[options->compression]);
        return r;
}

static void writer_free(Writer *writer) {
        if (!writer)
                return;
        worker_pool_free(writer->pool);
        tree_walk_done(&writer->walk);
        free(writer);
}
DEFINE_CLEANUP(Writer, writer_free)

int btrfs_data_write(BtrfsPlan *plan, BtrfsOutput *output, BtrfsSpace *space, BtrfsData *data,
                     Reason *reason) {
        const Tree *tree = plan->tree;
        _cleanup_(writer_freep) Writer *writer = calloc(1, sizeof(Writer));

        if (!writer)
                return -ENOMEM;
        *writer = (Writer){
                .plan = plan, .walk = tree_walk(tree), .output = output, .space = space, .data = data
        };
        int r = start_pool(writer, plan->options, reason);
        if (r < 0)
                return r;
        for (size_t i = 0; i < tree->n_nodes; i++) {
                const TreeNode *node = tree->nodes[i];

                if (!S_ISREG(node->status.st_mode) || btrfs_inode(plan, node)->first != node)
                        continue;
                r = interrupt_check();
                if (r < 0)
                        return r;
                r = write_file(writer, node);
                if (r < 0)
                        return reason_for(node, r, reason);
        }
        r = place_rest(writer);
        if (r < 0)
                return r;
        if (space->n_chunks == 0) {
                r = btrfs_space_open(space, BTRFS_BLOCK_GROUP_DATA);
                if (r < 0)
                        return r;
        }
        btrfs_space_close(space, DATA_SLACK);
        return 0;
}
