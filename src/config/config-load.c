/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <dirent.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/path.h"
#include "base/strv.h"
#include "base/text.h"
#include "config/config-discover.h"
#include "config/config-load.h"
#include "config/config-profile.h"
#include "config/config-report.h"
#include "config/config-search-path.h"
#include "setting/load-file.h"

#define DEFAULT_FILE "mkosi.default"
#define DROP_INS_MAX 1024

/* The names of the regular files of a directory, sorted. One that does not exist holds none. */
static int list_files(const char *path, char ***ret) {
        _cleanup_(strv_freep) char **names = NULL;
        _cleanup_(directory_closep) DIR *directory = opendir(path);

        if (!directory) {
                if (errno != ENOENT && errno != ENOTDIR)
                        return -errno;
                *ret = NULL;
                return 0;
        }

        for (size_t n = 0;;) {
                struct stat status;

                errno = 0;
                const struct dirent *entry = readdir(directory);
                if (!entry && errno != 0)
                        return -errno;
                if (!entry)
                        break;
                if (fstatat(dirfd(directory), entry->d_name, &status, 0) < 0 || !S_ISREG(status.st_mode))
                        continue;
                if (++n > DROP_INS_MAX)
                        return -E2BIG;
                int r = strv_append(&names, entry->d_name);
                if (r < 0)
                        return r;
        }

        strv_sort(names);
        *ret = TAKE_PTR(names);
        return 0;
}

static int load_drop_ins(LoadedConfig *loaded, const char *directory) {
        _cleanup_(strv_freep) char **names = NULL;

        int r = list_files(directory, &names);
        if (r == -ENOMEM)
                return r;
        if (r < 0)
                return setting_mistake(&loaded->mistakes, "Cannot read the directory %s: %s", directory,
                                       strerror(-r));

        for (size_t i = 0; names && names[i]; i++) {
                _cleanup_(freep) char *path = NULL;

                r = path_join(directory, names[i], &path);
                if (r < 0)
                        return r;
                r = setting_load_file(loaded->store, path, &loaded->mistakes);
                if (r == -ENOMEM)
                        return r;
                if (r < 0)
                        r = setting_mistake(&loaded->mistakes, "Cannot read %s: %s", path,
                                            file_read_error(r));
                if (r < 0)
                        return r;
        }
        return 0;
}

/* One that leads nowhere was meant to lead somewhere. */
static bool is_link(const char *path) {
        struct stat status;

        return lstat(path, &status) == 0 && S_ISLNK(status.st_mode);
}

/* The file and its drop-ins, which count even if the file is not there. */
static int load_settings(LoadedConfig *loaded) {
        bool named = loaded->config.default_file != NULL;
        _cleanup_(freep) char *path = NULL, *drop_ins = NULL;

        int r = text_copy(named ? loaded->config.default_file : DEFAULT_FILE, &path);
        if (r < 0)
                return r;
        r = text_format(&drop_ins, "%s.d", path);
        if (r < 0)
                return r;

        int found = setting_load_file(loaded->store, path, &loaded->mistakes);
        if (found == -ENOMEM)
                return found;
        if (found < 0 && (named || found != -ENOENT || is_link(path)))
                r = setting_mistake(&loaded->mistakes, "Cannot read %s%s: %s", path,
                                    named ? ", which --default names" : "", file_read_error(found));
        else if (found >= 0 && !named)
                r = config_fill(loaded, CONFIG(default_file), DEFAULT_FILE, SETTING_DISCOVERED, DEFAULT_FILE);
        if (r < 0)
                return r;
        return load_drop_ins(loaded, drop_ins);
}

static int find_profile(LoadedConfig *loaded, const char *name, const char *where, char **ret) {
        _cleanup_(strv_freep) char **directories = NULL, **names = NULL;
        _cleanup_(config_profiles_done) ConfigProfiles profiles = {};
        _cleanup_(freep) char *list = NULL;

        *ret = NULL;
        int r = config_profile_directories(NULL, &directories);
        if (r < 0)
                return r;
        r = config_profile_find(STRV(directories), name, ret);
        if (r != -ENOENT && r != -EINVAL)
                return r;

        r = config_profiles_list(STRV(directories), &profiles);
        for (size_t i = 0; i < profiles.n_items && r >= 0; i++)
                r = strv_append(&names, profiles.items[i].name);
        if (r >= 0)
                r = strv_join(STRV(names), ", ", &list);
        if (r < 0)
                return r;
        return setting_mistake(&loaded->mistakes, "%s: There is no profile \"%s\"%s%s", where, name,
                               names ? ", there are " : "", list);
}

/* One is a settings file like mkosi.default, and has drop-ins likewise. */
static int load_profile_files(LoadedConfig *loaded, const char *path) {
        _cleanup_(freep) char *drop_ins = NULL;

        int r = text_format(&drop_ins, "%s.d", path);
        if (r < 0)
                return r;
        r = setting_load_file(loaded->store, path, &loaded->mistakes);
        if (r < 0 && r != -ENOMEM)
                r = setting_mistake(&loaded->mistakes, "Cannot read %s: %s", path, file_read_error(r));
        return r < 0 ? r : load_drop_ins(loaded, drop_ins);
}

static int loaded_config_new(LoadedConfig **ret) {
        _cleanup_(loaded_config_freep) LoadedConfig *loaded = calloc(1, sizeof(*loaded));

        if (!loaded)
                return -ENOMEM;
        loaded->host_architecture = ARCHITECTURE_MAX;
        const int r = setting_store_new(&config_table, &loaded->config, &loaded->store);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(loaded);
        return 0;
}

