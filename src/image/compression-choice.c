/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "base/strv.h"
#include "image/compression-choice.h"

#define LEVEL_MAX 1000000U /* far beyond what anybody has, and within an int */

static const Compression compressions[] = {
        [COMPRESS_AUTO] = COMPRESSION_NONE, [COMPRESS_NO] = COMPRESSION_NONE,
        [COMPRESS_YES] = COMPRESSION_ZSTD,  [COMPRESS_ZLIB] = COMPRESSION_ZLIB,
        [COMPRESS_LZO] = COMPRESSION_LZO,   [COMPRESS_ZSTD] = COMPRESSION_ZSTD,
        [COMPRESS_LZ4] = COMPRESSION_LZ4,   [COMPRESS_XZ] = COMPRESSION_XZ,
};
static_assert(ELEMENTSOF(compressions) == COMPRESS_MAX, "A word of Compress= has no row");

static const Compressor *const outputs[] = {
        [OUTPUT_COMPRESSION_AUTO] = NULL,
        [OUTPUT_COMPRESSION_NO] = NULL,
        [OUTPUT_COMPRESSION_XZ] = &compressor_xz,
        [OUTPUT_COMPRESSION_ZSTD] = &compressor_zstd,
        [OUTPUT_COMPRESSION_GZIP] = &compressor_gzip,
};
static_assert(ELEMENTSOF(outputs) == OUTPUT_COMPRESSION_MAX, "A word of CompressOutput= has no row");

Compression compression_choice_inside(const Config *config) {
        if (config->compress.word == COMPRESS_AUTO && output_format_is_squashfs(config->format))
                return COMPRESSION_ZSTD;
        return compressions[config->compress.word];
}

const Compressor *compression_choice_outside(const Config *config) {
        return outputs[config->compress_output.word];
}

/* "zlib, zstd" */
static int list_compressions(const Filesystem *filesystem, char **ret) {
        _cleanup_(strv_freep) char **names = NULL;

        for (Compression i = COMPRESSION_NONE + 1; i < COMPRESSION_MAX; i++)
                if (filesystem_compresses(filesystem, i)) {
                        const int r = strv_append(&names, compression_names[i]);
                        if (r < 0)
                                return r;
                }
        return strv_join(STRV(names), ", ", ret);
}

static int check_inside(const Config *config, const Filesystem *filesystem, char ***problems) {
        const Compression compression = compression_choice_inside(config);
        const unsigned level = config->compress.level;
        _cleanup_(reason_done) Reason reason = {};
        _cleanup_(freep) char *known = NULL;

        if (!filesystem_compresses(filesystem, compression)) {
                const int r = list_compressions(filesystem, &known);
                if (r < 0)
                        return r;
                return strv_append_format(problems, "Compress=%s: %s file systems compress by %s",
                                          compression_names[compression], filesystem->name, known);
        }
        const int r = filesystem->check_compression(compression, (int)MIN(level, LEVEL_MAX), &reason);
        if (r == -ENOMEM)
                return r;
        if (r < 0)
                return strv_append_format(problems, "Compress=%s:%u: %s", compression_names[compression],
                                          level, reason_text(&reason, r));
        return 0;
}

int compression_choice_check(const Config *config, const ImageFormat *format, char ***problems) {
        const Compressor *compressor = compression_choice_outside(config);
        /* For an archive, Compress= may have said it. */
        const bool by_compress = config->format == OUTPUT_FORMAT_TAR && config->compress.level > 0 &&
                                 config->compress.level == config->compress_output.level;

        if (format->root && format->root->compressions != 0) {
                const int r = check_inside(config, format->root, problems);
                if (r < 0)
                        return r;
        }
        if (compressor &&
            compressor_level(compressor, (int)MIN(config->compress_output.level, LEVEL_MAX)) < 0)
                return strv_append_format(problems, "%s=%s:%u: the levels are %d to %d",
                                          by_compress ? "Compress" : "CompressOutput", compressor->name,
                                          config->compress_output.level, MAX(compressor->level_min, 1),
                                          compressor->level_max);
        return 0;
}
