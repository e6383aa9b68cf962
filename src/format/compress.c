/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

#include "base/fd.h"
#include "base/interrupt.h"
#include "format/compress.h"

static inline void context_freep(ZSTD_CCtx **context) {
        (void)ZSTD_freeCCtx(*context);
}

static int context_new(int level, uint64_t size, ZSTD_CCtx **ret) {
        _cleanup_(context_freep) ZSTD_CCtx *context = ZSTD_createCCtx();
        const long n_processors = sysconf(_SC_NPROCESSORS_ONLN);

        if (!context)
                return -ENOMEM;
        if (ZSTD_isError(ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, level)) ||
            ZSTD_isError(ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1)) ||
            ZSTD_isError(ZSTD_CCtx_setPledgedSrcSize(context, size)))
                return -EINVAL;

        /* Even a single worker cuts the input as many would; no worker at all gives other bytes. A libzstd without
         * threads refuses, and its output is still right. */
        (void)ZSTD_CCtx_setParameter(context, ZSTD_c_nbWorkers, (int)MAX(n_processors, 1L));

        *ret = TAKE_PTR(context);
        return 0;
}

/* Feeds one buffer to the end, and writes what comes out. */
static int compress_buffer(ZSTD_CCtx *context, ZSTD_inBuffer input, bool last, void *buffer, size_t room,
                           int to_fd) {
        for (;;) {
                ZSTD_outBuffer output = { .dst = buffer, .size = room };

                const size_t left =
                        ZSTD_compressStream2(context, &output, &input, last ? ZSTD_e_end : ZSTD_e_continue);
                if (ZSTD_isError(left))
                        return -EIO;
                const int r = fd_write_all(to_fd, buffer, output.pos);
                if (r < 0)
                        return r;
                if (last ? left == 0 : input.pos == input.size)
                        return 0;
        }
}

int compress_zstd(int from_fd, int to_fd, int level) {
        _cleanup_(context_freep) ZSTD_CCtx *context = NULL;
        const size_t in_size = ZSTD_CStreamInSize(), out_size = ZSTD_CStreamOutSize();
        _cleanup_(freep) void *in = malloc(in_size), *out = malloc(out_size);
        struct stat status;
        int r;

        if (!in || !out)
                return -ENOMEM;
        if (fstat(from_fd, &status) < 0)
                return -errno;
        const uint64_t size = (uint64_t)status.st_size;
        r = context_new(level, size, &context);
        if (r < 0)
                return r;

        uint64_t position = 0;
        do {
                const size_t part = (size_t)MIN(size - position, (uint64_t)in_size);

                r = interrupt_check();
                if (r < 0)
                        return r;
                r = fd_pread_all(from_fd, in, part, position);
                if (r < 0)
                        return r;
                position += part;
                r = compress_buffer(context, (ZSTD_inBuffer){ .src = in, .size = part }, position == size,
                                    out, out_size, to_fd);
                if (r < 0)
                        return r;
        } while (position < size);
        return 0;
}
