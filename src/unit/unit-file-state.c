/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <dirent.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <string.h>

#include "base/fd.h"
#include "base/path.h"
#include "base/strv.h"
#include "base/text.h"
#include "base/tree.h"
#include "unit/specifier.h"
#include "unit/unit-enable.h"
#include "unit/unit-file-state.h"
#include "unit/unit-name.h"

#define UNIT_FILES_LISTED_MAX 20000

/* What is below /run goes with the next boot. */
static bool is_below(const UnitPaths *paths, const char *path, const char *directory) {
        const char *const seen = path_seen_from(path, paths->root ?: "/");

        return seen && text_after_prefix(seen + strspn(seen, "/"), directory);
}

static bool is_for_now(const UnitPaths *paths, const char *path) {
        return is_below(paths, path, "run/");
}

static bool has_links_in(const Unit *unit, const char *directory) {
        _cleanup_(unit_links_done) UnitLinks links = {};

        if (unit_links_plan(unit, directory, &links, NULL) < 0)
                return false;
        for (size_t i = 0; i < links.n_items; i++)
                if (unit_link_exists(&links.items[i]) > 0)
                        return true;
        return false;
}

static DIR *open_directory(const UnitPaths *paths, const char *path) {
        const int fd = unit_path_open(paths, path, O_RDONLY | O_DIRECTORY);
        DIR *const directory = fd < 0 ? NULL : fdopendir(fd);

        if (!directory)
                (void)fd_close(fd);
        return directory;
}

static bool has_instance_in(const UnitPaths *paths, const char *template, const char *path) {
        _cleanup_(directory_closep) DIR *directory = open_directory(paths, path);
        const struct dirent *entry;

        while (directory && (entry = readdir(directory))) {
                _cleanup_(freep) char *of = NULL;

                if (unit_name_kind(entry->d_name) == UNIT_NAME_INSTANCE &&
                    unit_name_template(entry->d_name, &of) >= 0 && text_equal(of, template))
                        return true;
        }
        return false;
}

/* Whether some instance of the template is enabled. */
static bool has_instances_in(const UnitPaths *paths, const Unit *unit, const char *directory) {
        const struct {
                char *const *names;
                const char *kind;
        } lists[] = {
                { unit->settings.wanted_by, "wants" },
                { unit->settings.required_by, "requires" },
        };

        for (size_t i = 0; i < ELEMENTSOF(lists); i++)
                for (char *const *name = lists[i].names; name && *name; name++) {
                        _cleanup_(freep) char *wanting = NULL, *path = NULL;

                        if (specifier_expand(*name, unit->name, &wanting, NULL) >= 0 &&
                            text_format(&path, "%s/%s.%s", directory, wanting, lists[i].kind) >= 0 &&
                            has_instance_in(paths, unit->name, path))
                                return true;
                }
        return false;
}

static const char *masked_state(const UnitPaths *paths, const char *name) {
        _cleanup_(freep) char *template = NULL;
        const char *directory = unit_file_directory(paths, name);

        if (!directory && unit_name_kind(name) == UNIT_NAME_INSTANCE &&
            unit_name_template(name, &template) >= 0)
                directory = unit_file_directory(paths, template);
        return directory && is_for_now(paths, directory) ? "masked-runtime" : "masked";
}

/* One that a generator or somebody at run time has made. */
static const char *made_state(const UnitPaths *paths, const char *fragment) {
        _cleanup_(freep) char *parent = NULL;

        if (is_below(paths, fragment, "run/systemd/generator"))
                return "generated";
        if (is_for_now(paths, fragment) && path_parent(fragment, &parent) >= 0 &&
            text_ends_with(parent, "/transient"))
                return "transient";
        return NULL;
}

