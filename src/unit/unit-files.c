/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/path.h"
#include "base/strv.h"
#include "base/text.h"
#include "setting/load-file.h"
#include "unit/unit-additions.h"
#include "unit/unit-files.h"
#include "unit/unit-name.h"

#define NULL_DEVICE "/dev/null"

static const char *const usual_directories[] = {
        "/etc/systemd/system.control", "/run/systemd/system.control", "/run/systemd/transient",
        "/etc/systemd/system",         "/run/systemd/system",         "/usr/local/lib/systemd/system",
        "/usr/lib/systemd/system",     "/lib/systemd/system",
};

int unit_paths_add(UnitPaths *paths, const char *directory) {
        char *path;

        const int r = path_join(paths->root, directory, &path);
        return r < 0 ? r : strv_take(&paths->directories, path);
}

int unit_paths_new(const char *root, const char *const *own, UnitPaths *ret) {
        _cleanup_(unit_paths_done) UnitPaths paths = {};

        int r = path_absolute(root, &paths.root);
        for (; r >= 0 && own && *own; own++)
                r = unit_paths_add(&paths, *own);
        for (size_t i = 0; r >= 0 && i < ELEMENTSOF(usual_directories); i++)
                r = unit_paths_add(&paths, usual_directories[i]);
        if (r < 0)
                return r;
        *ret = paths;
        paths = (UnitPaths){};
        return 0;
}

void unit_paths_done(UnitPaths *paths) {
        free(paths->root);
        strv_free(paths->directories);
        *paths = (UnitPaths){};
}

void unit_files_done(UnitFiles *files) {
        free(files->name);
        free(files->fragment);
        strv_free(files->drop_ins);
        strv_free(files->wants);
        strv_free(files->requires);
        *files = (UnitFiles){};
}

static const char *root_of(const UnitPaths *paths) {
        return paths->root ? paths->root : "/";
}

int unit_path_open(const UnitPaths *paths, const char *path, int flags) {
        _cleanup_(fd_closep) int root_fd = open(root_of(paths), O_PATH | O_DIRECTORY | O_CLOEXEC);

        if (root_fd < 0)
                return -errno;
        return path_open_below(root_fd, path_seen_from(path, root_of(paths)) ?: path, flags, 0);
}

static bool is_null_device(const struct stat *status) {
        return S_ISCHR(status->st_mode) && status->st_rdev == makedev(1, 3);
}

int unit_file_read(const UnitPaths *paths, const char *path, char **ret, size_t *ret_size) {
        _cleanup_(fd_closep) int fd = unit_path_open(paths, path, O_RDONLY | O_NONBLOCK | O_NOCTTY);

        return fd < 0 ? fd : fd_read_file(fd, SETTING_FILE_SIZE_MAX, ret, ret_size);
}

static bool is_absent(int r) {
        return r == -ENOENT || r == -ENOTDIR;
}

/* What is called by a name in a directory. */
typedef enum EntryKind { ENTRY_NONE, ENTRY_FILE, ENTRY_MASK, ENTRY_ALIAS } EntryKind;

typedef struct Entry {
        EntryKind kind;
        char *path;   /* of a file */
        char *target; /* name that an alias leads to */
} Entry;

static void entry_done(Entry *entry) {
        free(entry->path);
        free(entry->target);
        *entry = (Entry){};
}

/* Whether a link leads into a directory of units: what it is called there is another name of that unit. 1 and 0. */
static int leads_to_units(const UnitPaths *paths, const char *directory, const char *target) {
        _cleanup_(freep) char *parent = NULL, *path = NULL;
        struct stat status, other;

        int r = path_parent(target, &parent);
        if (r >= 0)
                r = path_join(target[0] == '/' ? root_of(paths) : directory, parent, &path);
        if (r < 0)
                return r;
        _cleanup_(fd_closep) int fd = unit_path_open(paths, path, O_PATH | O_DIRECTORY);
        if (fd < 0 || fstat(fd, &status) < 0)
                return 0;
        for (char *const *item = paths->directories; item && *item; item++) {
                _cleanup_(fd_closep) int other_fd = unit_path_open(paths, *item, O_PATH | O_DIRECTORY);

                if (other_fd >= 0 && fstat(other_fd, &other) == 0 && status.st_dev == other.st_dev &&
                    status.st_ino == other.st_ino)
                        return 1;
        }
        return 0;
}

bool unit_file_is_linked(const UnitPaths *paths, const char *path) {
        _cleanup_(freep) char *directory = NULL;
        _cleanup_(fd_closep) int fd = unit_path_open(paths, path, O_PATH | O_NOFOLLOW);
        char target[PATH_MAX];

        const ssize_t n = fd < 0 ? -1 : readlinkat(fd, "", target, sizeof(target) - 1);
        if (n < 0 || path_parent(path, &directory) < 0)
                return false;
        target[n] = '\0';
        return leads_to_units(paths, directory, target) == 0;
}

