/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/parse.h"
#include "base/path.h"
#include "base/strv.h"
#include "base/text.h"
#include "config/config-report.h"
#include "image/kept-setting.h"

/* Format= and others of the output shape the base tree as well, by packages and directories that follow from them: these are
 * inputs of it, and not the settings. Verbs that run an image, or make keys, have settings that no build reads. */
/* clang-format off */
const KeptSetting kept_settings[] = {
        { CONFIG(profiles),                    KEPT_STAGE_OUTPUT,      KEPT_BY_VALUE },

        { CONFIG(distribution),                KEPT_STAGE_BASE,        KEPT_BY_VALUE },
        { CONFIG(release),                     KEPT_STAGE_BASE,        KEPT_BY_VALUE },
        { CONFIG(mirror),                      KEPT_STAGE_BASE,        KEPT_BY_VALUE },
        { CONFIG(repositories),                KEPT_STAGE_BASE,        KEPT_BY_VALUE },
        { CONFIG(repository_keys),             KEPT_STAGE_BASE,        KEPT_BY_RULE },
        { CONFIG(architecture),                KEPT_STAGE_BASE,        KEPT_BY_VALUE },

        { CONFIG(format),                      KEPT_STAGE_OUTPUT,      KEPT_BY_VALUE },
        { CONFIG(output),                      KEPT_STAGE_OUTPUT,      KEPT_BY_VALUE },
        { CONFIG(output_directory),            KEPT_STAGE_OUTPUT,      KEPT_BY_VALUE },
        { CONFIG(force),                       KEPT_STAGE_NONE,        KEPT_BY_VALUE },
        { CONFIG(bootable),                    KEPT_STAGE_OUTPUT,      KEPT_BY_VALUE },
        { CONFIG(boot_protocols),              KEPT_STAGE_OUTPUT,      KEPT_BY_VALUE },
        { CONFIG(kernel_command_line),         KEPT_STAGE_OUTPUT,      KEPT_BY_VALUE },
        { CONFIG(secure_boot),                 KEPT_STAGE_OUTPUT,      KEPT_BY_VALUE },
        { CONFIG(secure_boot_key),             KEPT_STAGE_OUTPUT,      KEPT_BY_SECRET },
        { CONFIG(secure_boot_certificate),     KEPT_STAGE_OUTPUT,      KEPT_BY_FILE },
        { CONFIG(secure_boot_passphrase_file), KEPT_STAGE_OUTPUT,      KEPT_BY_SECRET },
        { CONFIG(secure_boot_sign),            KEPT_STAGE_OUTPUT,      KEPT_BY_VALUE },
        { CONFIG(secure_boot_auto_enroll),     KEPT_STAGE_OUTPUT,      KEPT_BY_VALUE },
        { CONFIG(secure_boot_key_type),        KEPT_STAGE_NONE,        KEPT_BY_VALUE },
        { CONFIG(secure_boot_valid_days),      KEPT_STAGE_NONE,        KEPT_BY_VALUE },
        { CONFIG(secure_boot_common_name),     KEPT_STAGE_NONE,        KEPT_BY_VALUE },
        { CONFIG(read_only),                   KEPT_STAGE_OUTPUT,      KEPT_BY_VALUE },
        { CONFIG(encrypt),                     KEPT_STAGE_OUTPUT,      KEPT_BY_VALUE },
        { CONFIG(passphrase_file),             KEPT_STAGE_OUTPUT,      KEPT_BY_SECRET },
        { CONFIG(encrypt_kdf),                 KEPT_STAGE_OUTPUT,      KEPT_BY_VALUE },
        { CONFIG(encrypt_kdf_memory),          KEPT_STAGE_OUTPUT,      KEPT_BY_VALUE },
        { CONFIG(verity),                      KEPT_STAGE_OUTPUT,      KEPT_BY_VALUE },
        { CONFIG(verity_key),                  KEPT_STAGE_OUTPUT,      KEPT_BY_SECRET },
        { CONFIG(verity_certificate),          KEPT_STAGE_OUTPUT,      KEPT_BY_FILE },
        { CONFIG(verity_passphrase_file),      KEPT_STAGE_OUTPUT,      KEPT_BY_SECRET },
        { CONFIG(compress),                    KEPT_STAGE_OUTPUT,      KEPT_BY_VALUE },
        { CONFIG(mksquashfs),                  KEPT_STAGE_OUTPUT,      KEPT_BY_VALUE },
        { CONFIG(xz),                          KEPT_STAGE_OUTPUT,      KEPT_BY_VALUE },
        { CONFIG(compress_output),             KEPT_STAGE_OUTPUT,      KEPT_BY_VALUE },
        { CONFIG(qcow2),                       KEPT_STAGE_OUTPUT,      KEPT_BY_VALUE },
        { CONFIG(manifest),                    KEPT_STAGE_OUTPUT,      KEPT_BY_VALUE },
        { CONFIG(hostname),                    KEPT_STAGE_OUTPUT,      KEPT_BY_VALUE },
        { CONFIG(no_chown),                    KEPT_STAGE_OUTPUT,      KEPT_BY_RULE },
        { CONFIG(incremental),                 KEPT_STAGE_NONE,        KEPT_BY_VALUE },
        { CONFIG(seed),                        KEPT_STAGE_OUTPUT,      KEPT_BY_VALUE },

        { CONFIG(packages),                    KEPT_STAGE_BASE,        KEPT_BY_RULE },
        { CONFIG(with_docs),                   KEPT_STAGE_BASE,        KEPT_BY_VALUE },
        { CONFIG(with_tests),                  KEPT_STAGE_OUTPUT,      KEPT_BY_VALUE },
        { CONFIG(cache),                       KEPT_STAGE_NONE,        KEPT_BY_VALUE },
        { CONFIG(extra_trees),                 KEPT_STAGE_OUTPUT,      KEPT_BY_TREE },
        { CONFIG(skeleton_trees),              KEPT_STAGE_BASE,        KEPT_BY_TREE },
        { CONFIG(build_script),                KEPT_STAGE_OUTPUT,      KEPT_BY_FILE },
        { CONFIG(build_sources),               KEPT_STAGE_OUTPUT,      KEPT_BY_RULE },
        { CONFIG(build_directory),             KEPT_STAGE_OUTPUT,      KEPT_BY_VALUE },
        { CONFIG(build_packages),              KEPT_STAGE_DEVELOPMENT, KEPT_BY_RULE },
        { CONFIG(prepare_script),              KEPT_STAGE_BASE,        KEPT_BY_RULE },
        { CONFIG(postinst_script),             KEPT_STAGE_OUTPUT,      KEPT_BY_FILE },
        { CONFIG(finalize_script),             KEPT_STAGE_OUTPUT,      KEPT_BY_NOBODY },
        { CONFIG(environment),                 KEPT_STAGE_OUTPUT,      KEPT_BY_RULE },
        { CONFIG(source_file_transfer),        KEPT_STAGE_OUTPUT,      KEPT_BY_VALUE },
        { CONFIG(with_network),                KEPT_STAGE_OUTPUT,      KEPT_BY_VALUE },
        { CONFIG(nspawn_settings),             KEPT_STAGE_OUTPUT,      KEPT_BY_FILE },

        { CONFIG(root_size),                   KEPT_STAGE_OUTPUT,      KEPT_BY_VALUE },
        { CONFIG(esp_size),                    KEPT_STAGE_OUTPUT,      KEPT_BY_VALUE },
        { CONFIG(xbootldr_size),               KEPT_STAGE_OUTPUT,      KEPT_BY_VALUE },
        { CONFIG(swap_size),                   KEPT_STAGE_OUTPUT,      KEPT_BY_VALUE },
        { CONFIG(home_size),                   KEPT_STAGE_OUTPUT,      KEPT_BY_VALUE },
        { CONFIG(srv_size),                    KEPT_STAGE_OUTPUT,      KEPT_BY_VALUE },

        { CONFIG(checksum),                    KEPT_STAGE_OUTPUT,      KEPT_BY_VALUE },
        { CONFIG(sign),                        KEPT_STAGE_OUTPUT,      KEPT_BY_VALUE },
        { CONFIG(key),                         KEPT_STAGE_OUTPUT,      KEPT_BY_VALUE },
        { CONFIG(sign_offline),                KEPT_STAGE_OUTPUT,      KEPT_BY_VALUE },
        { CONFIG(bmap),                        KEPT_STAGE_OUTPUT,      KEPT_BY_VALUE },
        { CONFIG(password),                    KEPT_STAGE_OUTPUT,      KEPT_BY_NOBODY },

        { CONFIG(extra_search_paths),          KEPT_STAGE_BASE,        KEPT_BY_VALUE },
        { CONFIG(cpus),                        KEPT_STAGE_NONE,        KEPT_BY_VALUE },
        { CONFIG(ram),                         KEPT_STAGE_NONE,        KEPT_BY_VALUE },

        { CONFIG(directory),                   KEPT_STAGE_NONE,        KEPT_BY_VALUE },
        { CONFIG(default_file),                KEPT_STAGE_NONE,        KEPT_BY_VALUE },
        { CONFIG(all),                         KEPT_STAGE_NONE,        KEPT_BY_VALUE },
        { CONFIG(all_directory),               KEPT_STAGE_NONE,        KEPT_BY_VALUE },
        { CONFIG(debug),                       KEPT_STAGE_NONE,        KEPT_BY_VALUE },
        { CONFIG(quiet),                       KEPT_STAGE_NONE,        KEPT_BY_VALUE },
        { CONFIG(json_progress),               KEPT_STAGE_NONE,        KEPT_BY_VALUE },
        { CONFIG(json),                        KEPT_STAGE_NONE,        KEPT_BY_VALUE },
        { CONFIG(debug_shell),                 KEPT_STAGE_NONE,        KEPT_BY_VALUE },
        { CONFIG(keep_failed),                 KEPT_STAGE_NONE,        KEPT_BY_VALUE },
        { CONFIG(nspawn),                      KEPT_STAGE_NONE,        KEPT_BY_VALUE },
        { CONFIG(persistent),                  KEPT_STAGE_NONE,        KEPT_BY_VALUE },
        { CONFIG(root_hash),                   KEPT_STAGE_NONE,        KEPT_BY_VALUE },
        { CONFIG(help),                        KEPT_STAGE_NONE,        KEPT_BY_VALUE },
        { CONFIG(version),                     KEPT_STAGE_NONE,        KEPT_BY_VALUE },
};
/* clang-format on */
const size_t n_kept_settings = ELEMENTSOF(kept_settings);

