/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <sqfs/compressor.h>
#include <sqfs/super.h>

#include "base/fd.h"
#include "base/interrupt.h"
#include "base/parse.h"
#include "format/squashfs.h"

/* What is needed to write one. */
typedef struct SquashfsWriter {
        const Tree *tree;
        const FilesystemOptions *options;
        SquashfsChannel *channel;
        struct sqfs_compressor_t *compressor;
        SquashfsData *data;
        SquashfsInodes *inodes;
        sqfs_super_t super;
} SquashfsWriter;

static void writer_done(SquashfsWriter *writer) {
        squashfs_inodes_free(writer->inodes);
        squashfs_data_free(writer->data);
        squashfs_compressor_free(writer->compressor);
        squashfs_channel_free(writer->channel);
}

static int init_super(SquashfsWriter *writer, Reason *reason) {
        const FilesystemOptions *options = writer->options;

        if (options->time < 0 || options->time > UINT32_MAX)
                return reason_set(reason, -ERANGE, "squashfs: its time must be from 1970 to 2106");
        const int r = sqfs_super_init(&writer->super, SQUASHFS_BLOCK_SIZE, (sqfs_u32)options->time,
                                      squashfs_compressor_id(options->compression));
        if (r < 0)
                return squashfs_error(r);
        if (options->compression == COMPRESSION_NONE)
                writer->super.flags |= SQFS_FLAG_UNCOMPRESSED_INODES | SQFS_FLAG_UNCOMPRESSED_DATA |
                                       SQFS_FLAG_UNCOMPRESSED_FRAGMENTS | SQFS_FLAG_UNCOMPRESSED_XATTRS |
                                       SQFS_FLAG_UNCOMPRESSED_IDS;
        return 0;
}

/* Leaves room for the super block, and writes what the algorithm has to say behind it. */
static int write_head(SquashfsWriter *writer) {
        sqfs_file_t *file = squashfs_channel_file(writer->channel);

        const int r = squashfs_error(sqfs_super_write(&writer->super, file));
        if (r < 0)
                return r;
        const int written = writer->compressor->write_options(writer->compressor, file);
        if (written > 0)
                writer->super.flags |= SQFS_FLAG_COMPRESSOR_OPTIONS;
        return written < 0 ? squashfs_error(written) : 0;
}

static int writer_init(SquashfsWriter *writer, const FilesystemPlace *place, Reason *reason) {
        const FilesystemOptions *options = writer->options;

        int r = squashfs_compressor_new(options->compression, options->compression_level, &writer->compressor,
                                        reason);
        if (r < 0)
                return r;
        r = init_super(writer, reason);
        if (r < 0)
                return r;
        r = squashfs_channel_new(place, &writer->channel);
        if (r < 0)
                return r;
        r = squashfs_data_new(writer->tree, options, writer->channel, writer->compressor, &writer->data);
        if (r < 0)
                return r;
        return squashfs_inodes_new(writer->tree, options, writer->channel, writer->compressor,
                                   &writer->inodes);
}

static int add_node(SquashfsWriter *writer, const TreeNode *node, Reason *reason) {
        const bool has_content = S_ISREG(node->status.st_mode) && node->status.st_size > 0;
        _cleanup_(squashfs_reader_close) SquashfsReader reader = { .fd = -EBADF };

        int r = has_content ? squashfs_reader_open(writer->tree, node, &reader) : interrupt_check();
        if (r < 0)
                return r;
        r = squashfs_inodes_add(writer->inodes, node, reader.fd, reason);
        if (r < 0 || !has_content)
                return r;
        return squashfs_data_add(writer->data, &reader, reason);
}

/* Goes through the tree once. The threads compress what was read of files, while attributes are read here. */
static int add_nodes(SquashfsWriter *writer, Reason *reason) {
        for (size_t i = 0; i < writer->tree->n_nodes; i++) {
                const TreeNode *node = writer->tree->nodes[i];

                const int r = node->original ? 0 : add_node(writer, node, reason);
                if (r < 0)
                        return squashfs_refuse(node, r, NULL, reason);
        }
        return squashfs_data_finish(writer->data);
}

static int write_all(SquashfsWriter *writer, Reason *reason) {
        int r = write_head(writer);
        if (r < 0)
                return r;
        r = add_nodes(writer, reason);
        if (r < 0)
                return r;
        r = squashfs_inodes_write(writer->inodes, writer->data, &writer->super, reason);
        if (r < 0)
                return r;
        r = squashfs_data_write_fragments(writer->data, &writer->super);
        if (r < 0)
                return r;
        r = squashfs_inodes_write_tables(writer->inodes, &writer->super);
        if (r < 0)
                return r;

        writer->super.bytes_used = squashfs_channel_size(writer->channel);
        return squashfs_error(sqfs_super_write(&writer->super, squashfs_channel_file(writer->channel)));
}

static int refuse_size(uint64_t size, uint64_t needed, Reason *reason) {
        char text_needed[24], text_given[24];

        size_format_rounded(size, text_given);
        size_format_rounded(align_up(needed, MIB), text_needed);
        return reason_set(reason, -ENOSPC,
                          "The tree needs a squashfs file system of %s, and this one has only %s",
                          text_needed, text_given);
}

/* Reserve and grain are for file systems that are written to later; this one is as large as its content. */
static int squashfs_make(const Tree *tree, const FilesystemOptions *options, const FilesystemPlace *place,
                         uint64_t *ret_size, Reason *reason) {
        _cleanup_(writer_done) SquashfsWriter writer = { .tree = tree, .options = options };

        assert(tree && options && place && ret_size);

        int r = writer_init(&writer, place, reason);
        if (r < 0)
                return r;
        r = write_all(&writer, reason);
        if (r < 0)
                return r;

        const uint64_t size = align_up(writer.super.bytes_used, SQUASHFS_ALIGNMENT);
        if (place->size > 0 && size > place->size) {
                *ret_size = size;
                return refuse_size(place->size, size, reason);
        }
        r = fd_extend(place->fd, place->offset + (place->size > 0 ? place->size : size));
        if (r < 0)
                return r;
        *ret_size = size;
        return 0;
}

const Filesystem filesystem_squashfs = {
        .name = "squashfs",
        .read_only = true,
        .check_compression = squashfs_check_compression,
        .compressions = 1U << COMPRESSION_ZLIB | 1U << COMPRESSION_LZO | 1U << COMPRESSION_LZ4 |
                        1U << COMPRESSION_XZ | 1U << COMPRESSION_ZSTD,
        .make = squashfs_make,
};
