/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "format/squashfs.h"

static bool is_zeros(const uint8_t *data, size_t size) {
        return data[0] == 0 && memcmp(data, data + 1, size - 1) == 0;
}

/* Finds the data at the position or behind it. */
static int find_data(SquashfsReader *reader) {
        const uint64_t size = (uint64_t)reader->node->status.st_size;

        const off_t data = lseek(reader->fd, (off_t)reader->position, SEEK_DATA);
        if (data < 0 && errno == ENXIO) {
                reader->data_offset = reader->data_end = size;
                return 0;
        }
        if (data < 0)
                return -errno;
        const off_t hole = lseek(reader->fd, data, SEEK_HOLE);
        if (hole < 0)
                return -errno;
        reader->data_offset = (uint64_t)data;
        reader->data_end = (uint64_t)hole;
        return 0;
}

int squashfs_reader_open(const Tree *tree, const TreeNode *node, SquashfsReader *ret) {
        SquashfsReader reader = { .node = node };
        const uint64_t size = (uint64_t)node->status.st_size;
        struct stat status;

        reader.fd = tree_open(tree, node);
        if (reader.fd < 0)
                return reader.fd;
        if ((uint64_t)node->status.st_blocks * 512 >= size) {
                reader.data_end = size; /* no room for a hole, so none is looked for */
                *ret = reader;
                return 0;
        }

        /* Reading does not notice that a hole at the end is gone. */
        if (fstat(reader.fd, &status) < 0 || (uint64_t)status.st_size < size) {
                squashfs_reader_close(&reader);
                return -ENODATA;
        }
        *ret = reader;
        return 0;
}

void squashfs_reader_close(SquashfsReader *reader) {
        reader->fd = fd_close(reader->fd);
}

int squashfs_reader_next(SquashfsReader *reader, uint8_t *buffer, size_t *ret_size, bool *ret_zeros) {
        const uint64_t left = (uint64_t)reader->node->status.st_size - reader->position;
        const size_t size = (size_t)MIN(left, SQUASHFS_BLOCK_SIZE);
        int r;

        if (size == 0) {
                *ret_size = 0;
                *ret_zeros = false;
                return 0;
        }
        if (reader->position >= reader->data_end) {
                r = find_data(reader);
                if (r < 0)
                        return r;
        }

        bool zeros = reader->data_offset >= reader->position + size;
        if (!zeros) {
                r = fd_pread_all(reader->fd, buffer, size, reader->position);
                if (r < 0)
                        return r;
                zeros = is_zeros(buffer, size);
        }
        reader->position += size;
        *ret_size = size;
        *ret_zeros = zeros;
        return 0;
}

void squashfs_reader_rewind(SquashfsReader *reader) {
        reader->position = 0;
        if (reader->data_offset > 0 || reader->data_end < (uint64_t)reader->node->status.st_size)
                reader->data_offset = reader->data_end = 0;
}