const KeptSetting *kept_setting_find(size_t member) {
        for (size_t i = 0; i < n_kept_settings; i++)
                if (kept_settings[i].member == member)
                        return &kept_settings[i];
        return NULL;
}

int64_t kept_time_bound(void) {
        const char *text = getenv("SOURCE_DATE_EPOCH");
        uint64_t seconds;

        /* What is no number is refused when the build begins. */
        return text && parse_uint64(text, &seconds) >= 0 && seconds < INT64_MAX ? (int64_t)seconds
                                                                                : INT64_MAX;
}

/* A value that is not set has no line. */
static int add_values(const LoadedConfig *loaded, const Setting *setting, KeptInputs *inputs) {
        _cleanup_(strv_freep) char **values = NULL;
        _cleanup_(freep) char *title = NULL;

        int r = text_format(&title, "%s=", setting->name);
        if (r >= 0)
                r = config_list_values(loaded, setting, &values);
        for (size_t i = 0; r >= 0 && values && values[i]; i++)
                r = setting->type->is_list ? kept_inputs_add_format(inputs, NULL, "%s %s", title, values[i])
                                           : kept_inputs_add(inputs, title, values[i]);
        return r >= 0 && setting->type->is_list ? kept_inputs_add_order(inputs, title, values) : r;
}

