/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <ctype.h>
#include <dirent.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/path.h"
#include "base/strv.h"
#include "base/text.h"
#include "config/config-profile.h"
#include "setting/load-file.h"

#define SUFFIX          ".conf"
#define NAME_LENGTH_MAX 64
#define PROFILES_MAX    1024
#define LICENCE         "SPDX-"

/* The directory of the build tree that programs are linked in; beside it are the profiles, as they would be installed. */
#define BUILD_DIRECTORY "src"

static bool is_name(const char *name, size_t length) {
        if (length == 0 || length > NAME_LENGTH_MAX || !isalnum((unsigned char)name[0]))
                return false;
        for (size_t i = 0; i < length; i++)
                if (!isalnum((unsigned char)name[i]) && !strchr("-_.", name[i]))
                        return false;
        return true;
}

/* Of the program that runs: where it was built, or where everything was installed. */
static int shipped_directory(char **ret) {
        _cleanup_(freep) char *program = NULL, *build = NULL;
        char path[PATH_MAX];

        const ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 1);
        if (n > 0) {
                path[n] = '\0';
                int r = path_parent(path, &program);
                if (r >= 0)
                        r = path_parent(program, &build);
                if (r < 0)
                        return r;
                if (text_equal(path_base_name(program), BUILD_DIRECTORY))
                        return path_join(build, "profiles", ret);
        }
        return text_copy(MKOSI_PROFILES_DIRECTORY, ret);
}

int config_profile_directories(const char *project, char ***ret) {
        _cleanup_(strv_freep) char **directories = NULL;
        char *directory;

        int r = path_join(project ? project : "", PROFILES_DIRECTORY, &directory);
        if (r >= 0)
                r = strv_take(&directories, directory);
        if (r >= 0)
                r = shipped_directory(&directory);
        if (r >= 0)
                r = strv_take(&directories, directory);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(directories);
        return 0;
}

int config_profile_find(const char *const *directories, const char *name, char **ret) {
        if (!is_name(name, strlen(name)))
                return -EINVAL;

        for (; *directories; directories++) {
                _cleanup_(freep) char *path = NULL;

                const int r = text_format(&path, "%s/%s" SUFFIX, *directories, name);
                if (r < 0)
                        return r;
                /* One that cannot be read is for whoever reads it to complain of: it hides the others. */
                if (faccessat(AT_FDCWD, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0) {
                        *ret = TAKE_PTR(path);
                        return 0;
                }
        }
        return -ENOENT;
}

static int read_about(const char *path, char **ret) {
        _cleanup_(freep) char *text = NULL;
        _cleanup_(strv_freep) char **lines = NULL;

        int r = file_read(AT_FDCWD, path, SETTING_FILE_SIZE_MAX, &text, NULL);
        if (r == -ENOMEM)
                return r;
        r = strv_split(r < 0 ? "" : text, "\n", &lines);
        if (r < 0)
                return r;

        const char *about = "";
        for (char **line = lines; line && *line && text_is_empty(about) && strchr("#;", (*line)[0]); line++) {
                const char *comment = text_strip(*line + 1);

                if (!text_after_prefix(comment, LICENCE))
                        about = comment;
        }
        r = text_copy(about, ret);
        if (r >= 0)
                text_tame(*ret);
        return r;
}

static int compare_profiles(const void *a, const void *b) {
        return strcmp(((const ConfigProfile *)a)->name, ((const ConfigProfile *)b)->name);
}

static bool is_known(const ConfigProfiles *profiles, const char *name) {
        for (size_t i = 0; i < profiles->n_items; i++)
                if (text_equal(profiles->items[i].name, name))
                        return true;
        return false;
}

/* The name of a file without its suffix, if that is a profile which nothing hides. */
static int add_file(const char *directory, const char *file, ConfigProfiles *profiles) {
        const size_t length = strlen(file) - (text_ends_with(file, SUFFIX) ? strlen(SUFFIX) : 0);
        _cleanup_(freep) char *name = NULL;

        if (file[length] == '\0' || !is_name(file, length) || profiles->n_items >= PROFILES_MAX)
                return 0;
        int r = text_format(&name, "%.*s", (int)length, file);
        if (r < 0 || is_known(profiles, name))
                return r;

        ConfigProfile *grown = reallocarray(profiles->items, profiles->n_items + 1, sizeof(ConfigProfile));
        if (!grown)
                return -ENOMEM;
        profiles->items = grown;
        ConfigProfile *profile = &grown[profiles->n_items++];
        *profile = (ConfigProfile){ .name = TAKE_PTR(name) };
        r = path_join(directory, file, &profile->path);
        return r < 0 ? r : read_about(profile->path, &profile->about);
}

int config_profiles_list(const char *const *directories, ConfigProfiles *ret) {
        ConfigProfiles profiles = {};
        int r = 0;

        for (; *directories && r >= 0; directories++) {
                _cleanup_(directory_closep) DIR *directory = opendir(*directories);
                const struct dirent *entry;

                while (directory && r >= 0 && (entry = readdir(directory)))
                        r = add_file(*directories, entry->d_name, &profiles);
        }
        if (r < 0) {
                config_profiles_done(&profiles);
                return r;
        }
        if (profiles.n_items > 0)
                qsort(profiles.items, profiles.n_items, sizeof(ConfigProfile), compare_profiles);
        *ret = profiles;
        return 0;
}

void config_profiles_done(ConfigProfiles *profiles) {
        for (size_t i = 0; i < profiles->n_items; i++) {
                free(profiles->items[i].name);
                free(profiles->items[i].path);
                free(profiles->items[i].about);
        }
        free(profiles->items);
        *profiles = (ConfigProfiles){};
}
