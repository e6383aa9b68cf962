/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/path.h"
#include "base/strv.h"
#include "base/text.h"
#include "base/tree.h"
#include "manager/service.h"
#include "manager/unit-transient.h"
#include "unit/unit-mark.h"

#define SOURCE  "transient"
#define COMMENT "# A transient unit, as it was asked for. It goes when the unit has ended.\n"

static bool is_called(const char *name, const char *other, size_t length) {
        return strlen(name) == length && strncmp(name, other, length) == 0;
}

const char *unit_setting_section(UnitType type, const char *name, size_t length) {
        for (size_t i = 0; i < unit_settings.n_rows; i++) {
                const Setting *const row = &unit_settings.rows[i];
                bool found = is_called(row->name, name, length);

                for (const char *const *old = row->old_names; old && *old && !found; old++)
                        found = is_called(*old, name, length);
                if (found && unit_type_has_section(type, row->section))
                        return row->section;
        }
        return NULL;
}

/* A line break would begin another setting, a backslash at the end would swallow the next one. */
static int check_assignment(const char *assignment, Reason *reason) {
        const size_t length = strlen(assignment);

        if (strchr(assignment, '\n') || strchr(assignment, '\r'))
                return reason_set(reason, -EINVAL, "A value has a line break: \"%s\"", assignment);
        if (length > 0 && assignment[length - 1] == '\\')
                return reason_set(reason, -EINVAL, "A value ends with a backslash: \"%s\"", assignment);
        return 0;
}

static int print_section(FILE *file, UnitType type, const char *section, const char *const *assignments,
                         Reason *reason) {
        bool begun = false;

        for (; assignments && *assignments; assignments++) {
                const char *const found =
                        unit_setting_section(type, *assignments, strcspn(*assignments, "="));

                if (!found || !text_equal(found, section))
                        continue;
                const int r = check_assignment(*assignments, reason);
                if (r < 0)
                        return r;
                if (!begun)
                        (void)fprintf(file, "\n[%s]\n", section);
                begun = true;
                (void)fprintf(file, "%s\n", *assignments);
        }
        return 0;
}

int unit_file_format(UnitType type, const char *comment, const char *const *assignments, char **ret,
                     Reason *reason) {
        _cleanup_(freep) char *text = NULL;
        size_t size;
        FILE *const file = open_memstream(&text, &size);
        int r = 0;

        if (!file)
                return -ENOMEM;
        (void)fputs(comment, file);
        for (size_t i = 0; r >= 0 && i < unit_settings.n_sections; i++)
                r = print_section(file, type, unit_settings.sections[i].name, assignments, reason);
        if (fclose(file) != 0 && r >= 0)
                r = -ENOMEM;
        if (r >= 0)
                *ret = TAKE_PTR(text);
        return r;
}

static int file_path(const Manager *manager, const char *name, char **ret) {
        return text_format(ret, "%s/transient/%s", manager->paths.runtime, name);
}

bool unit_transient_is_file(const Manager *manager, const char *fragment) {
        const char *const below = fragment ? path_seen_from(fragment, manager->paths.runtime) : NULL;

        return below && text_after_prefix(below, "transient/");
}

static void remove_files(Manager *manager, const char *name) {
        _cleanup_(freep) char *path = NULL, *changes = NULL;

        if (file_path(manager, name, &path) >= 0)
                (void)unlink(path);
        if (text_format(&changes, "%s/system.control/%s.d", manager->paths.runtime, name) >= 0)
                (void)tree_remove(AT_FDCWD, changes);
}

void unit_transient_remove(ManagedUnit *unit) {
        remove_files(unit->manager, unit->name);
        unit->transient = false;
}

static bool is_used(Manager *manager, const char *name) {
        const ManagedUnit *const unit = manager_known_unit(manager, name);

        return unit && (managed_unit_is_active(unit) || unit->active == UNIT_FAILED ||
                        (unit->service && unit->service->cgroup));
}

void unit_transient_sweep(Manager *manager) {
        _cleanup_(directory_closep) DIR *directory = NULL;
        _cleanup_(freep) char *path = NULL;
        const struct dirent *entry;

        if (file_path(manager, "", &path) < 0)
                return;
        directory = opendir(path);
        while (directory && (entry = readdir(directory)))
                if (unit_name_kind(entry->d_name) != 0 && !is_used(manager, entry->d_name))
                        remove_files(manager, entry->d_name);
}