static int add_one_path(const char *path, KeptSource source, KeptInputs *inputs) {
        const KeptCopy copy = { .time_bound = kept_time_bound() };
        _cleanup_(freep) char *said = NULL;

        const int r = config_path_say(path, &said);
        if (r < 0)
                return r;
        return source == KEPT_BY_TREE ? kept_inputs_add_copied(inputs, said, path, &copy)
                                      : kept_inputs_add_tree(inputs, said, path, NULL);
}

static int add_paths(const LoadedConfig *loaded, const Setting *setting, KeptSource source,
                     KeptInputs *inputs) {
        void *member = setting_member(loaded->store, setting);
        char *const single[] = { setting->type->is_list ? NULL : *(char **)member, NULL };
        char *const *paths = setting->type->is_list ? *(char *const *const *)member : single;
        int r = 0;

        for (; r >= 0 && paths && *paths; paths++)
                r = add_one_path(*paths, source, inputs);
        return r;
}

/* Of secrets no digest is kept, by which they could be guessed: which file it is, and when it was changed last. Returns 1 when
 * that cannot be looked at: a key on a token. */
static int add_secret(const LoadedConfig *loaded, const Setting *setting, KeptInputs *inputs) {
        const char *path = *(char *const *)setting_member(loaded->store, setting);
        _cleanup_(freep) char *said = NULL, *value = NULL;
        struct stat status;

        if (!path)
                return 0;
        if (((setting->flags & SETTING_URI) && path_is_uri(path)) || stat(path, &status) < 0)
                return 1;
        int r = config_path_say(path, &said);
        if (r >= 0)
                r = text_format(&value, "%llu %lld %lld.%09ld", (unsigned long long)status.st_ino,
                                (long long)status.st_size, (long long)status.st_ctim.tv_sec,
                                status.st_ctim.tv_nsec);
        return r < 0 ? r : kept_inputs_add(inputs, said, value);
}

