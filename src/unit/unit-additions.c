/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/path.h"
#include "base/strv.h"
#include "base/text.h"
#include "unit/unit-additions.h"
#include "unit/unit-name.h"

#define NULL_DEVICE "/dev/null"

typedef struct Addition {
        char *name, *path;
        bool masked; /* hides those of the same name elsewhere, and is nothing itself */
} Addition;

typedef struct Additions {
        const UnitPaths *paths;
        SettingMistakes *mistakes;
        bool (*fits)(const char *name);
        Addition *items;
        size_t n_items;
        bool too_many;
} Additions;

static void additions_done(Additions *additions) {
        for (size_t i = 0; i < additions->n_items; i++) {
                free(additions->items[i].name);
                free(additions->items[i].path);
        }
        free(additions->items);
        *additions = (Additions){};
}

static bool is_known(const Additions *additions, const char *name) {
        for (size_t i = 0; i < additions->n_items; i++)
                if (text_equal(additions->items[i].name, name))
                        return true;
        return false;
}

static int addition_append(Additions *additions, const char *directory, const char *name, bool masked) {
        Addition *const grown = reallocarray(additions->items, additions->n_items + 1, sizeof(Addition)),
                        *item;

        if (!grown)
                return -ENOMEM;
        additions->items = grown;
        item = &grown[additions->n_items++];
        *item = (Addition){ .masked = masked };
        const int r = text_copy(name, &item->name);
        return r < 0 ? r : path_join(directory, name, &item->path);
}

static bool is_masked(int directory_fd, const char *name) {
        char target[sizeof(NULL_DEVICE) + 1];

        const ssize_t n = readlinkat(directory_fd, name, target, sizeof(target) - 1);
        return n == (ssize_t)strlen(NULL_DEVICE) && memcmp(target, NULL_DEVICE, (size_t)n) == 0;
}

static int read_directory(Additions *additions, const char *path, DIR *directory) {
        for (;;) {
                errno = 0;
                const struct dirent *const entry = readdir(directory);
                if (!entry)
                        return errno == 0 ? 0
                                          : setting_mistake(additions->mistakes, "%s: %s", path,
                                                            strerror(errno));
                if (!additions->fits(entry->d_name) || is_known(additions, entry->d_name))
                        continue;
                if (additions->n_items >= UNIT_FILES_MAX) {
                        if (additions->too_many)
                                return 0;
                        additions->too_many = true;
                        return setting_mistake(additions->mistakes, "%s: More than %d files", path,
                                               UNIT_FILES_MAX);
                }
                const int r = addition_append(additions, path, entry->d_name,
                                              is_masked(dirfd(directory), entry->d_name));
                if (r < 0)
                        return r;
        }
}

static int find_in_directory(Additions *additions, const char *path) {
        _cleanup_(directory_closep) DIR *directory = NULL;

        int fd = unit_path_open(additions->paths, path, O_RDONLY | O_DIRECTORY);
        if (fd == -ENOENT || fd == -ENOTDIR)
                return 0;
        if (fd < 0)
                return setting_mistake(additions->mistakes, "%s: %s", path, strerror(-fd));
        directory = fdopendir(fd);
        if (!directory) {
                (void)fd_close(fd);
                return -ENOMEM;
        }
        return read_directory(additions, path, directory);
}

static int find_by_name(Additions *additions, const char *directory, const char *name, const char *suffix) {
        _cleanup_(freep) char *path = NULL;

        const int r = text_format(&path, "%s/%s%s", directory, name, suffix);
        return r < 0 ? r : find_in_directory(additions, path);
}

/* What the directories may be called, without their suffix: of "a-b@i.service", "a-b@i.service", "a-b@.service",
 * "a-@i.service", "a-@.service". */
static int names_list(const char *name, char ***ret) {
        _cleanup_(strv_freep) char **names = NULL;
        const char *const type = strrchr(name, '.');
        const size_t at = strcspn(name, "@");
        size_t prefix = MIN(at, (size_t)(type - name));
        const char *const end = name + prefix;
        int r;

        for (;;) {
                r = strv_append_format(&names, "%.*s%s", (int)prefix, name, end);
                if (r >= 0 && *end == '@')
                        r = strv_append_format(&names, "%.*s@%s", (int)prefix, name, type);
                if (r < 0)
                        return r;
                /* The dash that ends it already is no place to cut. */
                do
                        prefix -= prefix > 0;
                while (prefix > 0 && name[prefix - 1] != '-');
                if (prefix == 0)
                        break;
        }
        *ret = TAKE_PTR(names);
        return 0;
}

static int find_by_names(Additions *additions, char *const *names, const char *suffix) {
        char *const *directory = additions->paths->directories;
        int r = 0;

        for (; directory && *directory; directory++)
                for (char *const *name = names; r >= 0 && *name; name++)
                        r = find_by_name(additions, *directory, *name, suffix);
        return r;
}

static int compare_additions(const void *a, const void *b) {
        return strcmp(((const Addition *)a)->name, ((const Addition *)b)->name);
}

