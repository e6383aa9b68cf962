/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <sys/stat.h>

#include "base/fd.h"
#include "base/path.h"
#include "base/strv.h"
#include "base/text.h"
#include "config/config-discover.h"
#include "config/config-report.h"

typedef struct SpecialFile {
        const char *name;
        mode_t type;                          /* S_IFREG or S_IFDIR; anything else of the name is a mistake */
        size_t offset;                        /* of the setting */
        bool (*wanted)(const Config *config); /* NULL: always */
} SpecialFile;

static bool is_encrypted(const Config *config) {
        return config->encrypt != ENCRYPT_OFF;
}

static bool is_signed(const Config *config) {
        return config->secure_boot;
}

static bool is_signed_here(const Config *config) {
        return config->secure_boot && !config->sign_offline;
}

static bool is_verified(const Config *config) {
        return config->verity;
}

static bool is_verified_here(const Config *config) {
        return config->verity && !config->sign_offline;
}

static bool is_squashfs(const Config *config) {
        return output_format_is_squashfs(config->format);
}

/* clang-format off */
static const SpecialFile special_files[] = {
        { "mkosi.extra",                  S_IFDIR, CONFIG(extra_trees),                 NULL             },
        { "mkosi.extra.tar",              S_IFREG, CONFIG(extra_trees),                 NULL             },
        { "mkosi.skeleton",               S_IFDIR, CONFIG(skeleton_trees),              NULL             },
        { "mkosi.skeleton.tar",           S_IFREG, CONFIG(skeleton_trees),              NULL             },
        { "mkosi.keys",                   S_IFDIR, CONFIG(repository_keys),             NULL             },
        { "mkosi.build",                  S_IFREG, CONFIG(build_script),                NULL             },
        { "mkosi.prepare",                S_IFREG, CONFIG(prepare_script),              NULL             },
        { "mkosi.postinst", S_IFREG, CONFIG(postinst_script),             NULL             },
        { "mkosi.finalize",               S_IFREG, CONFIG(finalize_script),             NULL             },
        { "mkosi.nspawn",                 S_IFREG, CONFIG(nspawn_settings),             NULL             },
        { "mkosi.cache",                  S_IFDIR, CONFIG(cache),                       NULL             },
        { "mkosi.builddir",               S_IFDIR, CONFIG(build_directory),             NULL             },
        { "mkosi.output",                 S_IFDIR, CONFIG(output_directory),            NULL             },
        { "mkosi.passphrase",             S_IFREG, CONFIG(passphrase_file),             is_encrypted     },
        { "mkosi.secure-boot.key",        S_IFREG, CONFIG(secure_boot_key),             is_signed_here   },
        { "mkosi.secure-boot.crt",        S_IFREG, CONFIG(secure_boot_certificate),     is_signed        },
        { "mkosi.secure-boot.passphrase", S_IFREG, CONFIG(secure_boot_passphrase_file), is_signed_here   },
        { "mkosi.verity.key",             S_IFREG, CONFIG(verity_key),                  is_verified_here },
        { "mkosi.verity.crt",             S_IFREG, CONFIG(verity_certificate),          is_verified      },
        { "mkosi.verity.passphrase",      S_IFREG, CONFIG(verity_passphrase_file),      is_verified_here },
        { "mkosi.mksquashfs-tool",        S_IFREG, CONFIG(mksquashfs),                  is_squashfs      },
};
/* clang-format on */

/* Trees and keys are added to those that were given. */
static int use_special_file(LoadedConfig *loaded, const SpecialFile *special) {
        const Setting *setting = config_setting(special->offset);
        _cleanup_(freep) char *path = NULL;

        int r = path_absolute(special->name, &path);
        if (r < 0)
                return r;

        if (setting->type == &setting_type_path_list) {
                r = strv_take(setting_member(loaded->store, setting), TAKE_PTR(path));
                if (r < 0)
                        return r;
                return setting_note_addition(loaded->store, setting, SETTING_DISCOVERED, special->name);
        }

        if (setting->type == &setting_type_words)
                r = strv_take(setting_member(loaded->store, setting), TAKE_PTR(path));
        else
                r = text_replace(setting_member(loaded->store, setting), path);
        if (r < 0)
                return r;
        return config_note(loaded, special->offset, SETTING_DISCOVERED, special->name);
}

static int read_root_password(LoadedConfig *loaded) {
        _cleanup_(freep) char *text = NULL;
        struct stat status;

        if (config_is_given(loaded, CONFIG(password)) || lstat(ROOT_PASSWORD_FILE, &status) < 0)
                return 0;

        int r = file_read(AT_FDCWD, ROOT_PASSWORD_FILE, ROOT_PASSWORD_SIZE_MAX, &text, NULL);
        if (r == -ENOMEM)
                return r;
        if (r < 0)
                return setting_mistake(&loaded->mistakes, "Cannot read " ROOT_PASSWORD_FILE ": %s",
                                       file_read_error(r));
        if (stat(ROOT_PASSWORD_FILE, &status) == 0 && (status.st_mode & (S_IRWXG | S_IRWXO))) {
                r = setting_warning(
                        &loaded->mistakes, ROOT_PASSWORD_FILE
                        " holds a secret, and others may open it; run: chmod 600 " ROOT_PASSWORD_FILE);
                if (r < 0)
                        return r;
        }

        r = text_replace(&loaded->config.password, text_strip(text));
        explicit_bzero(text, strlen(text));
        if (r < 0)
                return r;
        return config_note(loaded, CONFIG(password), SETTING_DISCOVERED, ROOT_PASSWORD_FILE);
}

static const char *describe_type(mode_t mode) {
        static const struct {
                mode_t type;
                const char *words;
        } types[] = {
                { S_IFREG, "a file" },
                { S_IFDIR, "a directory" },
                { S_IFIFO, "a named pipe" },
                { S_IFSOCK, "a socket" },
                { S_IFLNK, "a link that leads nowhere" },
        };

        for (size_t i = 0; i < ELEMENTSOF(types); i++)
                if ((mode & S_IFMT) == types[i].type)
                        return types[i].words;
        return "a device";
}

/* What has the name was meant to be used, and ignoring it would be noticed late. */
static int refuse_special_file(LoadedConfig *loaded, const SpecialFile *special, mode_t mode) {
        return setting_mistake(&loaded->mistakes, "%s is %s, and %s= takes %s of that name: %s",
                               special->name, describe_type(mode), config_setting(special->offset)->name,
                               describe_type(special->type),
                               S_ISLNK(mode) ? "mend or remove it" : "replace it, or give it another name");
}

/* Whether what has the name counts: of anything but trees and keys, only where nobody gave another. */
static bool is_looked_at(const LoadedConfig *loaded, const SpecialFile *special) {
        return (!special->wanted || special->wanted(&loaded->config)) &&
               (config_setting(special->offset)->type == &setting_type_path_list ||
                !config_is_given(loaded, special->offset));
}

static int discover(LoadedConfig *loaded, const SpecialFile *special) {
        struct stat status;

        if (!is_looked_at(loaded, special) || lstat(special->name, &status) < 0)
                return 0;
        /* A link that leads nowhere stays what it is. */
        (void)stat(special->name, &status);
        return (status.st_mode & S_IFMT) == special->type
                       ? use_special_file(loaded, special)
                       : refuse_special_file(loaded, special, status.st_mode);
}

int config_discover(LoadedConfig *loaded) {
        for (size_t i = 0; i < ELEMENTSOF(special_files); i++) {
                const int r = discover(loaded, &special_files[i]);
                if (r < 0)
                        return r;
        }
        return read_root_password(loaded);
}
