/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/path.h"
#include "base/strv.h"
#include "base/text.h"
#include "base/tree.h"
#include "exec/network-namespace.h"
#include "exec/private-tmp.h"
#include "manager/service-cgroup.h"
#include "manager/service-shared.h"
#include "manager/unit-leftover.h"
#include "manager/unit-state.h"

/* What the states name that were noted: not only of what was adopted, but also of what runs on with nobody to manage it. */
typedef struct Named {
        char **texts;
        bool all; /* every state could be read */
} Named;

static void named_done(Named *named) {
        strv_free(named->texts);
}

static int named_add(Named *named, int units_fd, const char *name) {
        _cleanup_(unit_found_done) UnitFound found = {};

        int r = unit_state_read(units_fd, name, &found, NULL);
        if (r < 0)
                return r == -ENOENT ? 0 : r;
        if (!text_is_empty(found.tmp))
                r = strv_append(&named->texts, found.tmp);
        if (r >= 0 && !text_is_empty(found.network_id))
                r = strv_append(&named->texts, found.network_id);
        return r;
}

static bool is_left(const Named *named, const char *text) {
        return named->all && !strv_contains(STRV(named->texts), text);
}

static bool has_state(int units_fd, const char *name) {
        _cleanup_(freep) char *path = NULL;

        return path_join(name, "state", &path) < 0 || faccessat(units_fd, path, F_OK, 0) == 0 ||
               errno != ENOENT;
}

static void sweep_unit(const Named *named, int units_fd, const char *name) {
        _cleanup_(private_tmp_done) PrivateTmp tmp = {};

        if (unit_state_read_tmp(units_fd, name, &tmp) >= 0 && is_left(named, tmp.tmp))
                (void)private_tmp_remove(&tmp, NULL);
        if (!has_state(units_fd, name))
                (void)tree_remove(units_fd, name);
}

static bool is_unit(const struct dirent *entry) {
        return unit_name_kind(entry->d_name) & (UNIT_NAME_PLAIN | UNIT_NAME_INSTANCE);
}

static void sweep_units(DIR *directory, Named *named) {
        const struct dirent *entry;

        named->all = true;
        while ((entry = readdir(directory)))
                if (is_unit(entry) && named_add(named, dirfd(directory), entry->d_name) < 0)
                        named->all = false;
        rewinddir(directory);
        while ((entry = readdir(directory)))
                if (is_unit(entry))
                        sweep_unit(named, dirfd(directory), entry->d_name);
}

static void sweep_pins(const char *path, DIR *directory, const Named *named) {
        const struct dirent *entry;

        while ((entry = readdir(directory))) {
                _cleanup_(freep) char *pin = NULL;

                if (entry->d_name[0] != '.' && is_left(named, entry->d_name) &&
                    path_join(path, entry->d_name, &pin) >= 0)
                        network_namespace_unpin(pin);
        }
}

static void sweep_runtime(const char *runtime) {
        _cleanup_(directory_closep) DIR *units = NULL, *pins = NULL;
        _cleanup_(freep) char *units_path = NULL, *pins_path = NULL;
        _cleanup_(named_done) Named named = {};

        if (path_join(runtime, "units", &units_path) < 0 ||
            path_join(runtime, SHARED_NETWORK_PINS, &pins_path) < 0)
                return;
        units = opendir(units_path);
        if (units)
                sweep_units(units, &named);
        pins = opendir(pins_path);
        if (pins)
                sweep_pins(pins_path, pins, &named);
}

static bool has_group(const Manager *manager, const char *path) {
        _cleanup_(fd_closep) int fd = service_cgroup_open(manager->base, path);

        return fd != -ENOENT;
}

/* Whoever has a group of version 1 has one of version 2, from before to after. */
static void sweep_groups(const Manager *manager, const Controller *controller) {
        _cleanup_(strv_freep) char **paths = NULL;

        if (!controller->base || controller->is_unified || service_cgroup_list(controller->base, &paths) < 0)
                return;
        for (char **path = paths; path && *path; path++)
                if (!has_group(manager, *path))
                        controller_take(controller, *path);
}

void unit_leftover_sweep(Manager *manager) {
        sweep_runtime(manager->paths.runtime);
        for (ControllerKind kind = 0; kind < CONTROLLER_KINDS; kind++)
                sweep_groups(manager, &manager->controllers[kind]);
}
