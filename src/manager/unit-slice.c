/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "base/text.h"
#include "manager/service-cgroup.h"
#include "manager/service.h"
#include "manager/task-limit.h"

/* Why nothing may be in it: its files ask for what cannot be given, or nobody knows what they ask for. */
static int check_slice(const ManagedUnit *slice, Reason *reason) {
        const Unit *const read = slice->unit;

        if (read->state == UNIT_LOADED)
                return 0;
        if (read->state == UNIT_MASKED)
                return reason_set(reason, -EPERM, "Unit %s is masked", slice->name);
        return reason_set(reason, -EBADMSG, "Unit %s has a bad setting: %s", slice->name,
                          read->mistakes.texts ? read->mistakes.texts[0] : "see the log");
}

static int check_named(Manager *manager, const char *name, Reason *reason) {
        ManagedUnit *slice;

        int r = managed_unit_get(manager, name, &slice);
        if (r >= 0)
                r = managed_unit_load(&slice);
        return r < 0 ? r : check_slice(slice, reason);
}

/* By their names alone, as their groups are. */
int unit_check_slices(Manager *manager, const Unit *unit, Reason *reason) {
        _cleanup_(freep) char *name = NULL;

        if (unit_name_type(unit->name) == UNIT_TARGET)
                return 0;
        int r = service_cgroup_slice(unit->name, unit->settings.slice, &name);
        while (r >= 0 && name) {
                _cleanup_(reason_done) Reason why = {};
                _cleanup_(freep) char *lower = TAKE_PTR(name);

                r = check_named(manager, lower, &why);
                if (r == -ENOMEM)
                        return r;
                if (r < 0)
                        return reason_set(reason, r, "%s is in %s, in which nothing may be started: %s",
                                          unit->name, lower, reason_text(&why, r));
                r = service_cgroup_slice(lower, NULL, &name);
        }
        return r;
}

void managed_unit_activate_slices(ManagedUnit *unit) {
        ManagedUnit *slice;

        while (managed_unit_is_active(unit) && unit->slice &&
               managed_unit_get(unit->manager, unit->slice, &slice) >= 0 && managed_unit_load(&slice) >= 0) {
                if (slice->active != UNIT_ACTIVE) {
                        slice->active_since = slice->state_changed = time_realtime();
                        slice->active = UNIT_ACTIVE;
                }
                unit = slice;
        }
}

/* One whose files are bad now keeps the limit that it had. */
static int read_anew(ManagedUnit *slice) {
        const bool was_loaded = slice->unit && slice->unit->state == UNIT_LOADED;
        const uint64_t before = was_loaded ? task_limit(managed_unit_settings(slice)->tasks_max) : UINT64_MAX;

        if (slice->unit && !slice->stale)
                return 0;
        int r = managed_unit_load(&slice);
        if (r < 0)
                return r;
        managed_unit_changed(slice);
        if (slice->unit->state != UNIT_LOADED ||
            (was_loaded && task_limit(managed_unit_settings(slice)->tasks_max) == before))
                return 0;
        return service_limit_slice(slice);
}

/* What runs may be in slices that nobody has started: ignoring what it requires. */
static int read_slices_of(ManagedUnit *unit) {
        int r = unit_name_type(unit->name) == UNIT_SLICE ? read_anew(unit) : 0;

        while (r >= 0 && unit->slice) {
                r = managed_unit_get(unit->manager, unit->slice, &unit);
                if (r >= 0)
                        r = read_anew(unit);
        }
        return r == -ENOMEM ? r : 0;
}

int manager_read_slices(Manager *manager) {
        _cleanup_(freep) ManagedUnit **units = NULL;
        size_t n_units = 0;

        int r = manager_list_units(manager, &units, &n_units);
        for (size_t i = 0; r >= 0 && i < n_units; i++)
                if (managed_unit_is_active(units[i]) || (units[i]->service && units[i]->service->cgroup))
                        r = read_slices_of(units[i]);
        return r;
}
