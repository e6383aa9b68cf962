/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <stddef.h>
#include <string.h>

#include <ext2fs/ext2fs.h>

#include "base/fd.h"
#include "format/ext4.h"

/* The last block that was written stays here until another one is: libext2fs writes a block of inodes anew for each of
 * its sixteen inodes. */
typedef struct Channel {
        struct struct_io_channel io;
        FilesystemPlace place;
        bool dirty;
        uint64_t offset; /* of the block, from the start of the place */
        uint8_t block[EXT4_BLOCK_SIZE];
} Channel;

static Channel *channel_of(io_channel io) {
        return io->private_data;
}

static errcode_t channel_flush(io_channel io) {
        Channel *channel = channel_of(io);

        if (!channel->dirty)
                return 0;
        channel->dirty = false;
        return -fd_pwrite_all(channel->place.fd, channel->block, sizeof(channel->block),
                              channel->place.offset + channel->offset);
}

/* libext2fs counts in blocks, or in bytes when count is negative. -1 if that is outside of the place. */
static int64_t range_size(io_channel io, unsigned long long block, int count) {
        const uint64_t block_size = (uint64_t)io->block_size, end = channel_of(io)->place.size;
        const uint64_t size = count < 0 ? (uint64_t) - (int64_t)count : (uint64_t)count * block_size;

        if (block > end / block_size || size > end - block * block_size)
                return -1;
        return (int64_t)size;
}

static errcode_t channel_read(io_channel io, unsigned long long block, int count, void *data) {
        Channel *channel = channel_of(io);
        const int64_t size = range_size(io, block, count);
        const uint64_t offset = block * (uint64_t)io->block_size;

        if (size < 0)
                return EXT2_ET_SHORT_READ;
        if (channel->dirty && offset == channel->offset && size == EXT4_BLOCK_SIZE) {
                memcpy(data, channel->block, EXT4_BLOCK_SIZE);
                return 0;
        }

        const errcode_t error = channel_flush(io);
        if (error)
                return error;
        return -fd_pread_all(channel->place.fd, data, (size_t)size, channel->place.offset + offset);
}

static errcode_t channel_write(io_channel io, unsigned long long block, int count, const void *data) {
        Channel *channel = channel_of(io);
        const int64_t size = range_size(io, block, count);
        const uint64_t offset = block * (uint64_t)io->block_size;

        if (size < 0)
                return EXT2_ET_SHORT_WRITE;
        if (!channel->dirty || offset != channel->offset || size != EXT4_BLOCK_SIZE) {
                const errcode_t error = channel_flush(io);
                if (error)
                        return error;
        }
        if (size != EXT4_BLOCK_SIZE)
                return -fd_pwrite_all(channel->place.fd, data, (size_t)size, channel->place.offset + offset);

        memcpy(channel->block, data, EXT4_BLOCK_SIZE);
        channel->offset = offset;
        channel->dirty = true;
        return 0;
}

static errcode_t channel_read_32(io_channel io, unsigned long block, int count, void *data) {
        return channel_read(io, block, count, data);
}

static errcode_t channel_write_32(io_channel io, unsigned long block, int count, const void *data) {
        return channel_write(io, block, count, data);
}

static errcode_t channel_zeroout(io_channel io, unsigned long long block, unsigned long long count) {
        return 0; /* libext2fs asks for it only where nothing was written yet, and the place reads as zeros */
}

static errcode_t channel_set_block_size(io_channel io, int block_size) {
        io->block_size = block_size;
        return 0;
}

static errcode_t channel_close(io_channel io) {
        free(channel_of(io));
        return 0;
}

static errcode_t channel_open(const char *name, int flags, io_channel *ret) {
        Channel *channel = calloc(1, sizeof(Channel));

        if (!channel)
                return EXT2_ET_NO_MEMORY;
        channel->place.fd = -EBADF;
        channel->io = (struct struct_io_channel){
                .magic = EXT2_ET_MAGIC_IO_CHANNEL,
                .manager = ext4_channel_manager,
                .name = (char *)"",
                .block_size = 1024,
                .refcount = 1,
                .private_data = channel,
        };
        *ret = &channel->io;
        return 0;
}

static const struct struct_io_manager channel_manager = {
        .magic = EXT2_ET_MAGIC_IO_MANAGER,
        .name = "file at an offset",
        .open = channel_open,
        .close = channel_close,
        .set_blksize = channel_set_block_size,
        .read_blk = channel_read_32,
        .write_blk = channel_write_32,
        .read_blk64 = channel_read,
        .write_blk64 = channel_write,
        .flush = channel_flush,
        .zeroout = channel_zeroout,
};

struct struct_io_manager *const ext4_channel_manager = (struct struct_io_manager *)&channel_manager;

void ext4_channel_attach(struct struct_ext2_filsys *volume, const FilesystemPlace *place) {
        channel_of(volume->io)->place = *place;
}
