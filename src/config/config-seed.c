/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <stdio.h>

#include "base/fd.h"
#include "base/path.h"
#include "base/text.h"
#include "base/uuid.h"
#include "config/config-report.h"
#include "config/config-stages.h"

/* The seed of seeds: it tells ours from what others derive out of the same text. */
static const Uuid seed_space = { { 0x5a, 0x0c, 0x5f, 0x6e, 0x0d, 0x2b, 0x4e, 0x55, 0x9a, 0x3e, 0x41, 0x8c,
                                   0x6b, 0x1d, 0xe7, 0x32 } };

/* Settings of how the build goes, and of what is done to the image, and with it, when it is there. */
static const size_t shapeless[] = {
        CONFIG(profiles),
        CONFIG(force),
        CONFIG(incremental),
        CONFIG(mksquashfs),
        CONFIG(seed),
        CONFIG(xz),
        CONFIG(compress_output),
        CONFIG(qcow2),
        CONFIG(manifest),
        CONFIG(bmap),
        CONFIG(checksum),
        CONFIG(sign),
        CONFIG(sign_offline),
        CONFIG(key),
        CONFIG(secure_boot_key_type),
        CONFIG(secure_boot_valid_days),
        CONFIG(secure_boot_common_name),
        CONFIG(cpus),
        CONFIG(ram),
};

/* Paths tell where the project lies, and a secret must not be guessed from what is derived from it. */
static bool shapes_image(const Setting *setting) {
        for (size_t i = 0; i < ELEMENTSOF(shapeless); i++)
                if (setting->offset == shapeless[i])
                        return false;
        return setting->name && !setting->type->is_path && !(setting->flags & SETTING_SECRET);
}

/* A line "Section.Name=value" for every value, in the order of the table, below the name of the output without
 * suffixes. */
static int describe(const LoadedConfig *loaded, char **ret) {
        _cleanup_(freep) char *text = NULL, *stem = NULL;
        size_t size;

        const int r = config_output_stem(&loaded->config, &stem);
        if (r < 0)
                return r;
        _cleanup_(file_closep) FILE *file = open_memstream(&text, &size);
        if (!file)
                return -ENOMEM;

        (void)fprintf(file, "%s\n", path_base_name(stem));
        for (size_t i = 0; i < config_table.n_rows; i++) {
                const Setting *setting = &config_table.rows[i];
                const void *member = setting_member(loaded->store, setting);

                if (!shapes_image(setting))
                        continue;
                for (size_t k = 0;; k++) {
                        (void)fprintf(file, "%s.%s=", setting->section, setting->name);
                        if (!setting->type->print(setting, member, k, file))
                                break;
                        (void)fputc('\n', file);
                }
                (void)fputc('\n', file);
        }
        if (fflush(file) != 0 || ferror(file))
                return -ENOMEM;
        file_closep(&file);
        file = NULL;

        *ret = TAKE_PTR(text);
        return 0;
}

int config_resolve_seed(LoadedConfig *loaded) {
        _cleanup_(freep) char *text = NULL;
        char seed_text[UUID_TEXT_SIZE];
        Uuid seed;

        if (loaded->config.seed)
                return 0;
        int r = describe(loaded, &text);
        if (r < 0)
                return r;
        r = uuid_derive(seed_space, text, &seed);
        if (r < 0)
                return r;
        uuid_format(seed, seed_text);
        return config_fill(loaded, CONFIG(seed), seed_text, SETTING_DERIVED, "the configuration");
}
