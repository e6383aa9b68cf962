/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/environment.h"
#include "base/fd.h"
#include "base/path.h"
#include "base/strv.h"
#include "base/text.h"
#include "base/tree.h"
#include "exec/exec-directories-place.h"
#include "exec/exec-directories.h"
#include "unit/exec-status.h"
#include "unit/specifier.h"
#include "user/dynamic-user.h"

#define DIRECTORIES_MAX 1024
#define MODE_DEFAULT    0755

typedef struct DirectoryRow {
        const char *prefix, *setting, *variable;
        int exit;
        bool private; /* of dynamic users it lies behind the boundary */
} DirectoryRow;

/* clang-format off */
static const DirectoryRow rows[EXEC_DIRECTORY_TYPES] = {
        [EXEC_DIRECTORY_RUNTIME]       = { "/run",       "RuntimeDirectory",       "RUNTIME_DIRECTORY",       EXEC_EXIT_RUNTIME_DIRECTORY,       false },
        [EXEC_DIRECTORY_STATE]         = { "/var/lib",   "StateDirectory",         "STATE_DIRECTORY",         EXEC_EXIT_STATE_DIRECTORY,         true },
        [EXEC_DIRECTORY_CACHE]         = { "/var/cache", "CacheDirectory",         "CACHE_DIRECTORY",         EXEC_EXIT_CACHE_DIRECTORY,         true },
        [EXEC_DIRECTORY_LOGS]          = { "/var/log",   "LogsDirectory",          "LOGS_DIRECTORY",          EXEC_EXIT_LOGS_DIRECTORY,          true },
        [EXEC_DIRECTORY_CONFIGURATION] = { "/etc",       "ConfigurationDirectory", "CONFIGURATION_DIRECTORY", EXEC_EXIT_CONFIGURATION_DIRECTORY, false },
};
/* clang-format on */

int exec_directory_exit(ExecDirectoryType type) {
        return rows[type].exit;
}

static void directory_done(ExecDirectory *directory) {
        free(directory->name);
        free(directory->public);
        free(directory->private);
        *directory = (ExecDirectory){};
}

void exec_directories_done(ExecDirectories *directories) {
        for (size_t i = 0; i < directories->n_items; i++)
                directory_done(&directories->items[i]);
        free(directories->items);
        *directories = (ExecDirectories){};
}

/* "./a//b/" becomes "a/b". -EINVAL for what leaves the prefix, is the prefix itself or the boundary, and for colons, which
 * separate directories in the environment. */
static int normalise(const char *text, char **ret) {
        _cleanup_(strv_freep) char **parts = NULL, **kept = NULL;

        if (text[0] == '/' || strchr(text, ':'))
                return -EINVAL;
        int r = strv_split(text, "/", &parts);
        for (char **part = parts; r >= 0 && part && *part; part++) {
                if (text_equal(*part, "."))
                        continue;
                if (text_equal(*part, ".."))
                        return -EINVAL;
                r = strv_append(&kept, *part);
        }
        if (r < 0)
                return r;
        if (!kept || text_equal(kept[0], EXEC_BOUNDARY))
                return -EINVAL;
        return strv_join(STRV(kept), "/", ret);
}

static int directory_new(ExecDirectoryType type, const char *name, mode_t mode, bool dynamic,
                         ExecDirectory *ret) {
        ExecDirectory directory = { .type = type, .mode = mode };

        int r = text_copy(name, &directory.name);
        if (r >= 0)
                r = text_format(&directory.public, "%s/%s", rows[type].prefix, name);
        if (r >= 0 && dynamic && rows[type].private)
                r = text_format(&directory.private, "%s/" EXEC_BOUNDARY "/%s", rows[type].prefix, name);
        if (r < 0) {
                directory_done(&directory);
                return r;
        }
        *ret = directory;
        return 0;
}

static bool is_there(const ExecDirectories *directories, ExecDirectoryType type, const char *name) {
        for (size_t i = 0; i < directories->n_items; i++)
                if (directories->items[i].type == type && text_equal(directories->items[i].name, name))
                        return true;
        return false;
}

static int add_directory(const UnitSettings *settings, ExecDirectoryType type, const char *name, bool dynamic,
                         ExecDirectories *directories) {
        const Mode *const mode = &settings->directory_modes[type];
        ExecDirectory directory;

        if (is_there(directories, type, name))
                return 0;
        if (directories->n_items >= DIRECTORIES_MAX)
                return -E2BIG;
        ExecDirectory *const grown =
                reallocarray(directories->items, directories->n_items + 1, sizeof(ExecDirectory));
        if (!grown)
                return -ENOMEM;
        directories->items = grown;
        const int r = directory_new(type, name, mode->set ? mode->bits : MODE_DEFAULT, dynamic, &directory);
        if (r >= 0)
                grown[directories->n_items++] = directory;
        return r;
}

