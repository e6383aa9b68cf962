/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <sqfs/compressor.h>

#include "format/squashfs.h"

typedef struct Algorithm {
        SQFS_COMPRESSOR id;
        int level_min, level_max, level_default;
        uint16_t flags;
} Algorithm;

/* LZ4 is either fast or small, which are the ends of its own scale of levels. */
#define LZ4_LEVEL_FAST  1
#define LZ4_LEVEL_SMALL 12

/* The default of zstd is the fastest level that comes within a tenth of the best one. A Debian tree of 850 MB takes, in MB
 * and processor seconds: level 3 246 and 6, 5 236 and 8, 6 231 and 11, 9 229 and 15, 15 214 and 116, 22 212 and 355. LZ4
 * is small by default: 99 MB where fast makes 118, of 244. The others are those of mksquashfs.
 *
 * A squashfs that is not compressed still names an algorithm, which the kernel must have to mount it. */
static const Algorithm algorithms[COMPRESSION_MAX] = {
        [COMPRESSION_NONE] = { .id = SQFS_COMP_GZIP },
        [COMPRESSION_ZLIB] = { .id = SQFS_COMP_GZIP, .level_min = 1, .level_max = 9, .level_default = 9 },
        [COMPRESSION_LZO] = { .id = SQFS_COMP_LZO, .level_min = 1, .level_max = 9, .level_default = 8 },
        [COMPRESSION_LZ4] = { .id = SQFS_COMP_LZ4,
                              .level_min = LZ4_LEVEL_FAST,
                              .level_max = LZ4_LEVEL_SMALL,
                              .level_default = LZ4_LEVEL_SMALL },
        [COMPRESSION_XZ] = { .id = SQFS_COMP_XZ, .level_min = 1, .level_max = 9, .level_default = 6 },
        [COMPRESSION_ZSTD] = { .id = SQFS_COMP_ZSTD, .level_min = 1, .level_max = 22, .level_default = 6 },
};

/* A compressor of libsquashfs that never makes a block larger. With LZ4 it would, and says so of metadata blocks, which
 * unsquashfs refuses. Without an inner one everything is stored as it is. */
typedef struct Compressor {
        sqfs_compressor_t outer;
        sqfs_compressor_t *inner;
} Compressor;

static sqfs_s32 do_block(sqfs_compressor_t *compressor, const sqfs_u8 *in, sqfs_u32 size, sqfs_u8 *out,
                         sqfs_u32 out_size) {
        sqfs_compressor_t *inner = ((Compressor *)compressor)->inner;

        if (!inner || size < 2)
                return 0;
        return inner->do_block(inner, in, size, out, MIN(out_size, size - 1));
}

static int write_options(sqfs_compressor_t *compressor, sqfs_file_t *file) {
        sqfs_compressor_t *inner = ((Compressor *)compressor)->inner;

        return inner ? inner->write_options(inner, file) : 0;
}

static void destroy(sqfs_object_t *object) {
        sqfs_destroy(((Compressor *)object)->inner);
        free(object);
}

static sqfs_object_t *copy(const sqfs_object_t *object);

/* Takes the inner one over. */
static sqfs_compressor_t *wrap(sqfs_compressor_t *inner) {
        Compressor *compressor = calloc(1, sizeof(Compressor));

        if (!compressor) {
                sqfs_destroy(inner);
                return NULL;
        }
        compressor->outer = (sqfs_compressor_t){
                .base = { .destroy = destroy, .copy = copy },
                .do_block = do_block,
                .write_options = write_options,
        };
        compressor->inner = inner;
        return &compressor->outer;
}

static sqfs_object_t *copy(const sqfs_object_t *object) {
        const sqfs_compressor_t *inner = ((const Compressor *)object)->inner;
        sqfs_compressor_t *inner_copy = inner ? sqfs_copy(inner) : NULL;

        return inner && !inner_copy ? NULL : (sqfs_object_t *)wrap(inner_copy);
}

static int compressor_create(const Algorithm *algorithm, int level, sqfs_compressor_t **ret) {
        sqfs_compressor_config_t config;

        const int r = sqfs_compressor_config_init(&config, algorithm->id, SQUASHFS_BLOCK_SIZE, 0);
        if (r < 0)
                return r;
        if (algorithm->id != SQFS_COMP_LZ4)
                config.level = (sqfs_u32)level;
        else if (level == LZ4_LEVEL_SMALL)
                config.flags = SQFS_COMP_FLAG_LZ4_HC;
        return sqfs_compressor_create(&config, ret);
}

static int check_level(Compression compression, int level, Reason *reason) {
        const Algorithm *algorithm = &algorithms[compression];

        if (level == 0)
                return 0;
        if (compression == COMPRESSION_NONE)
                return reason_set(reason, -EINVAL, "squashfs: there are no levels without compression");
        if (compression == COMPRESSION_LZ4 && level != LZ4_LEVEL_FAST && level != LZ4_LEVEL_SMALL)
                return reason_set(reason, -EINVAL, "squashfs: lz4 levels are %d (fast) and %d (small)",
                                  LZ4_LEVEL_FAST, LZ4_LEVEL_SMALL);
        if (level < algorithm->level_min || level > algorithm->level_max)
                return reason_set(reason, -EINVAL, "squashfs: %s levels are %d to %d",
                                  compression_names[compression], algorithm->level_min, algorithm->level_max);
        return 0;
}

int squashfs_compressor_new(Compression compression, int level, struct sqfs_compressor_t **ret,
                            Reason *reason) {
        const Algorithm *algorithm = &algorithms[compression];
        sqfs_compressor_t *inner = NULL;

        assert(compression < COMPRESSION_MAX && ret);

        int r = check_level(compression, level, reason);
        if (r < 0)
                return r;
        if (compression != COMPRESSION_NONE) {
                r = squashfs_error(
                        compressor_create(algorithm, level == 0 ? algorithm->level_default : level, &inner));
                if (r == -EOPNOTSUPP)
                        return reason_set(reason, r,
                                          "squashfs: libsquashfs was built without %s on this machine",
                                          compression_names[compression]);
                if (r < 0)
                        return r;
        }

        sqfs_compressor_t *compressor = wrap(inner);
        if (!compressor)
                return -ENOMEM;
        *ret = compressor;
        return 0;
}

void squashfs_compressor_free(struct sqfs_compressor_t *compressor) {
        sqfs_destroy(compressor);
}

int squashfs_check_compression(Compression compression, int level, Reason *reason) {
        _cleanup_(squashfs_compressor_freep) struct sqfs_compressor_t *compressor = NULL;

        return squashfs_compressor_new(compression, level, &compressor, reason);
}

unsigned squashfs_compressor_id(Compression compression) {
        return (unsigned)algorithms[compression].id;
}
