/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/path.h"
#include "base/strv.h"
#include "base/text.h"
#include "manager/service.h"
#include "manager/unit-state.h"
#include "manager/unit-transient.h"
#include "unit/unit-additions.h"
#include "unit/unit-mark.h"

#define SOURCE           "set-property"
#define DROP_IN_SIZE_MAX (1024 * 1024)
#define COMMENT                                                                                             \
        "# Written by set-property. It can be edited, and removed to have back what the other files say;\n" \
        "# the manager is to be told so by daemon-reload.\n"

/* What slices have as well can be changed while the unit runs: it is about groups, not about processes. */
static bool can_be_changed(const char *name, size_t length) {
        return unit_setting_section(UNIT_SLICE, name, length) &&
               text_equal(unit_setting_section(UNIT_SLICE, name, length), "Slice");
}

static int check_names(const ManagedUnit *unit, const char *const *assignments, Reason *reason) {
        for (; *assignments; assignments++) {
                const size_t length = strcspn(*assignments, "=");

                if ((*assignments)[length] != '=')
                        return reason_set(reason, -EINVAL, "Not \"NAME=VALUE\": \"%s\"", *assignments);
                if (!unit_setting_section(unit_name_type(unit->name), *assignments, length))
                        return reason_set(reason, -EINVAL, "Units like %s have no setting \"%.*s\"",
                                          unit->name, (int)length, *assignments);
                if (!can_be_changed(*assignments, length))
                        return reason_set(
                                reason, -EINVAL,
                                "%.*s= cannot be changed by set-property; edit the unit's files, and "
                                "start it anew",
                                (int)length, *assignments);
        }
        return 0;
}

/* The settings with the changes, as a unit of the same files. */
static int change(const ManagedUnit *unit, const char *const *assignments, Unit **ret, Reason *reason) {
        _cleanup_(strv_freep) char **all = NULL;
        _cleanup_(unit_freep) Unit *changed = NULL;

        int r = unit_settings_write(unit->unit, &all);
        if (r >= 0)
                r = strv_extend(&all, assignments);
        if (r >= 0)
                r = unit_new_transient(unit->name, STRV(all), SOURCE, &changed);
        if (r < 0)
                return r;
        if (changed->mistakes.texts)
                return reason_set(reason, -EINVAL, "%s", changed->mistakes.texts[0]);
        r = text_copy(unit->unit->fragment, &changed->fragment);
        if (r >= 0)
                r = strv_copy(STRV(unit->unit->drop_ins), &changed->drop_ins);
        if (r >= 0)
                *ret = TAKE_PTR(changed);
        return r;
}

/* The setting as it is now: taken back first, since lists add up. */
static int list_values(const Unit *changed, const char *name, size_t length, char ***ret) {
        _cleanup_(strv_freep) char **all = NULL, **values = NULL;

        int r = unit_settings_write(changed, &all);
        if (r >= 0)
                r = strv_append_format(&values, "%.*s=", (int)length, name);
        for (char **item = all; r >= 0 && item && *item; item++)
                if (strncmp(*item, name, length) == 0 && (*item)[length] == '=')
                        r = strv_append(&values, *item);
        if (r >= 0)
                *ret = TAKE_PTR(values);
        return r;
}

static int drop_in_path(const ManagedUnit *unit, bool runtime, const char *name, size_t length, char **ret,
                        Reason *reason) {
        const RuntimePaths *const paths = &unit->manager->paths;
        _cleanup_(freep) char *directory = NULL;

        int r = text_format(&directory, "%s/system.control/%s.d",
                            runtime || unit->transient ? paths->runtime : paths->config, unit->name);
        if (r < 0)
                return r;
        r = path_make_directories(AT_FDCWD, directory, 0755);
        if (r < 0)
                return reason_set(reason, r, "Cannot make %s: %m", directory);
        return text_format(ret, "%s/50-%.*s.conf", directory, (int)length, name);
}

/* What a drop-in becomes, and what it was. */
typedef struct DropIn {
        char *path, *text;
        char *before; /* NULL: there was none */
} DropIn;

typedef struct DropIns {
        DropIn *items;
        size_t n_items;
} DropIns;

static void drop_ins_done(DropIns *list) {
        for (size_t i = 0; i < list->n_items; i++) {
                free(list->items[i].path);
                free(list->items[i].text);
                free(list->items[i].before);
        }
        free(list->items);
}

