/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/path.h"
#include "base/strv.h"
#include "base/text.h"
#include "unit/specifier.h"
#include "unit/unit-enable.h"
#include "unit/unit-name.h"

static void link_done(UnitLink *link) {
        free(link->path);
        free(link->target);
}

void unit_links_done(UnitLinks *links) {
        for (size_t i = 0; i < links->n_items; i++)
                link_done(&links->items[i]);
        free(links->items);
        *links = (UnitLinks){};
}

/* Takes the path over. */
static int add(UnitLinks *links, char *path, const char *target) {
        UnitLink *more = reallocarray(links->items, links->n_items + 1, sizeof(*more));
        UnitLink link = { .path = path };

        int r = more ? text_copy(target, &link.target) : -ENOMEM;
        if (more)
                links->items = more;
        if (r < 0) {
                link_done(&link);
                return r;
        }
        more[links->n_items++] = link;
        return 0;
}

static int check_name(const char *setting, const char *name, Reason *reason) {
        return unit_name_kind(name)
                       ? 0
                       : reason_set(reason, -EINVAL, "%s=%s is no name of a unit", setting, name);
}

/* "DIRECTORY/multi-user.target.wants/NAME" for each. */
static int plan_kind(const Unit *unit, const char *name, const char *directory, char *const *units,
                     const char *setting, const char *kind, UnitLinks *links, Reason *reason) {
        int r = 0;

        for (char *const *item = units; r >= 0 && item && *item; item++) {
                _cleanup_(freep) char *wanting = NULL;
                char *path;

                r = specifier_expand(*item, name, &wanting, reason);
                if (r >= 0)
                        r = check_name(setting, wanting, reason);
                if (r >= 0)
                        r = text_format(&path, "%s/%s.%s/%s", directory, wanting, kind, name);
                if (r >= 0)
                        r = add(links, path, unit->fragment);
        }
        return r;
}

static int plan_aliases(const Unit *unit, const char *name, const char *directory, UnitLinks *links,
                        Reason *reason) {
        int r = 0;

        for (char *const *item = unit->settings.alias; r >= 0 && item && *item; item++) {
                _cleanup_(freep) char *alias = NULL;
                char *path;

                r = specifier_expand(*item, name, &alias, reason);
                if (r >= 0)
                        r = check_name("Alias", alias, reason);
                if (r >= 0 && unit_name_type(alias) != unit_name_type(name))
                        r = reason_set(reason, -EINVAL, "Alias=%s is another kind of unit than %s", alias,
                                       name);
                if (r >= 0)
                        r = text_format(&path, "%s/%s", directory, alias);
                if (r >= 0)
                        r = add(links, path, unit->fragment);
        }
        return r;
}

int unit_links_plan(const Unit *unit, const char *directory, UnitLinks *ret, Reason *reason) {
        const UnitSettings *settings = &unit->settings;
        _cleanup_(unit_links_done) UnitLinks links = {};
        _cleanup_(freep) char *instance = NULL;
        const char *name = unit->name;
        int r = 0;

        if (!unit->fragment)
                return reason_set(reason, -ENOENT, "%s has no file", name);
        if (unit_name_kind(name) == UNIT_NAME_TEMPLATE) {
                if (!settings->default_instance)
                        return reason_set(reason, -EINVAL,
                                          "%s is a template: say which instance, as in %.*s1.service", name,
                                          (int)(strchr(name, '@') - name + 1), name);
                r = unit_name_instantiate(name, settings->default_instance, &instance);
                if (r < 0)
                        return reason_set(reason, r, "DefaultInstance=%s cannot be part of a name",
                                          settings->default_instance);
                name = instance;
        }
        r = plan_kind(unit, name, directory, settings->wanted_by, "WantedBy", "wants", &links, reason);
        if (r >= 0)
                r = plan_kind(unit, name, directory, settings->required_by, "RequiredBy", "requires", &links,
                              reason);
        if (r >= 0)
                r = plan_aliases(unit, name, directory, &links, reason);
        if (r < 0)
                return r;
        *ret = links;
        links = (UnitLinks){};
        return 0;
}

int unit_link_exists(const UnitLink *link) {
        char target[4096];

        const ssize_t n = readlink(link->path, target, sizeof(target) - 1);
        if (n < 0)
                return errno == ENOENT || errno == EINVAL || errno == ENOTDIR ? 0 : -errno;
        target[n] = '\0';
        return text_equal(path_base_name(target), path_base_name(link->target));
}

static int make_parent(const char *path) {
        _cleanup_(freep) char *parent = NULL;

        int r = path_parent(path, &parent);
        if (r < 0 || mkdir(parent, 0755) == 0 || errno == EEXIST)
                return r;
        if (errno != ENOENT)
                return -errno;
        r = make_parent(parent);
        if (r < 0)
                return r;
        return mkdir(parent, 0755) < 0 && errno != EEXIST ? -errno : 0;
}

/* The new link takes the old one's place at once. */
static int replace(const UnitLink *link) {
        _cleanup_(freep) char *temporary = NULL;

        const int r = text_format(&temporary, "%s.new", link->path);
        if (r < 0)
                return r;
        if (symlink(link->target, temporary) < 0)
                return -errno;
        if (rename(temporary, link->path) < 0) {
                const int failure = -errno;

                (void)unlink(temporary);
                return failure;
        }
        return 1;
}

int unit_link_make(const UnitLink *link, bool force, Reason *reason) {
        struct stat status;

        int r = make_parent(link->path);
        if (r >= 0 && symlink(link->target, link->path) == 0)
                return 1;
        if (r >= 0)
                r = errno == EEXIST ? unit_link_exists(link) : -errno;
        if (r > 0)
                return 0;
        if (r == 0 && lstat(link->path, &status) == 0 && S_ISLNK(status.st_mode) && force)
                r = replace(link);
        else if (r == 0)
                return reason_set(reason, -EEXIST, "%s is there already and is something else: %s",
                                  link->path, force ? "remove it" : "remove it, or say --force");
        return r < 0 ? reason_set(reason, r, "Cannot make the link %s: %m", link->path) : r;
}

int unit_link_remove(const UnitLink *link, Reason *reason) {
        _cleanup_(freep) char *parent = NULL;
        struct stat status;

        if (lstat(link->path, &status) < 0)
                return errno == ENOENT || errno == ENOTDIR ? 0
                                                           : reason_set(reason, -errno, "%s: %m", link->path);
        if (!S_ISLNK(status.st_mode))
                return reason_set(reason, -EEXIST, "%s is no link, and stays", link->path);
        if (unlink(link->path) < 0)
                return reason_set(reason, -errno, "Cannot remove %s: %m", link->path);
        /* Directories of wants that nothing is in any more. */
        if (path_parent(link->path, &parent) >= 0 &&
            (text_ends_with(parent, ".wants") || text_ends_with(parent, ".requires")))
                (void)rmdir(parent);
        return 1;
}
