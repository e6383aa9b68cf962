/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <time.h>

#include "base/fd.h"
#include "base/strv.h"
#include "base/text.h"
#include "manager/managed-unit.h"
#include "manager/service-cgroup.h"
#include "manager/service.h"
#include "manager/unit-log.h"
#include "manager/unit-state.h"
#include "manager/unit-transient.h"
#include "unit/specifier.h"
#include "unit/unit-additions.h"
#include "unit/unit-file-state.h"
#include "unit/unit-mark.h"

/* clang-format off */
const char *const unit_active_state_words[] = { "active", "reloading", "inactive", "failed", "activating", "deactivating" };
const char *const unit_load_state_words[] = { "loaded", "not-found", "masked", "bad-setting" };
/* clang-format on */

static uint64_t time_of(clockid_t clock) {
        struct timespec now;

        (void)clock_gettime(clock, &now);
        return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

uint64_t time_realtime(void) {
        return time_of(CLOCK_REALTIME);
}

uint64_t time_monotonic(void) {
        return time_of(CLOCK_MONOTONIC);
}

static int managed_unit_new(Manager *manager, const char *name, ManagedUnit **ret) {
        ManagedUnit *const unit = calloc(1, sizeof(ManagedUnit));

        if (!unit)
                return -ENOMEM;
        unit->manager = manager;
        unit->active = UNIT_INACTIVE;
        int r = text_copy(name, &unit->name);
        if (r >= 0)
                r = name_table_add(&manager->units, &unit->entry, unit->name, unit);
        if (r < 0) {
                managed_unit_free(unit);
                return r;
        }
        *ret = unit;
        return 0;
}

int managed_unit_get(Manager *manager, const char *name, ManagedUnit **ret) {
        ManagedUnit *const known = name_table_find(&manager->units, name);

        if (known) {
                *ret = known->alias_of ?: known;
                return 0;
        }
        if (!(unit_name_kind(name) & (UNIT_NAME_PLAIN | UNIT_NAME_INSTANCE)))
                return -EINVAL;
        return managed_unit_new(manager, name, ret);
}

void managed_unit_unload(ManagedUnit *unit) {
        unit_edges_remove(unit);
        service_free(unit->service);
        unit->service = NULL;
        free(unit->slice);
        unit->slice = NULL;
        condition_list_done(&unit->conditions);
        condition_list_done(&unit->assertions);
        free(unit->description);
        unit->description = NULL;
        unit_free(unit->unit);
        unit->unit = NULL;
}

void managed_unit_free(ManagedUnit *unit) {
        ManagedUnit *alias;

        if (!unit)
                return;
        if (unit->job)
                job_forget(unit->job);
        managed_unit_unload(unit);
        while ((alias = LIST_FIRST(&unit->aliases)))
                managed_unit_free(alias);
        if (unit->alias_of)
                LIST_REMOVE(unit, alias);
        if (unit->in_changed)
                STAILQ_REMOVE(&unit->manager->changed, unit, ManagedUnit, changed);
        if (unit->in_unused)
                STAILQ_REMOVE(&unit->manager->unused, unit, ManagedUnit, unused);
        name_table_remove(&unit->manager->units, &unit->entry);
        free(unit->name);
        free(unit);
}

/* What was wrong in the files is said once, when they are read. */
static void log_mistakes(ManagedUnit *unit) {
        const SettingMistakes *const mistakes = &unit->unit->mistakes;

        for (char *const *text = mistakes->warnings; text && *text; text++)
                unit_log(unit, LOG_WARNING, "%s", *text);
        for (char *const *text = mistakes->texts; text && *text; text++)
                unit_log(unit, LOG_ERR, "%s", *text);
}

/* One that cannot be understood is better than none. */
static void expand_description(ManagedUnit *unit) {
        const char *const text = unit->unit->settings.description;
        _cleanup_(reason_done) Reason reason = {};

        free(unit->description);
        unit->description = NULL;
        if (text_is_empty(text) || specifier_expand(text, unit->name, &unit->description, &reason) >= 0)
                return;
        unit_log(unit, LOG_WARNING, "%s: Description=: %s", unit->name, reason_text(&reason, -EINVAL));
        (void)text_copy(text, &unit->description);
}

int managed_unit_adopt(ManagedUnit *unit, Unit *read) {
        unit_edges_remove(unit);
        unit_free(unit->unit);
        unit->unit = read;
        int r = system_conf_apply(unit->manager->conf, read);
        expand_description(unit);
        unit->stale = unit->has_settings_noted = false;
        unit->transient = unit_transient_is_file(unit->manager, read->fragment);
        free(unit->slice);
        unit->slice = NULL;
        (void)service_cgroup_slice(unit->name, read->settings.slice, &unit->slice);
        if (r >= 0 && unit_name_type(unit->name) == UNIT_SERVICE && !unit->service)
                r = service_new(unit, &unit->service);
        if (r >= 0)
                r = unit_edges_add(unit);
        log_mistakes(unit);
        managed_unit_unused(unit);
        return r;
}

/* Whether nothing would be lost if the name stood for another unit from now on. */
static bool can_be_alias(const ManagedUnit *unit) {
        return !unit->job && unit->n_holds == 0 && unit->plan == 0 && unit->active == UNIT_INACTIVE &&
               !(unit->service && unit->service->cgroup);
}

/* The file is that of another name: what is said of the one is said of the other. A unit that is in use stays the one that
 * it is, and stale, until it is not. */
static int become_alias(ManagedUnit **unit, Unit *read) {
        ManagedUnit *const alias = *unit;
        ManagedUnit *real;

        if (alias->unit && !can_be_alias(alias)) {
                unit_free(read);
                return 0;
        }
        int r = managed_unit_get(alias->manager, read->name, &real);
        if (r < 0 || real == alias) {
                unit_free(read);
                return r < 0 ? r : -EINVAL;
        }
        managed_unit_unload(alias);
        alias->alias_of = real;
        LIST_INSERT_HEAD(&real->aliases, alias, alias);
        unit_edges_move(alias, real);
        *unit = real;
        if (!real->unit)
                return managed_unit_adopt(real, read);
        unit_free(read);
        return 0;
}

/* What runs goes on with what it was started with; in a slice nothing runs that is its own. */
static bool can_be_read(const ManagedUnit *unit) {
        return unit->stale && (!managed_unit_is_active(unit) || unit_name_type(unit->name) == UNIT_SLICE);
}

int managed_unit_load(ManagedUnit **unit) {
        Unit *read;

        if ((*unit)->alias_of)
                *unit = (*unit)->alias_of;
        if ((*unit)->unit && !can_be_read(*unit))
                return 0;
        const int r = unit_load(&(*unit)->manager->unit_paths, (*unit)->name, &read);
        if (r < 0)
                return r;
        return text_equal(read->name, (*unit)->name) ? managed_unit_adopt(*unit, read)
                                                     : become_alias(unit, read);
}

const char *managed_unit_description(const ManagedUnit *unit) {
        return text_is_empty(unit->description) ? unit->name : unit->description;
}

bool managed_unit_is_active(const ManagedUnit *unit) {
        return unit->active != UNIT_INACTIVE && unit->active != UNIT_FAILED;
}

void managed_unit_changed(ManagedUnit *unit) {
        if (unit->in_changed || !unit->unit)
                return;
        unit->in_changed = true;
        STAILQ_INSERT_TAIL(&unit->manager->changed, unit, changed);
        manager_schedule(unit->manager);
}

void managed_unit_unused(ManagedUnit *unit) {
        if (unit->in_unused)
                return;
        unit->in_unused = true;
        STAILQ_INSERT_TAIL(&unit->manager->unused, unit, unused);
        manager_schedule(unit->manager);
}

void managed_unit_set_active(ManagedUnit *unit, UnitActiveState active) {
        const UnitActiveState before = unit->active;

        managed_unit_changed(unit);
        if (before != active) {
                const bool was_up = before == UNIT_ACTIVE || before == UNIT_RELOADING,
                           is_up = active == UNIT_ACTIVE || active == UNIT_RELOADING;

                unit->active = active;
                unit->state_changed = time_realtime();
                if (is_up && !was_up)
                        unit->active_since = unit->state_changed;
                if (!managed_unit_is_active(unit))
                        unit->inactive_since = unit->state_changed;
        }
        unit_state_update(unit);
        job_unit_changed(unit, before);
        if (!managed_unit_is_active(unit))
                managed_unit_unused(unit);
}

void managed_unit_hold(ManagedUnit *unit) {
        unit->n_holds++;
}

void managed_unit_let_go(ManagedUnit *unit) {
        assert(unit->n_holds > 0);
        if (--unit->n_holds == 0)
                managed_unit_unused(unit);
}

void managed_unit_reset_failed(ManagedUnit *unit) {
        unit->limit_count = 0;
        managed_unit_forget_conditions(unit);
        if (unit->service)
                service_reset_failed(unit);
        if (unit->active == UNIT_FAILED)
                managed_unit_set_active(unit, UNIT_INACTIVE);
}

/* Whether there are others than those that were read, in whichever order. */
static bool drop_ins_are_others(const ManagedUnit *unit) {
        _cleanup_(setting_mistakes_done) SettingMistakes mistakes = {};
        _cleanup_(strv_freep) char **found = NULL;
        const char *const *const known = STRV(unit->unit->drop_ins);

        if (unit_drop_ins_find(&unit->manager->unit_paths, unit->name, &mistakes, &found) < 0)
                return false;
        if (strv_length(STRV(found)) != strv_length(known))
                return true;
        for (char **path = found; path && *path; path++)
                if (!strv_contains(known, *path))
                        return true;
        return false;
}

bool managed_unit_needs_reload(const ManagedUnit *unit) {
        const UnitPaths *const paths = &unit->manager->unit_paths;
        const Unit *const read = unit->unit;

        if (unit->stale || read->state == UNIT_NOT_FOUND)
                return false;
        if (read->state != UNIT_MASKED && drop_ins_are_others(unit))
                return true;
        if (read->fragment && unit_mark_differs(read, paths, read->fragment))
                return true;
        for (char *const *path = read->drop_ins; path && *path; path++)
                if (unit_mark_differs(read, paths, *path))
                        return true;
        return false;
}

void managed_unit_status(ManagedUnit *unit, UnitStatus *ret) {
        *ret = (UnitStatus){
                .unit = unit->unit,
                .active = unit->active,
                .state = unit->active == UNIT_ACTIVE ? SERVICE_RUNNING : SERVICE_DEAD,
                .slice = unit->slice,
                .invocation_id = unit->invocation[0] ? unit->invocation : NULL,
                .uid = (uid_t)-1,
                .gid = (gid_t)-1,
                .state_changed = unit->state_changed,
                .active_since = unit->active_since,
                .inactive_since = unit->inactive_since,
                .cpu_nsec = UINT64_MAX,
                .tasks = UINT64_MAX,
                .memory = UINT64_MAX,
                .ip_counters = { UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX },
                .conditions = &unit->conditions,
                .assertions = &unit->assertions,
                .transient = unit->transient,
        };
        if (unit->service)
                service_status(unit, ret);
}

const char *unit_sub_state(const UnitStatus *status) {
        if (unit_name_type(status->unit->name) == UNIT_SERVICE)
                return service_state_words[status->state];
        return status->active == UNIT_ACTIVE ? "active" : "dead";
}

int managed_unit_names(const ManagedUnit *unit, char ***ret) {
        _cleanup_(strv_freep) char **names = NULL;
        const ManagedUnit *alias;

        int r = unit->transient ? strv_append(&names, unit->name)
                                : unit_aliases_list(&unit->manager->unit_paths, unit->name, &names);
        for (alias = LIST_FIRST(&unit->aliases); r >= 0 && alias; alias = LIST_NEXT(alias, alias))
                if (!strv_contains(STRV(names), alias->name))
                        r = strv_append(&names, alias->name);
        if (r >= 0)
                *ret = TAKE_PTR(names);
        return r;
}

const char *managed_unit_file_state(const ManagedUnit *unit) {
        return unit->transient ? "transient"
                               : unit_file_state(&unit->manager->unit_paths, unit->name, unit->unit);
}

void managed_unit_count(const ManagedUnit *unit, UnitStatus *status) {
        if (unit->service)
                service_count(unit->service, status);
}

int managed_unit_processes(ManagedUnit *unit, pid_t **ret, size_t *ret_n) {
        _cleanup_(freep) char *path = NULL;
        _cleanup_(fd_closep) int fd = -EBADF;

        int r = service_cgroup_path(unit->name, unit->slice, &path);
        if (r < 0)
                return r;
        fd = service_cgroup_open(unit->manager->base, path);
        if (fd >= 0)
                return service_cgroup_processes(fd, ret, ret_n);
        if (fd != -ENOENT)
                return fd;
        *ret = NULL;
        *ret_n = 0;
        return 0;
}