/* Beside profiles of the command line those of files do not count, so what a profile names shows in a reading of its own;
 * what is wrong otherwise comes when it is read in its turn. */
static int refuse_nested_profiles(LoadedConfig *loaded, const char *path) {
        _cleanup_(loaded_config_freep) LoadedConfig *alone = NULL;
        _cleanup_(freep) char *where = NULL;

        int r = loaded_config_new(&alone);
        if (r >= 0)
                r = load_profile_files(alone, path);
        if (r < 0 || !alone->config.profiles)
                return r;
        r = config_where(alone, CONFIG(profiles), 0, &where);
        return r < 0 ? r
                     : setting_mistake(&loaded->mistakes, "%s: A profile cannot name other profiles", where);
}

static int load_profile(LoadedConfig *loaded, const char *path) {
        const int r = refuse_nested_profiles(loaded, path);

        return r < 0 ? r : load_profile_files(loaded, path);
}

/* Loads those that `names` asks for, which may be the same. */
static int load_profiles(LoadedConfig *loaded, const LoadedConfig *names) {
        char *const *list = names->config.profiles;

        for (size_t i = 0, n = strv_length(STRV(list)); i < n; i++) {
                _cleanup_(freep) char *where = NULL, *path = NULL;

                int r = config_where(names, CONFIG(profiles), i, &where);
                if (r >= 0)
                        r = find_profile(loaded, list[i], where, &path);
                if (r >= 0 && path)
                        r = load_profile(loaded, path);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* Profiles stand directly below what names them. Where that is a file, files have to be read for their names first, with no
 * word of what is wrong in them, which comes when they are read in their turn. */
static int load_all_settings(LoadedConfig *loaded) {
        _cleanup_(loaded_config_freep) LoadedConfig *names = NULL;
        int r;

        if (loaded->config.profiles) {
                r = load_settings(loaded);
                return r < 0 ? r : load_profiles(loaded, loaded);
        }
        r = loaded_config_new(&names);
        if (r >= 0)
                r = text_copy(loaded->config.default_file, &names->config.default_file);
        if (r >= 0)
                r = load_settings(names);
        if (r >= 0)
                r = load_profiles(loaded, names);
        return r < 0 ? r : load_settings(loaded);
}

static int make_absolute(char **path) {
        _cleanup_(freep) char *absolute = NULL;

        int r = path_absolute(*path, &absolute);
        if (r < 0)
                return r;
        free(*path);
        *path = TAKE_PTR(absolute);
        return 0;
}

/* Output= is left as it was written: whether it holds a slash decides what it is relative to. */
static int make_paths_absolute(LoadedConfig *loaded) {
        for (size_t i = 0; i < config_table.n_rows; i++) {
                const Setting *setting = &config_table.rows[i];
                void *member = setting_member(loaded->store, setting);
                int r = 0;

                if (!setting->type->is_path || setting->offset == CONFIG(output))
                        continue;
                if (!setting->type->is_list) {
                        char **path = member;

                        if (*path && !((setting->flags & SETTING_URI) && path_is_uri(*path)))
                                r = make_absolute(path);
                } else
                        for (char **path = *(char ***)member; path && *path && r >= 0; path++)
                                r = make_absolute(path);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* All that follows is relative to this directory; its own name is remembered as an absolute one before that. */
static int change_directory(LoadedConfig *loaded) {
        char **directory = &loaded->config.directory;

        if (!*directory)
                return 0;
        int r = make_absolute(directory);
        if (r < 0)
                return r;
        if (chdir(*directory) < 0)
                return setting_mistake(&loaded->mistakes,
                                       "Cannot change to the directory %s, which --directory names: %m",
                                       *directory);
        return 0;
}

int config_load_files(LoadedConfig *loaded) {
        int r = change_directory(loaded);
        if (r < 0)
                return r;
        if (loaded->mistakes.texts)
                return -EINVAL;

        r = load_all_settings(loaded);
        if (r < 0)
                return r;
        r = config_expand_search_path(loaded);
        if (r < 0)
                return r;
        r = config_discover(loaded);
        if (r < 0)
                return r;
        r = make_paths_absolute(loaded);
        if (r < 0)
                return r;
        return loaded->mistakes.texts ? -EINVAL : 0;
}

int config_load_arguments(const SettingVerb *verbs, size_t n_verbs, int argc, char *const argv[],
                          LoadedConfig **ret) {
        _cleanup_(loaded_config_freep) LoadedConfig *loaded = NULL;

        int r = loaded_config_new(&loaded);
        if (r < 0)
                return r;
        r = setting_load_arguments(loaded->store, verbs, n_verbs, argc, argv, &loaded->arguments,
                                   &loaded->mistakes);
        if (r >= 0 && loaded->mistakes.texts)
                r = -EBADMSG;

        *ret = TAKE_PTR(loaded);
        return r;
}

int config_load(const SettingVerb *verbs, size_t n_verbs, int argc, char *const argv[], LoadedConfig **ret) {
        int r = config_load_arguments(verbs, n_verbs, argc, argv, ret);
        if (r < 0)
                return r;
        if ((*ret)->config.help || (*ret)->config.version)
                return 0;
        return config_load_files(*ret);
}

void loaded_config_free(LoadedConfig *loaded) {
        if (!loaded)
                return;
        setting_store_free(loaded->store);
        setting_mistakes_done(&loaded->mistakes);
        setting_arguments_done(&loaded->arguments);
        free(loaded);
}