static int prepare_drop_in(const ManagedUnit *unit, Unit *changed, bool runtime, const char *assignment,
                           DropIn *ret, Reason *reason) {
        const size_t length = strcspn(assignment, "=");
        _cleanup_(strv_freep) char **values = NULL;

        int r = list_values(changed, assignment, length, &values);
        if (r >= 0)
                r = unit_file_format(unit_name_type(unit->name), COMMENT, STRV(values), &ret->text, reason);
        if (r >= 0)
                r = drop_in_path(unit, runtime, assignment, length, &ret->path, reason);
        if (r < 0)
                return r;
        r = file_read(AT_FDCWD, ret->path, DROP_IN_SIZE_MAX, &ret->before, NULL);
        if (r < 0 && r != -ENOENT)
                return reason_set(reason, r, "Cannot read %s, which is to be changed: %s", ret->path,
                                  file_read_error(r));
        return 0;
}

static void take_back(const DropIns *list, size_t n) {
        while (n-- > 0) {
                const DropIn *const item = &list->items[n];

                if (item->before)
                        (void)file_write_text(AT_FDCWD, item->path, item->before, 0644);
                else
                        (void)unlink(item->path);
        }
}

static bool is_of_list(const DropIns *list, const char *path, bool by_name) {
        for (size_t i = 0; i < list->n_items; i++)
                if (by_name ? text_equal(path_base_name(list->items[i].path), path_base_name(path))
                            : text_equal(list->items[i].path, path))
                        return true;
        return false;
}

/* What was read before, without what is hidden by the written ones, and these, unless they are hidden themselves. */
static int note_drop_ins(const ManagedUnit *unit, Unit *changed, const DropIns *list) {
        _cleanup_(setting_mistakes_done) SettingMistakes mistakes = {};
        _cleanup_(strv_freep) char **found = NULL, **known = NULL;

        int r = unit_drop_ins_find(&unit->manager->unit_paths, unit->name, &mistakes, &found);
        for (char **path = changed->drop_ins; r >= 0 && path && *path; path++)
                if (!is_of_list(list, *path, true) || strv_contains(STRV(found), *path))
                        r = strv_append(&known, *path);
        for (char **path = found; r >= 0 && path && *path; path++)
                if (is_of_list(list, *path, false) && !strv_contains(STRV(known), *path))
                        r = strv_append(&known, *path);
        if (r < 0)
                return r;
        strv_free(changed->drop_ins);
        changed->drop_ins = TAKE_PTR(known);
        return 0;
}

/* What others have changed is not read by this. */
static int note_marks(const ManagedUnit *unit, Unit *changed, const DropIns *list) {
        const Unit *const before = unit->unit;

        int r = before->fragment ? unit_mark_copy(changed, before, before->fragment) : 0;
        for (char **path = changed->drop_ins; r >= 0 && path && *path; path++)
                r = is_of_list(list, *path, false)
                            ? unit_mark_file(changed, &unit->manager->unit_paths, *path)
                            : unit_mark_copy(changed, before, *path);
        return r;
}

/* All of them, or what was there before. */
static int write_drop_ins(const ManagedUnit *unit, Unit *changed, bool runtime,
                          const char *const *assignments, Reason *reason) {
        _cleanup_(drop_ins_done)
                DropIns list = { .items = calloc(strv_length(assignments) + 1, sizeof(DropIn)) };
        int r = 0;

        if (!list.items)
                return -ENOMEM;
        for (const char *const *item = assignments; r >= 0 && *item; item++)
                r = prepare_drop_in(unit, changed, runtime, *item, &list.items[list.n_items++], reason);
        for (size_t i = 0; r >= 0 && i < list.n_items; i++) {
                r = file_write_text(AT_FDCWD, list.items[i].path, list.items[i].text, 0644);
                if (r < 0) {
                        (void)reason_set(reason, r, "Cannot write %s: %m", list.items[i].path);
                        take_back(&list, i + 1);
                }
        }
        if (r >= 0)
                r = note_drop_ins(unit, changed, &list);
        return r < 0 ? r : note_marks(unit, changed, &list);
}

int managed_unit_set_properties(ManagedUnit *unit, bool runtime, const char *const *assignments,
                                Reason *reason) {
        _cleanup_(unit_freep) Unit *changed = NULL;

        if (unit->unit->state != UNIT_LOADED)
                return reason_set(reason, -ENOENT, "Unit %s is not loaded: %s", unit->name,
                                  unit_load_state_words[unit->unit->state]);
        int r = check_names(unit, assignments, reason);
        if (r >= 0)
                r = change(unit, assignments, &changed, reason);
        if (r >= 0)
                r = write_drop_ins(unit, changed, runtime, assignments, reason);
        if (r < 0)
                return r;
        /* The other files are still to be read when it is started again. */
        const bool stale = unit->stale;
        r = managed_unit_adopt(unit, TAKE_PTR(changed));
        unit->stale = stale;
        managed_unit_changed(unit);
        if (r < 0)
                return r;
        if (managed_unit_is_active(unit))
                (void)unit_state_write(unit);
        if (!unit->service)
                return service_limit_slice(unit);
        if (unit->service->cgroup)
                service_limit(unit->service);
        return 0;
}