const char *unit_file_directory(const UnitPaths *paths, const char *name) {
        for (char *const *directory = paths->directories; directory && *directory; directory++) {
                _cleanup_(freep) char *path = NULL;
                _cleanup_(fd_closep) int fd = -EBADF;

                if (path_join(*directory, name, &path) < 0)
                        return NULL;
                fd = unit_path_open(paths, path, O_PATH | O_NOFOLLOW);
                if (fd >= 0)
                        return *directory;
        }
        return NULL;
}

/* Looks at a link, which may be no more than a way to a file. */
static int link_read(const UnitPaths *paths, const char *directory, const char *name, int fd, Entry *entry) {
        char target[PATH_MAX];

        const ssize_t n = readlinkat(fd, "", target, sizeof(target) - 1);
        if (n < 0)
                return -errno;
        target[n] = '\0';
        if (text_equal(target, NULL_DEVICE)) {
                entry->kind = ENTRY_MASK;
                return 0;
        }
        const char *const base = path_base_name(target);
        if (text_equal(base, name) || unit_name_kind(base) == 0)
                return 0;
        const int r = leads_to_units(paths, directory, target);
        if (r <= 0)
                return r;
        entry->kind = ENTRY_ALIAS;
        return text_copy(base, &entry->target);
}

/* A file, wherever it lies. */
static int file_look(const UnitPaths *paths, Entry *entry) {
        _cleanup_(fd_closep) int fd = unit_path_open(paths, entry->path, O_PATH);
        struct stat status;

        if (fd < 0)
                return fd;
        if (fstat(fd, &status) < 0)
                return -errno;
        if (is_null_device(&status) || (S_ISREG(status.st_mode) && status.st_size == 0))
                entry->kind = ENTRY_MASK;
        else if (S_ISREG(status.st_mode))
                entry->kind = ENTRY_FILE;
        else
                return -EINVAL;
        return 0;
}

/* -ENOMEM is an error; any other negative number says why the entry is no good, and entry->path which one it is. */
static int entry_look(const UnitPaths *paths, const char *directory, const char *name, Entry *entry) {
        struct stat status;

        int r = path_join(directory, name, &entry->path);
        if (r < 0)
                return r;
        _cleanup_(fd_closep) int fd = unit_path_open(paths, entry->path, O_PATH | O_NOFOLLOW);
        if (fd < 0)
                return is_absent(fd) ? 0 : fd;
        if (fstat(fd, &status) < 0)
                return -errno;
        if (S_ISLNK(status.st_mode))
                r = link_read(paths, directory, name, fd, entry);
        if (r >= 0 && entry->kind == ENTRY_NONE)
                r = file_look(paths, entry);
        return r;
}

int unit_alias_read(const UnitPaths *paths, const char *directory, const char *name, char **ret) {
        _cleanup_(entry_done) Entry entry = {};

        const int r = entry_look(paths, directory, name, &entry);
        if (r == -ENOMEM)
                return r;
        if (r < 0 || entry.kind != ENTRY_ALIAS)
                return 0;
        *ret = TAKE_PTR(entry.target);
        return 1;
}

static bool have_same_instance(const char *a, const char *b) {
        const size_t from_a = strcspn(a, "@"), from_b = strcspn(b, "@");
        const char *const dot_a = strrchr(a, '.'), *const dot_b = strrchr(b, '.');

        return dot_a - a - (ptrdiff_t)from_a == dot_b - b - (ptrdiff_t)from_b &&
               memcmp(a + from_a, b + from_b, (size_t)(dot_a - a) - from_a) == 0;
}

/* The name of the unit that a link is an alias of, when `name` is asked for. -EINVAL when it is no possible alias. */
static int alias_name(const char *name, const char *link, const char *target, char **ret) {
        const UnitNameKind link_kind = unit_name_kind(link), target_kind = unit_name_kind(target);
        _cleanup_(freep) char *instance = NULL;

        if (unit_name_type(link) != unit_name_type(target))
                return -EINVAL;
        if (link_kind == UNIT_NAME_PLAIN)
                return target_kind == UNIT_NAME_TEMPLATE ? -EINVAL : text_copy(target, ret);
        if (link_kind == UNIT_NAME_INSTANCE && target_kind == UNIT_NAME_INSTANCE)
                return have_same_instance(link, target) ? text_copy(target, ret) : -EINVAL;
        if (target_kind != UNIT_NAME_TEMPLATE)
                return -EINVAL;
        const int r = unit_name_instance(name, &instance);
        return r < 0 ? r : unit_name_instantiate(target, instance, ret);
}

