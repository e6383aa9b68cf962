/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/path.h"
#include "base/text.h"
#include "config/config-report.h"
#include "config/config-stages.h"

/* What the name of a compressed file ends in. */
static const char *const suffixes[] = {
        [OUTPUT_COMPRESSION_AUTO] = "",    [OUTPUT_COMPRESSION_NO] = "",
        [OUTPUT_COMPRESSION_XZ] = ".xz",   [OUTPUT_COMPRESSION_ZSTD] = ".zst",
        [OUTPUT_COMPRESSION_GZIP] = ".gz",
};
static_assert(ELEMENTSOF(suffixes) == OUTPUT_COMPRESSION_MAX, "A compression has no suffix");

/* The name that an output has if nobody gave one. */
static int default_name(const Config *config, char **ret) {
        const char *suffix = suffixes[config->compress_output.word];

        if (output_format_is_disk(config->format))
                return text_format(ret, "image.%s%s", output_is_qcow2(config) ? "qcow2" : "raw", suffix);
        if (config->format == OUTPUT_FORMAT_TAR)
                return text_format(ret, "image.tar%s", suffix);
        return text_format(ret, "image%s", output_format_is_file(config->format) ? suffix : "");
}

/* Cuts one of the suffixes off, if anything is left before it. */
static bool cut_suffix(char *path, const char *const *suffixes_to_cut, size_t n) {
        const size_t length = strlen(path_base_name(path));

        for (size_t i = 0; i < n; i++) {
                const size_t cut = strlen(suffixes_to_cut[i]);

                if (cut == 0 || cut >= length || !text_ends_with(path, suffixes_to_cut[i]))
                        continue;
                path[strlen(path) - cut] = '\0';
                return true;
        }
        return false;
}

int config_output_stem(const Config *config, char **ret) {
        return config_output_stem_of(config->output, ret);
}

int config_output_stem_of(const char *output, char **ret) {
        static const char *const images[] = { ".raw", ".tar", ".qcow2" };
        _cleanup_(freep) char *stem = NULL;

        const int r = text_copy(output, &stem);
        if (r < 0)
                return r;
        while (cut_suffix(stem, images, ELEMENTSOF(images)) ||
               cut_suffix(stem, suffixes, ELEMENTSOF(suffixes)))
                ;

        *ret = TAKE_PTR(stem);
        return 0;
}

int config_output_uncompressed(const Config *config, char **ret) {
        _cleanup_(freep) char *name = NULL;

        const int r = text_copy(config->output, &name);
        if (r < 0)
                return r;
        if (config->compress_output.word != OUTPUT_COMPRESSION_NO)
                (void)cut_suffix(name, &suffixes[config->compress_output.word], 1);

        *ret = TAKE_PTR(name);
        return 0;
}

/* A name with a slash stands for itself; any other lies in the output directory. */
static int resolve_names(LoadedConfig *loaded) {
        Config *config = &loaded->config;
        _cleanup_(freep) char *name = TAKE_PTR(config->output);
        int r;

        if (name && strchr(name, '/')) {
                if (config_source(loaded, CONFIG(output_directory)) > SETTING_DISCOVERED) {
                        r = config_warn(loaded, CONFIG(output_directory),
                                        "OutputDirectory= has no effect, Output= contains a slash");
                        if (r < 0)
                                return r;
                }
                r = path_absolute(name, &config->output);
                if (r < 0)
                        return r;
                free(TAKE_PTR(config->output_directory));
                r = path_parent(config->output, &config->output_directory);
                if (r < 0)
                        return r;
                return config_note(loaded, CONFIG(output_directory), SETTING_DERIVED, "Output=");
        }

        if (!name) {
                r = default_name(config, &name);
                if (r < 0)
                        return r;
                r = config_note(loaded, CONFIG(output), SETTING_DERIVED, "Format=");
                if (r < 0)
                        return r;
        }
        if (!config->output_directory) {
                r = path_absolute(".", &config->output_directory);
                if (r < 0)
                        return r;
                r = config_note(loaded, CONFIG(output_directory), SETTING_DERIVED, "the working directory");
                if (r < 0)
                        return r;
        }

        _cleanup_(freep) char *joined = NULL;
        r = path_join(config->output_directory, name, &joined);
        if (r < 0)
                return r;
        return path_absolute(joined, &config->output);
}