static int add_setting(const LoadedConfig *loaded, const KeptSetting *row, KeptInputs *inputs) {
        const Setting *setting = config_setting(row->member);

        if (row->source == KEPT_BY_RULE)
                return 0;
        if (row->source == KEPT_BY_NOBODY)
                return *(char *const *)setting_member(loaded->store, setting) ? 1 : 0;
        int r = add_values(loaded, setting, inputs);
        if (r >= 0 && row->source == KEPT_BY_SECRET)
                r = add_secret(loaded, setting, inputs);
        else if (r >= 0 && row->source != KEPT_BY_VALUE)
                r = add_paths(loaded, setting, row->source, inputs);
        return r;
}

int kept_settings_add(const LoadedConfig *loaded, KeptStage stage, KeptInputs *inputs) {
        bool incomplete = false;

        for (size_t i = 0; i < n_kept_settings; i++) {
                if (kept_settings[i].stage != stage)
                        continue;
                const int r = add_setting(loaded, &kept_settings[i], inputs);
                if (r < 0)
                        return r;
                incomplete = incomplete || r > 0;
        }
        return incomplete;
}

static bool is_same_variable(const char *a, const char *b) {
        const size_t n = strcspn(a, "=");

        return n == strcspn(b, "=") && strncmp(a, b, n) == 0;
}

/* All that is said of one variable; where that is its name alone, the caller's value counts. */
static int say_variable(char *const *list, const char *variable, char **ret) {
        _cleanup_(freep) char *said = NULL;

        int r = text_copy("", &said);
        for (; r >= 0 && *list; list++) {
                const char *value = strchr(*list, '=') ? strchr(*list, '=') + 1 : getenv(*list);
                char *more = NULL;

                if (!is_same_variable(*list, variable))
                        continue;
                const char *quote = value ? "'" : "";

                r = text_format(&more, "%s%s%s%s%s", said, said[0] ? ", then " : "", quote,
                                value ?: "not set", quote);
                if (r >= 0) {
                        free(said);
                        said = more;
                }
        }
        if (r < 0)
                return r;
        *ret = TAKE_PTR(said);
        return 0;
}

static bool is_first(char *const *list, char *const *item) {
        for (; list < item; list++)
                if (is_same_variable(*list, *item))
                        return false;
        return true;
}

int kept_settings_add_environment(const Config *config, KeptInputs *inputs) {
        int r = 0;

        for (char **variable = config->environment; r >= 0 && variable && *variable; variable++) {
                _cleanup_(freep) char *said = NULL;

                if (!is_first(config->environment, variable))
                        continue;
                r = say_variable(config->environment, *variable, &said);
                if (r >= 0)
                        r = kept_inputs_add_format(inputs, said, "Environment= %.*s",
                                                   (int)strcspn(*variable, "="), *variable);
        }
        return r;
}