/* Looks for one name in all directories, as what the unit is asked for: 1 when that settled what the unit is. */
static int name_look(const UnitPaths *paths, const char *asked, const char *name, SettingMistakes *mistakes,
                     Entry *ret) {
        for (char *const *directory = paths->directories; directory && *directory; directory++) {
                _cleanup_(entry_done) Entry entry = {};
                char *unit = NULL;

                int r = entry_look(paths, *directory, name, &entry);
                if (r == -ENOMEM)
                        return r;
                if (is_absent(r))
                        r = setting_warning(mistakes, "%s: The link leads nowhere", entry.path);
                else if (r < 0)
                        r = setting_mistake(mistakes, "%s: %s", entry.path, file_read_error(r));
                if (r < 0)
                        return r;

                if (entry.kind == ENTRY_ALIAS) {
                        r = alias_name(asked, name, entry.target, &unit);
                        if (r == -EINVAL) {
                                r = setting_warning(mistakes, "%s: %s cannot be another name of %s",
                                                    entry.path, name, entry.target);
                                entry.kind = ENTRY_NONE;
                        }
                        if (r < 0)
                                return r;
                        free(entry.target);
                        entry.target = unit;
                }
                if (entry.kind == ENTRY_NONE)
                        continue;
                *ret = entry;
                entry = (Entry){};
                return 1;
        }
        return 0;
}

/* By the name itself, or by its template's. */
static int unit_look(const UnitPaths *paths, const char *name, SettingMistakes *mistakes, Entry *ret) {
        _cleanup_(freep) char *template = NULL;

        int r = name_look(paths, name, name, mistakes, ret);
        const bool is_own_template = r > 0 && ret->kind == ENTRY_ALIAS && text_equal(ret->target, name);
        if (r < 0 || (r > 0 && !is_own_template) || unit_name_kind(name) != UNIT_NAME_INSTANCE)
                return r;

        entry_done(ret);
        r = unit_name_template(name, &template);
        return r < 0 ? r : name_look(paths, name, template, mistakes, ret);
}

static int unit_find(const UnitPaths *paths, SettingMistakes *mistakes, UnitFiles *files) {
        for (size_t i = 0; i <= UNIT_ALIASES_MAX; i++) {
                _cleanup_(entry_done) Entry entry = {};

                const int r = unit_look(paths, files->name, mistakes, &entry);
                if (r < 0)
                        return r;
                if (entry.kind != ENTRY_ALIAS) {
                        files->masked = entry.kind == ENTRY_MASK;
                        if (entry.kind == ENTRY_FILE)
                                files->fragment = TAKE_PTR(entry.path);
                        return 0;
                }
                free(files->name);
                files->name = TAKE_PTR(entry.target);
        }
        return setting_mistake(mistakes, "%s: More than %d aliases, or aliases that lead to each other",
                               files->name, UNIT_ALIASES_MAX);
}

/* The directories that are there, once each: a dozen names are looked for in every one, and few machines have more than half of
 * them. The strings are those of the paths. */
static int present_find(const UnitPaths *paths, UnitPaths *ret) {
        const size_t n_paths = strv_length(STRV(paths->directories));
        _cleanup_(freep) struct stat *found = calloc(n_paths + 1, sizeof(*found));
        char **const directories = calloc(n_paths + 1, sizeof(*directories));
        size_t n = 0;

        if (!found || !directories) {
                free(directories);
                return -ENOMEM;
        }
        for (size_t i = 0; i < n_paths; i++) {
                _cleanup_(fd_closep) int fd =
                        unit_path_open(paths, paths->directories[i], O_PATH | O_DIRECTORY);
                size_t same = 0;

                /* One that cannot be opened is complained of by whoever looks for a file in it. */
                if (is_absent(fd) || (fd >= 0 && fstat(fd, &found[n]) < 0))
                        continue;
                while (fd >= 0 && same < n &&
                       (found[same].st_dev != found[n].st_dev || found[same].st_ino != found[n].st_ino))
                        same++;
                if (fd >= 0 && same < n)
                        continue;
                directories[n++] = paths->directories[i];
        }
        *ret = (UnitPaths){ .root = paths->root, .directories = directories };
        return 0;
}

static int files_find(const UnitPaths *paths, const char *name, SettingMistakes *mistakes, UnitFiles *ret) {
        _cleanup_(unit_files_done) UnitFiles files = {};

        int r = text_copy(name, &files.name);
        if (r >= 0)
                r = unit_find(paths, mistakes, &files);
        if (r >= 0 && !files.masked)
                r = unit_drop_ins_find(paths, files.name, mistakes, &files.drop_ins);
        if (r >= 0 && !files.masked)
                r = unit_names_find(paths, files.name, ".wants", mistakes, &files.wants);
        if (r >= 0 && !files.masked)
                r = unit_names_find(paths, files.name, ".requires", mistakes, &files.requires);
        if (r < 0)
                return r;
        *ret = files;
        files = (UnitFiles){};
        return 0;
}

int unit_files_find(const UnitPaths *paths, const char *name, SettingMistakes *mistakes, UnitFiles *ret) {
        UnitPaths present;

        assert(unit_name_kind(name) & UNIT_NAME_ANY);
        int r = present_find(paths, &present);
        if (r < 0)
                return r;
        r = files_find(&present, name, mistakes, ret);
        free(present.directories);
        return r;
}
