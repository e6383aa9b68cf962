/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "manager/managed-unit.h"
#include "manager/unit-log.h"

/* A specifier that has no value leaves open what was meant, and so nothing is met. */
static bool look(ManagedUnit *unit, bool assertions, ConditionList *list) {
        _cleanup_(reason_done) Reason reason = {};

        condition_list_done(list);
        const int r = condition_list_read(managed_unit_settings(unit), assertions, unit->name, list, &reason);
        if (r >= 0)
                (void)condition_list_test(list, &reason);
        if (r < 0 || reason.text)
                unit_log(unit, LOG_WARNING, "%s: %s", unit->name, reason.text ?: reason_text(&reason, r));
        list->tested = time_realtime();
        list->tested_monotonic = time_monotonic();
        return list->met;
}

UnitPermission managed_unit_look_at_conditions(ManagedUnit *unit) {
        /* The files as they are now may have others. */
        if (managed_unit_load(&unit) < 0 || unit->unit->state != UNIT_LOADED)
                return UNIT_MAY_START; /* which will fail, and say why */
        managed_unit_changed(unit);
        if (!look(unit, false, &unit->conditions))
                return UNIT_CONDITION_UNMET;
        if (look(unit, true, &unit->assertions))
                return UNIT_MAY_START;
        unit_log(unit, LOG_NOTICE, "%s: Starting requested but asserts failed.", unit->name);
        return UNIT_ASSERTION_UNMET;
}

void managed_unit_forget_conditions(ManagedUnit *unit) {
        condition_list_done(&unit->conditions);
        condition_list_done(&unit->assertions);
        managed_unit_unused(unit);
}

static bool is_unmet(const ConditionList *list) {
        return list->tested > 0 && !list->met;
}

bool managed_unit_was_refused(const ManagedUnit *unit) {
        return is_unmet(&unit->conditions) || is_unmet(&unit->assertions);
}
