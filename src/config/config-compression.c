/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config/config-report.h"
#include "config/config-stages.h"

/* How an archive is compressed when Compress= says so, which for file systems is about what is inside. */
static const OutputCompression archive_compressions[] = {
        [COMPRESS_AUTO] = OUTPUT_COMPRESSION_XZ,  [COMPRESS_NO] = OUTPUT_COMPRESSION_NO,
        [COMPRESS_YES] = OUTPUT_COMPRESSION_XZ,   [COMPRESS_ZLIB] = OUTPUT_COMPRESSION_GZIP,
        [COMPRESS_LZO] = OUTPUT_COMPRESSION_AUTO, [COMPRESS_ZSTD] = OUTPUT_COMPRESSION_ZSTD,
        [COMPRESS_LZ4] = OUTPUT_COMPRESSION_AUTO, [COMPRESS_XZ] = OUTPUT_COMPRESSION_XZ,
};
static_assert(ELEMENTSOF(archive_compressions) == COMPRESS_MAX, "A word of Compress= has no row");

static int derive(LoadedConfig *loaded, OutputCompression word, unsigned level, size_t because) {
        _cleanup_(freep) char *said = NULL;

        const int r = config_say(loaded, because, &said);
        if (r < 0)
                return r;
        loaded->config.compress_output = (SettingChoice){ .word = word, .level = level };
        return config_note(loaded, CONFIG(compress_output), SETTING_DERIVED, said);
}

static int derive_for_archive(LoadedConfig *loaded) {
        const Config *config = &loaded->config;
        const OutputCompression word = archive_compressions[config->compress.word];
        _cleanup_(freep) char *said = NULL;

        if (!config_is_given(loaded, CONFIG(compress)))
                return derive(loaded, OUTPUT_COMPRESSION_XZ, 0, CONFIG(format));
        if (word != OUTPUT_COMPRESSION_AUTO)
                return derive(loaded, word, config->compress.level, CONFIG(compress));

        const int r = config_say(loaded, CONFIG(compress), &said);
        if (r < 0)
                return r;
        return config_mistake(loaded, CONFIG(compress), 0,
                              "%s is nothing for archives: they are compressed with xz, zstd or zlib (gzip)",
                              said);
}

/* XZ= is the older, narrower form of CompressOutput=. */
static int check_both(LoadedConfig *loaded) {
        const Config *config = &loaded->config;
        _cleanup_(freep) char *said = NULL, *where = NULL;

        if (!config_is_given(loaded, CONFIG(xz)) ||
            config->xz == (config->compress_output.word == OUTPUT_COMPRESSION_XZ))
                return 0;
        int r = config_say(loaded, CONFIG(compress_output), &said);
        if (r < 0)
                return r;
        r = config_where(loaded, CONFIG(compress_output), 0, &where);
        if (r < 0)
                return r;
        return config_mistake(loaded, CONFIG(xz), 0, "XZ=%s contradicts %s (%s): leave out one of them",
                              config->xz ? "yes" : "no", said, where);
}

/* For an archive, Compress= says the same as CompressOutput= and XZ=, which go before it. */
static int warn_of_no_effect(LoadedConfig *loaded) {
        const Config *config = &loaded->config;
        _cleanup_(freep) char *said = NULL;

        if (config->format != OUTPUT_FORMAT_TAR || !config_is_given(loaded, CONFIG(compress)) ||
            (config->compress_output.word == OUTPUT_COMPRESSION_AUTO && !config_is_given(loaded, CONFIG(xz))))
                return 0;
        const int r = config_say(loaded, CONFIG(compress), &said);
        if (r < 0)
                return r;
        return config_warn(loaded, CONFIG(compress), "%s has no effect beside CompressOutput= or XZ=", said);
}

int config_resolve_compression(LoadedConfig *loaded) {
        Config *config = &loaded->config;

        const int r = warn_of_no_effect(loaded);
        if (r < 0)
                return r;

        if (config->compress_output.word != OUTPUT_COMPRESSION_AUTO)
                return check_both(loaded);
        if (config_is_given(loaded, CONFIG(xz)))
                return derive(loaded, config->xz ? OUTPUT_COMPRESSION_XZ : OUTPUT_COMPRESSION_NO, 0,
                              CONFIG(xz));
        if (config->format == OUTPUT_FORMAT_TAR)
                return derive_for_archive(loaded);

        config->compress_output = (SettingChoice){ .word = OUTPUT_COMPRESSION_NO };
        return config_note(loaded, CONFIG(compress_output), SETTING_DEFAULT, NULL);
}