/* Whether a directory of higher precedence has the name as well, for whatever it is there. */
static bool is_hidden(const UnitPaths *paths, char *const *directory, const char *name) {
        for (char *const *higher = paths->directories; higher != directory; higher++) {
                _cleanup_(freep) char *path = NULL;
                _cleanup_(fd_closep) int fd = -EBADF;

                if (path_join(*higher, name, &path) < 0)
                        continue;
                fd = unit_path_open(paths, path, O_PATH | O_NOFOLLOW);
                if (fd >= 0)
                        return true;
        }
        return false;
}

/* A look at the link itself spares most of them a closer one. */
static bool may_lead_to(int directory_fd, const char *link, const char *name) {
        char target[PATH_MAX];

        const ssize_t n = readlinkat(directory_fd, link, target, sizeof(target) - 1);
        if (n < 0)
                return false;
        target[n] = '\0';
        return text_equal(path_base_name(target), name) && !text_equal(link, name);
}

/* Adds those links of one directory of units that lead to the name. */
static int find_aliases_in(const UnitPaths *paths, char *const *directory, const char *name,
                           char ***aliases) {
        _cleanup_(directory_closep) DIR *stream = NULL;
        const struct dirent *entry;
        int r = 0;

        const int fd = unit_path_open(paths, *directory, O_RDONLY | O_DIRECTORY);
        if (fd < 0)
                return 0;
        stream = fdopendir(fd);
        if (!stream) {
                (void)fd_close(fd);
                return -ENOMEM;
        }
        while (r >= 0 && (entry = readdir(stream))) {
                _cleanup_(freep) char *target = NULL;

                if ((entry->d_type != DT_LNK && entry->d_type != DT_UNKNOWN) ||
                    !(unit_name_kind(entry->d_name) & (UNIT_NAME_PLAIN | UNIT_NAME_INSTANCE)) ||
                    unit_name_type(entry->d_name) != unit_name_type(name) ||
                    !may_lead_to(dirfd(stream), entry->d_name, name) ||
                    strv_contains(STRV(*aliases), entry->d_name) ||
                    is_hidden(paths, directory, entry->d_name))
                        continue;
                r = unit_alias_read(paths, *directory, entry->d_name, &target);
                if (r > 0)
                        r = strv_append(aliases, entry->d_name);
        }
        return r;
}

int unit_aliases_list(const UnitPaths *paths, const char *name, char ***ret) {
        _cleanup_(strv_freep) char **names = NULL;

        int r = strv_append(&names, name);
        for (size_t i = 0; r >= 0 && names[i] && i <= UNIT_ALIASES_MAX; i++)
                for (char *const *directory = paths->directories; r >= 0 && directory && *directory;
                     directory++)
                        r = find_aliases_in(paths, directory, names[i], &names);
        if (r >= 0)
                *ret = TAKE_PTR(names);
        return r;
}

static int find_all(Additions *additions, const char *name, const char *suffix) {
        _cleanup_(strv_freep) char **aliases = NULL, **all = NULL;

        int r = unit_aliases_list(additions->paths, name, &aliases);
        for (char **alias = aliases; r >= 0 && *alias; alias++) {
                _cleanup_(strv_freep) char **names = NULL;

                r = names_list(*alias, &names);
                if (r >= 0)
                        r = strv_extend(&all, STRV(names));
        }
        return r < 0 ? r : find_by_names(additions, all, suffix);
}

static bool is_drop_in(const char *name) {
        return name[0] != '.' && text_ends_with(name, ".conf");
}

static bool is_unit(const char *name) {
        return unit_name_kind(name) & (UNIT_NAME_PLAIN | UNIT_NAME_INSTANCE);
}

/* Their paths or their names. */
static int additions_give(Additions *additions, bool want_paths, char ***ret) {
        _cleanup_(strv_freep) char **list = NULL;

        if (additions->n_items > 0)
                qsort(additions->items, additions->n_items, sizeof(Addition), compare_additions);
        for (size_t i = 0; i < additions->n_items; i++) {
                const Addition *const item = &additions->items[i];

                if (item->masked)
                        continue;
                const int r = strv_append(&list, want_paths ? item->path : item->name);
                if (r < 0)
                        return r;
        }
        *ret = TAKE_PTR(list);
        return 0;
}

int unit_drop_ins_find(const UnitPaths *paths, const char *name, SettingMistakes *mistakes, char ***ret) {
        _cleanup_(additions_done) Additions additions = { paths, mistakes, .fits = is_drop_in };
        char *const types[] = { (char *)unit_type_name(unit_name_type(name)), NULL };

        int r = find_all(&additions, name, ".d");
        if (r >= 0)
                r = find_by_names(&additions, types, ".d");
        return r < 0 ? r : additions_give(&additions, true, ret);
}

int conf_drop_ins_find(const UnitPaths *paths, const char *name, SettingMistakes *mistakes, char ***ret) {
        _cleanup_(additions_done) Additions additions = { paths, mistakes, .fits = is_drop_in };
        char *const names[] = { (char *)(uintptr_t)name, NULL };

        const int r = find_by_names(&additions, names, ".d");
        return r < 0 ? r : additions_give(&additions, true, ret);
}

int unit_names_find(const UnitPaths *paths, const char *name, const char *suffix, SettingMistakes *mistakes,
                    char ***ret) {
        _cleanup_(additions_done) Additions additions = { paths, mistakes, .fits = is_unit };

        const int r = find_all(&additions, name, suffix);
        return r < 0 ? r : additions_give(&additions, false, ret);
}
