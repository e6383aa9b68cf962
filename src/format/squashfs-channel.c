/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <sqfs/error.h>
#include <sqfs/io.h>

#include "base/fd.h"
#include "format/squashfs.h"

/* libsquashfs hands errors of its file through unchanged, but its own are small negative numbers as well. */
#define ERRNO_OFFSET 4096

struct SquashfsChannel {
        sqfs_file_t file;
        FilesystemPlace place;
        uint64_t size; /* of what was written, or would have been */
};

int squashfs_error(int error) {
        if (error >= 0)
                return 0;
        if (error <= -ERRNO_OFFSET)
                return error + ERRNO_OFFSET;
        switch (error) {
        case SQFS_ERROR_ALLOC:
                return -ENOMEM;
        case SQFS_ERROR_UNSUPPORTED:
                return -EOPNOTSUPP;
        case SQFS_ERROR_OVERFLOW:
                return -EFBIG;
        default:
                return -EIO;
        }
}

static int channel_write(SquashfsChannel *channel, uint64_t offset, const void *data, size_t size) {
        const uint64_t room = channel->place.size == 0 ? UINT64_MAX : channel->place.size;

        if (offset < room) {
                const int r =
                        fd_pwrite_all(channel->place.fd, data, (size_t)MIN((uint64_t)size, room - offset),
                                      channel->place.offset + offset);
                if (r < 0)
                        return r;
        }
        channel->size = MAX(channel->size, offset + size);
        return 0;
}

static int file_write_at(sqfs_file_t *file, sqfs_u64 offset, const void *data, size_t size) {
        const int r = channel_write((SquashfsChannel *)file, offset, data, size);

        return r < 0 ? r - ERRNO_OFFSET : 0;
}

/* Nothing that writes asks for what was written. */
static int file_read_at(sqfs_file_t *file, sqfs_u64 offset, void *data, size_t size) {
        return SQFS_ERROR_UNSUPPORTED;
}

static int file_truncate(sqfs_file_t *file, sqfs_u64 size) {
        return SQFS_ERROR_UNSUPPORTED;
}

static sqfs_u64 file_get_size(const sqfs_file_t *file) {
        return ((const SquashfsChannel *)file)->size;
}

static void file_destroy(sqfs_object_t *object) {
        free(object);
}

int squashfs_channel_new(const FilesystemPlace *place, SquashfsChannel **ret) {
        SquashfsChannel *channel = calloc(1, sizeof(SquashfsChannel));

        assert(place && ret);

        if (!channel)
                return -ENOMEM;
        channel->file = (sqfs_file_t){
                .base.destroy = file_destroy,
                .read_at = file_read_at,
                .write_at = file_write_at,
                .get_size = file_get_size,
                .truncate = file_truncate,
        };
        channel->place = *place;
        *ret = channel;
        return 0;
}

void squashfs_channel_free(SquashfsChannel *channel) {
        free(channel);
}

int squashfs_channel_append(SquashfsChannel *channel, const void *data, size_t size, uint64_t *ret_offset) {
        const uint64_t offset = channel->size;

        const int r = channel_write(channel, offset, data, size);
        if (r < 0)
                return r;
        *ret_offset = offset;
        return 0;
}

uint64_t squashfs_channel_size(const SquashfsChannel *channel) {
        return channel->size;
}

struct sqfs_file_t *squashfs_channel_file(SquashfsChannel *channel) {
        return &channel->file;
}