/* One assignment: names with blanks between. */
static int add_line(const UnitSettings *settings, ExecDirectoryType type, const char *line, const char *unit,
                    bool dynamic, ExecDirectories *directories, Reason *reason) {
        _cleanup_(strv_freep) char **words = NULL;

        int r = strv_split_quoted(line, &words);
        if (r < 0)
                return reason_set(reason, r, "%s= has a quote without end: %s", rows[type].setting, line);
        for (char **word = words; r >= 0 && word && *word; word++) {
                _cleanup_(freep) char *expanded = NULL, *name = NULL;

                r = specifier_expand(*word, unit, &expanded, reason);
                if (r >= 0)
                        r = normalise(expanded, &name);
                if (r == -EINVAL)
                        return reason_set(
                                reason, r,
                                "%s= names \"%s\", which has to be a path below %s, without \"..\" and "
                                "\":\", and not below \"" EXEC_BOUNDARY "\"",
                                rows[type].setting, *word, rows[type].prefix);
                if (r >= 0)
                        r = add_directory(settings, type, name, dynamic, directories);
        }
        return r;
}

/* Parents come before what lies in them. */
static int compare_directories(const void *a, const void *b) {
        const ExecDirectory *const x = a, *const y = b;

        return x->type != y->type ? (x->type < y->type ? -1 : 1) : strcmp(x->name, y->name);
}

int exec_directories_plan(const UnitSettings *settings, const char *unit, bool dynamic, ExecDirectories *ret,
                          int *ret_exit, Reason *reason) {
        _cleanup_(exec_directories_done) ExecDirectories directories = {};
        int r = 0;

        for (ExecDirectoryType type = 0; type < EXEC_DIRECTORY_TYPES; type++) {
                for (char *const *line = settings->directories[type]; r >= 0 && line && *line; line++)
                        r = add_line(settings, type, *line, unit, dynamic, &directories, reason);
                if (r < 0) {
                        *ret_exit = rows[type].exit;
                        return r;
                }
        }
        if (directories.n_items > 0)
                qsort(directories.items, directories.n_items, sizeof(ExecDirectory), compare_directories);
        *ret = directories;
        directories = (ExecDirectories){};
        return 0;
}

/* Of configuration nothing is ever given away, and what is below /run is made anew. */
int exec_directories_owners(const ExecDirectories *directories, uid_t *ret, size_t n_max, size_t *ret_n) {
        size_t n = 0;

        for (size_t i = 0; i < directories->n_items && n < n_max; i++) {
                const ExecDirectory *const directory = &directories->items[i];
                _cleanup_(fd_closep) int fd = -EBADF;
                struct stat status;

                if (!directory->private)
                        continue;
                fd = exec_directory_open(directory, directory->private);
                if (fd == -ENOENT || fd == -ENOTDIR || fd == -ELOOP)
                        continue;
                if (fd < 0 || fstat(fd, &status) < 0)
                        return fd < 0 ? fd : -errno;
                if (status.st_uid >= DYNAMIC_USER_FIRST && status.st_uid <= DYNAMIC_USER_LAST)
                        ret[n++] = status.st_uid;
        }
        *ret_n = n;
        return 0;
}

int exec_directories_environment(const ExecDirectories *directories, char ***environment) {
        for (ExecDirectoryType type = 0; type < EXEC_DIRECTORY_TYPES; type++) {
                _cleanup_(strv_freep) char **paths = NULL;
                _cleanup_(freep) char *joined = NULL, *variable = NULL;
                int r = 0;

                for (size_t i = 0; r >= 0 && i < directories->n_items; i++)
                        if (directories->items[i].type == type)
                                r = strv_append(&paths, directories->items[i].public);
                if (r >= 0 && !paths)
                        continue;
                if (r >= 0)
                        r = strv_join(STRV(paths), ":", &joined);
                if (r >= 0)
                        r = text_format(&variable, "%s=%s", rows[type].variable, joined);
                if (r >= 0)
                        r = environment_set(environment, variable);
                if (r < 0)
                        return r;
        }
        return 0;
}

int exec_directories_remove_runtime(const ExecDirectories *directories, Reason *reason) {
        int result = 0;

        /* What lies in another one first. */
        for (size_t i = directories->n_items; i > 0; i--) {
                const ExecDirectory *const directory = &directories->items[i - 1];
                _cleanup_(fd_closep) int fd = -EBADF;

                if (directory->type != EXEC_DIRECTORY_RUNTIME)
                        continue;
                fd = exec_directory_open_parent(directory, directory->public, false);
                int r = fd < 0 ? fd : tree_remove(fd, path_base_name(directory->name));
                if (r < 0 && r != -ENOENT && result >= 0)
                        result = reason_set(reason, r, "Cannot remove %s: %m", directory->public);
        }
        return result;
}
