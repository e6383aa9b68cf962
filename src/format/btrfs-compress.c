/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <string.h>

#include <zlib.h>
#include <zstd.h>

#include "format/btrfs-compress.h"
#include "format/btrfs-disk.h"
#include "format/lzo.h"

/* A row for each compression: how btrfs calls it on disk, and its levels. */
typedef struct Method {
        Compression compression;
        uint8_t encoding;
        int level_default, level_max;
        int (*init)(BtrfsCompressor *compressor, int level); /* this and done: NULL where nothing is kept */
        void (*done)(BtrfsCompressor *compressor);
        int (*run)(BtrfsCompressor *compressor, const void *from, size_t size, void *to, size_t room,
                   size_t *ret_size);
} Method;

struct BtrfsCompressor {
        const Method *method;
        z_stream stream;    /* zlib */
        ZSTD_CCtx *context; /* zstd */
};

static int zlib_init(BtrfsCompressor *compressor, int level) {
        switch (deflateInit(&compressor->stream, level)) {
        case Z_OK:
                return 0;
        case Z_MEM_ERROR:
                return -ENOMEM;
        default:
                return -EINVAL;
        }
}

static void zlib_done(BtrfsCompressor *compressor) {
        (void)deflateEnd(&compressor->stream);
}

static int zlib_run(BtrfsCompressor *compressor, const void *from, size_t size, void *to, size_t room,
                    size_t *ret_size) {
        z_stream *stream = &compressor->stream;

        if (deflateReset(stream) != Z_OK)
                return -EIO;
        stream->next_in = (Bytef *)from;
        stream->avail_in = (uInt)size;
        stream->next_out = to;
        stream->avail_out = (uInt)room;
        if (deflate(stream, Z_FINISH) != Z_STREAM_END)
                return 0;
        *ret_size = room - stream->avail_out;
        return 1;
}

/* The frame has the size of its content, and so readers need a window of that size and no larger. */
static int zstd_init(BtrfsCompressor *compressor, int level) {
        compressor->context = ZSTD_createCCtx();
        if (!compressor->context)
                return -ENOMEM;
        if (ZSTD_isError(ZSTD_CCtx_setParameter(compressor->context, ZSTD_c_compressionLevel, level)) ||
            ZSTD_isError(ZSTD_CCtx_setParameter(compressor->context, ZSTD_c_contentSizeFlag, 1)))
                return -EINVAL;
        return 0;
}

static void zstd_done(BtrfsCompressor *compressor) {
        (void)ZSTD_freeCCtx(compressor->context);
}

static int zstd_run(BtrfsCompressor *compressor, const void *from, size_t size, void *to, size_t room,
                    size_t *ret_size) {
        const size_t n = ZSTD_compress2(compressor->context, to, room, from, size);

        if (ZSTD_isError(n))
                return 0;
        *ret_size = n;
        return 1;
}

/* LZO compresses each sector by itself. In front of everything is its size, in front of every sector too; and that size
 * never lies across the border of two sectors. */
static int lzo_run(BtrfsCompressor *compressor, const void *from, size_t size, void *to, size_t room,
                   size_t *ret_size) {
        uint8_t sector[LZO_OUTPUT_SIZE_MAX], *out = to;
        size_t n = sizeof(uint32_t);

        for (size_t done = 0, part; done < size; done += part) {
                part = MIN(size - done, (size_t)LZO_SIZE_MAX);
                const size_t left = BTRFS_SECTOR_SIZE - n % BTRFS_SECTOR_SIZE;
                const size_t gap = left < sizeof(uint32_t) ? left : 0;
                const size_t n_sector = lzo_compress((const uint8_t *)from + done, part, sector);
                const uint32_t n_disk = htole32((uint32_t)n_sector);

                if (n + gap + sizeof(n_disk) + n_sector > room)
                        return 0;
                memset(out + n, 0, gap);
                memcpy(out + n + gap, &n_disk, sizeof(n_disk));
                memcpy(out + n + gap + sizeof(n_disk), sector, n_sector);
                n += gap + sizeof(n_disk) + n_sector;
        }

        const uint32_t n_disk = htole32((uint32_t)n);
        memcpy(out, &n_disk, sizeof(n_disk));
        *ret_size = n;
        return 1;
}

static const Method methods[] = {
        { COMPRESSION_ZLIB, BTRFS_ENCODING_ZLIB, 3, 9, zlib_init, zlib_done, zlib_run },
        { COMPRESSION_LZO, BTRFS_ENCODING_LZO, 0, 0, NULL, NULL, lzo_run },
        { COMPRESSION_ZSTD, BTRFS_ENCODING_ZSTD, 3, 15, zstd_init, zstd_done, zstd_run },
};

void btrfs_compressor_free(BtrfsCompressor *compressor) {
        if (!compressor)
                return;
        if (compressor->method && compressor->method->done)
                compressor->method->done(compressor);
        free(compressor);
}

static const Method *find_method(Compression compression) {
        for (size_t i = 0; i < ELEMENTSOF(methods); i++)
                if (methods[i].compression == compression)
                        return &methods[i];
        return NULL;
}

int btrfs_check_compression(Compression compression, int level, Reason *reason) {
        const Method *method = find_method(compression);

        if (compression != COMPRESSION_NONE && !method)
                return reason_set(reason, -EOPNOTSUPP, "btrfs: %s is not one of its compressions",
                                  compression_names[compression]);
        if (level == 0 || (method && level > 0 && level <= method->level_max))
                return 0;
        if (!method)
                return reason_set(reason, -EINVAL, "btrfs: there are no levels without compression");
        if (method->level_max == 0)
                return reason_set(reason, -EINVAL, "btrfs: %s has no levels", compression_names[compression]);
        return reason_set(reason, -EINVAL, "btrfs: %s levels are 1 to %d", compression_names[compression],
                          method->level_max);
}

int btrfs_compressor_new(Compression compression, int level, BtrfsCompressor **ret) {
        _cleanup_(btrfs_compressor_freep) BtrfsCompressor *compressor = calloc(1, sizeof(BtrfsCompressor));
        const Method *method = find_method(compression);

        if (!compressor)
                return -ENOMEM;
        if (!method)
                return -ENOTSUP;
        if (level < 0 || level > method->level_max)
                return -EINVAL;

        compressor->method = method;
        if (method->init) {
                const int r = method->init(compressor, level > 0 ? level : method->level_default);
                if (r < 0)
                        return r;
        }
        *ret = TAKE_PTR(compressor);
        return 0;
}

uint8_t btrfs_compressor_encoding(const BtrfsCompressor *compressor) {
        return compressor->method->encoding;
}

int btrfs_compress(BtrfsCompressor *compressor, const void *from, size_t size, void *to, size_t room,
                   size_t *ret_size) {
        return room > 0 ? compressor->method->run(compressor, from, size, to, room, ret_size) : 0;
}