/* The name may be that of a unit that is known, as long as there is nothing behind it. */
static int find_free_name(Manager *manager, const char *name, ManagedUnit **ret, Reason *reason) {
        ManagedUnit *unit;

        if (!(unit_name_kind(name) & (UNIT_NAME_PLAIN | UNIT_NAME_INSTANCE)) ||
            (unit_name_type(name) != UNIT_SERVICE && unit_name_type(name) != UNIT_SLICE))
                return reason_set(reason, -EINVAL, "\"%s\" is no name of a service or a slice", name);
        int r = managed_unit_get(manager, name, &unit);
        if (r >= 0)
                r = managed_unit_load(&unit);
        if (r < 0)
                return r;
        if (managed_unit_is_active(unit) || unit->active == UNIT_FAILED || unit->job || unit->transient ||
            unit->unit->fragment || unit->unit->state == UNIT_MASKED)
                return reason_set(reason, -EEXIST, "There is a unit %s already", name);
        *ret = unit;
        return 0;
}

static int write_file(Manager *manager, Unit *read, Reason *reason) {
        _cleanup_(strv_freep) char **assignments = NULL;
        _cleanup_(freep) char *text = NULL, *path = NULL;

        int r = unit_settings_write(read, &assignments);
        if (r >= 0)
                r = unit_file_format(unit_name_type(read->name), COMMENT, STRV(assignments), &text, reason);
        if (r >= 0)
                r = file_path(manager, read->name, &path);
        if (r < 0)
                return r;
        r = file_write_text(AT_FDCWD, path, text, 0644);
        if (r < 0)
                return reason_set(reason, r, "Cannot write %s: %m", path);
        read->fragment = TAKE_PTR(path);
        return unit_mark_file(read, &manager->unit_paths, read->fragment);
}

/* Descriptors that come along are what the standard ones are to be, unless it says otherwise. */
static int add_standard(const char *const *assignments, const int standard[3], char ***ret) {
        static const char *const names[] = { "StandardInput=", "StandardOutput=", "StandardError=" };
        _cleanup_(strv_freep) char **all = NULL;

        int r = strv_copy(assignments, &all);
        for (size_t i = 0; r >= 0 && i < ELEMENTSOF(names) && standard; i++) {
                bool said = false;

                for (const char *const *item = assignments; item && *item; item++)
                        said = said || text_after_prefix(*item, names[i]);
                if (standard[i] >= 0 && !said)
                        r = strv_append_format(&all, "%sfd", names[i]);
        }
        if (r >= 0)
                *ret = TAKE_PTR(all);
        return r;
}

static int check_sections(UnitType type, const char *const *assignments, Reason *reason) {
        for (; assignments && *assignments; assignments++) {
                const char *const section =
                        unit_setting_section(type, *assignments, strcspn(*assignments, "="));

                if (section && text_equal(section, "Install"))
                        return reason_set(reason, -EINVAL,
                                          "%s: a transient unit cannot be enabled, and has no such setting",
                                          *assignments);
        }
        return 0;
}

static int keep_standard(Service *service, const int standard[3]) {
        service_close_standard(service);
        for (size_t i = 0; i < ELEMENTSOF(service->standard); i++) {
                if (!standard || standard[i] < 0)
                        continue;
                service->standard[i] = fcntl(standard[i], F_DUPFD_CLOEXEC, 3);
                if (service->standard[i] < 0)
                        return -errno;
        }
        return 0;
}

int manager_add_transient(Manager *manager, const char *name, const char *const *assignments,
                          const int standard[3], ManagedUnit **ret, Reason *reason) {
        _cleanup_(strv_freep) char **all = NULL;
        _cleanup_(unit_freep) Unit *read = NULL;
        ManagedUnit *unit = NULL;

        int r = find_free_name(manager, name, &unit, reason);
        if (r >= 0)
                r = check_sections(unit_name_type(name), assignments, reason);
        if (r >= 0)
                r = add_standard(assignments, standard, &all);
        if (r >= 0)
                r = unit_new_transient(name, STRV(all), SOURCE, &read);
        if (r < 0)
                return r;
        if (read->state != UNIT_LOADED)
                return reason_set(reason, -EINVAL, "%s",
                                  read->mistakes.texts ? read->mistakes.texts[0] : "The unit is none");
        /* Somebody is there who can say it right. */
        if (read->mistakes.warnings)
                return reason_set(reason, -EINVAL, "%s", read->mistakes.warnings[0]);
        r = write_file(manager, read, reason);
        if (r < 0)
                return r;
        r = managed_unit_adopt(unit, TAKE_PTR(read));
        if (r >= 0 && unit->service)
                r = keep_standard(unit->service, standard);
        if (r >= 0)
                *ret = unit;
        return r;
}