const char *unit_file_state(const UnitPaths *paths, const char *name, const Unit *unit) {
        const UnitSettings *const settings = &unit->settings;
        const bool is_template = unit_name_kind(unit->name) == UNIT_NAME_TEMPLATE;
        bool for_now = false, otherwise = false;

        if (unit->state == UNIT_MASKED)
                return masked_state(paths, name);
        if (!unit->fragment)
                return "";
        if (!text_equal(unit->name, name))
                return "alias";
        const char *const made = made_state(paths, unit->fragment);
        if (made)
                return made;
        for (char *const *directory = paths->directories; directory && *directory; directory++) {
                otherwise = otherwise || (is_template && has_instances_in(paths, unit, *directory));
                if (!has_links_in(unit, *directory))
                        continue;
                if (!is_for_now(paths, *directory))
                        return "enabled";
                for_now = true;
        }
        if (for_now)
                return "enabled-runtime";
        if (unit_file_is_linked(paths, unit->fragment))
                return is_for_now(paths, unit->fragment) ? "linked-runtime" : "linked";
        if (otherwise)
                return "indirect";
        if (settings->wanted_by || settings->required_by || settings->alias)
                return "disabled";
        return settings->also ? "indirect" : "static";
}

bool unit_file_state_is_good(const char *state) {
        static const char *const good[] = { "enabled",  "enabled-runtime", "alias",     "static",
                                            "indirect", "generated",       "transient", NULL };

        return strv_contains(good, state);
}

/* Lists */

void unit_file_list_done(UnitFileList *list) {
        for (size_t i = 0; i < list->n_items; i++) {
                free(list->items[i].name);
                free(list->items[i].path);
        }
        free(list->items);
        *list = (UnitFileList){};
}

static bool fits(const char *const *patterns, const char *name) {
        bool found = !patterns || !patterns[0];

        for (; !found && *patterns; patterns++)
                found = fnmatch(*patterns, name, FNM_NOESCAPE) == 0;
        return found;
}

static int list_names_in(const UnitPaths *paths, const char *path, const char *const *patterns,
                         char ***names) {
        _cleanup_(directory_closep) DIR *directory = open_directory(paths, path);
        const struct dirent *entry;
        size_t n = 0;
        int r = 0;

        while (r >= 0 && directory && (entry = readdir(directory)) && n++ < UNIT_FILES_LISTED_MAX)
                if ((entry->d_type == DT_REG || entry->d_type == DT_LNK || entry->d_type == DT_UNKNOWN) &&
                    unit_name_kind(entry->d_name) && fits(patterns, entry->d_name))
                        r = strv_append(names, entry->d_name);
        return r;
}

static int add(UnitFileList *list, const UnitPaths *paths, const char *name) {
        const char *const directory = unit_file_directory(paths, name);
        _cleanup_(unit_freep) Unit *unit = NULL;
        _cleanup_(freep) char *path = NULL;
        UnitFileRow row = {};

        int r = unit_load(paths, name, &unit);
        if (r < 0 || !directory)
                return r;
        row.state = unit_file_state(paths, name, unit);
        /* A link that leads nowhere. */
        if (row.state[0] == '\0')
                return 0;
        UnitFileRow *const items = reallocarray(list->items, list->n_items + 1, sizeof(*items));
        if (!items)
                return -ENOMEM;
        list->items = items;
        r = path_join(directory, name, &path);
        if (r >= 0)
                r = text_copy(name, &row.name);
        if (r < 0)
                return r;
        row.path = TAKE_PTR(path);
        items[list->n_items++] = row;
        return 0;
}

int unit_file_list(const UnitPaths *paths, const char *const *patterns, UnitFileList *ret) {
        _cleanup_(unit_file_list_done) UnitFileList list = {};
        _cleanup_(strv_freep) char **names = NULL;
        int r = 0;

        for (char *const *directory = paths->directories; r >= 0 && directory && *directory; directory++)
                r = list_names_in(paths, *directory, patterns, &names);
        if (r < 0)
                return r;
        strv_sort(names);
        for (char **name = names; r >= 0 && name && *name; name++)
                if (name == names || !text_equal(name[-1], *name))
                        r = add(&list, paths, *name);
        if (r < 0)
                return r;
        *ret = list;
        list = (UnitFileList){};
        return 0;
}