/* Whether a setting's paths are things that the build reads or keeps. */
static bool is_needed(const Setting *setting) {
        return setting->type->is_path && setting->offset != CONFIG(output) &&
               setting->offset != CONFIG(output_directory);
}

/* Notes a mistake and answers 0 if one of the setting's paths is, or lies below, the output; else 1. */
static int check_setting(LoadedConfig *loaded, const Setting *setting, const char *output) {
        char *const *member = setting_member(loaded->store, setting);
        char *const *paths = setting->type->is_list ? *(char *const *const *)member : member;

        for (size_t i = 0; paths && paths[i] && (i == 0 || setting->type->is_list); i++) {
                _cleanup_(freep) char *said = NULL, *where = NULL;

                if (!path_is_below(paths[i], output))
                        continue;
                int r = config_say(loaded, setting->offset, &said);
                if (r < 0)
                        return r;
                r = config_where(loaded, setting->offset, i, &where);
                if (r < 0)
                        return r;
                r = config_mistake(loaded, CONFIG(output), 0,
                                   "Output= would replace what %s (%s) needs; give it another name", said,
                                   where);
                return r < 0 ? r : 0;
        }
        return 1;
}

/* The same for the files that settings were read from: drop-ins, and special files. */
static int check_sources(LoadedConfig *loaded, const char *output) {
        for (size_t i = 0; i < config_table.n_rows; i++) {
                const SettingOrigins *origins = setting_origins(loaded->store, &config_table.rows[i]);

                for (size_t k = 0; k < origins->n_items; k++) {
                        const SettingOrigin *origin = &origins->items[k];
                        _cleanup_(freep) char *path = NULL;

                        if (origin->source != SETTING_FILE && origin->source != SETTING_DISCOVERED)
                                continue;
                        int r = path_absolute(origin->file, &path);
                        if (r < 0)
                                return r;
                        if (!path_is_below(path, output))
                                continue;
                        r = config_mistake(loaded, CONFIG(output), 0,
                                           "Output= would replace %s, which is read for %s=; give it another "
                                           "name",
                                           origin->file, config_table.rows[i].name);
                        return r < 0 ? r : 0;
                }
        }
        return 1;
}

/* Replacing an output deletes what was there, so it must neither be nor hold what the user still needs. Notes a mistake
 * and answers 0 if it does; else 1. */
static int check_is_apart(LoadedConfig *loaded, const char *output) {
        _cleanup_(freep) char *here = getcwd(NULL, 0);

        if (!here)
                return -errno;
        if (path_is_below(here, output) || path_is_below(loaded->config.output_directory, output)) {
                int r = config_mistake(
                        loaded, CONFIG(output), 0,
                        "Output= is the working directory, the output directory, or above them; name "
                        "the file or directory that is to be made");
                return r < 0 ? r : 0;
        }

        for (size_t i = 0; i < config_table.n_rows; i++) {
                const Setting *setting = &config_table.rows[i];

                int r = is_needed(setting) ? check_setting(loaded, setting, output) : 1;
                if (r <= 0)
                        return r;
        }
        return check_sources(loaded, output);
}

/* A device is nobody's output: replacing it by a file, or removing it, harms the whole machine. */
static int check_kind(LoadedConfig *loaded) {
        struct stat status;

        if (lstat(loaded->config.output, &status) < 0 || S_ISREG(status.st_mode) || S_ISDIR(status.st_mode) ||
            S_ISLNK(status.st_mode))
                return 0;
        return config_mistake(loaded, CONFIG(output), 0,
                              "Output=%s is neither a file nor a directory, and would be replaced; give it "
                              "another name",
                              loaded->config.output);
}

int config_resolve_output(LoadedConfig *loaded) {
        int r = resolve_names(loaded);
        if (r < 0)
                return r;
        r = check_kind(loaded);
        if (r < 0)
                return r;
        r = check_is_apart(loaded, loaded->config.output);
        if (r <= 0)
                return r;

        /* Once more by what the name leads to through symbolic links. */
        _cleanup_(freep) char *real = realpath(loaded->config.output, NULL);
        if (!real || text_equal(real, loaded->config.output))
                return 0;
        r = check_is_apart(loaded, real);
        return MIN(r, 0);
}
