/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "base/log.h"
#include "base/text.h"
#include "manager/job-plan.h"
#include "manager/service.h"

static int plan_add(Plan *plan, ManagedUnit *unit, JobType type, bool must, Reason *reason);

void plan_done(Plan *plan) {
        for (size_t i = 0; i < plan->n_items; i++)
                plan->items[i].unit->plan = 0;
        free(plan->items);
        *plan = (Plan){};
}

bool job_type_waits(JobType mine, JobType other, bool behind) {
        /* What starts waits for all that it is ordered behind; what is ordered before something that stops waits for
         * that, whether it stops or starts itself. */
        return behind ? !job_type_stops(mine) : job_type_stops(other);
}

bool unit_is_target_behind(const ManagedUnit *unit, const ManagedUnit *other) {
        const Edge *edge;

        if (unit_name_type(unit->name) != UNIT_TARGET ||
            managed_unit_settings(unit)->default_dependencies == TRUTH_NO)
                return false;
        LIST_FOREACH(edge, &other->out[EDGE_AFTER], out)
        if (edge->to == unit)
                return false;
        return true;
}

static void plan_cut(Plan *plan, size_t n_items) {
        while (plan->n_items > n_items)
                plan->items[--plan->n_items].unit->plan = 0;
}

static int plan_append(Plan *plan, ManagedUnit *unit, JobType type, bool must) {
        if (plan->n_items == plan->n_allocated) {
                const size_t n = MAX(plan->n_allocated * 2, (size_t)8);
                PlanEntry *const items = reallocarray(plan->items, n, sizeof(PlanEntry));

                if (!items)
                        return -ENOMEM;
                plan->items = items;
                plan->n_allocated = n;
        }
        plan->items[plan->n_items++] = (PlanEntry){ .unit = unit, .type = type, .must = must };
        unit->plan = plan->n_items;
        return 0;
}

static int check_read(const Unit *unit, Reason *reason) {
        switch (unit->state) {
        case UNIT_LOADED:
                break;
        case UNIT_NOT_FOUND:
                return reason_set(reason, -ENOENT, "Unit %s not found", unit->name);
        case UNIT_MASKED:
                return reason_set(reason, -EPERM, "Unit %s is masked", unit->name);
        case UNIT_BAD_SETTING:
                return reason_set(reason, -EBADMSG, "Unit %s has a bad setting: %s", unit->name,
                                  unit->mistakes.texts ? unit->mistakes.texts[0] : "see the log");
        }
        return unit_name_type(unit->name) == UNIT_SERVICE ? service_check(unit, reason) : 0;
}

/* What keeps a unit from being started whatever else is done. One that runs is read aside: it is not taken down for files with
 * which it would not come up again. */
static int check_startable(const ManagedUnit *unit, Reason *reason) {
        _cleanup_(unit_freep) Unit *aside = NULL;
        int r = 0;

        if (unit->stale)
                r = unit_load(&unit->manager->unit_paths, unit->name, &aside);
        const Unit *const read = aside ?: unit->unit;
        if (r >= 0)
                r = check_read(read, reason);
        /* A slice that is active already may be in no condition to have something else in it. */
        return r < 0 ? r : unit_check_slices(unit->manager, read, reason);
}

/* What was never there has nothing that could end. */
static int check_known(const ManagedUnit *unit, Reason *reason) {
        return unit->unit->state == UNIT_NOT_FOUND && unit->active == UNIT_INACTIVE
                       ? reason_set(reason, -ENOENT, "Unit %s not loaded", unit->name)
                       : 0;
}

typedef struct Propagation {
        EdgeKind kind;
        bool must;
} Propagation;

/* What is started along. */
static int plan_add_needed(Plan *plan, ManagedUnit *unit, bool must, Reason *reason) {
        static const Propagation needed[] = {
                { EDGE_REQUIRES, true },
                { EDGE_BINDS_TO, true },
                { EDGE_WANTS, false },
        };

        for (size_t i = 0; i < ELEMENTSOF(needed); i++) {
                _cleanup_(freep) ManagedUnit **units = NULL;
                size_t n_units = 0;

                int r = edge_list_units(&unit->out[needed[i].kind], false, &units, &n_units);
                if (r < 0)
                        return r;
                for (size_t j = 0; j < n_units; j++) {
                        _cleanup_(reason_done) Reason why = {};
                        const size_t n_before = plan->n_items;

                        r = plan_add(plan, units[j], JOB_START, must && needed[i].must, &why);
                        if (r == -ENOMEM)
                                return r;
                        if (r < 0 && needed[i].must)
                                return reason_set(reason, r, "%s needs %s: %s", unit->name, units[j]->name,
                                                  reason_text(&why, r));
                        if (r < 0) {
                                log_debug("%s is started without what it wants: %s", unit->name,
                                          reason_text(&why, r));
                                plan_cut(plan, n_before);
                        }
                }
        }
        return 0;
}

static int plan_stop_if_active(Plan *plan, ManagedUnit *unit, JobType type, bool must, Reason *reason) {
        if (!managed_unit_is_active(unit) && !(unit->job && unit->job->type != JOB_STOP))
                return 0;
        return plan_add(plan, unit, type, must, reason);
}

static int plan_stop_neighbours(Plan *plan, const EdgeList *list, bool incoming, JobType type, bool must,
                                Reason *reason) {
        _cleanup_(freep) ManagedUnit **units = NULL;
        size_t n_units = 0;

        int r = edge_list_units(list, incoming, &units, &n_units);
        for (size_t i = 0; r >= 0 && i < n_units; i++)
                r = plan_stop_if_active(plan, units[i], type, must, reason);
        return r;
}

static int plan_add_conflicting(Plan *plan, ManagedUnit *unit, bool must, Reason *reason) {
        const int r = plan_stop_neighbours(plan, &unit->out[EDGE_CONFLICTS], false, JOB_STOP, must, reason);

        return r < 0 ? r
                     : plan_stop_neighbours(plan, &unit->in[EDGE_CONFLICTS], true, JOB_STOP, must, reason);
}

/* What cannot be without the unit goes with it, down, or down and up. */
static int plan_add_dependent(Plan *plan, ManagedUnit *unit, JobType type, bool must, Reason *reason) {
        static const EdgeKind kinds[] = { EDGE_REQUIRES, EDGE_BINDS_TO, EDGE_PART_OF };
        int r = 0;

        for (size_t i = 0; r >= 0 && i < ELEMENTSOF(kinds); i++)
                r = plan_stop_neighbours(plan, &unit->in[kinds[i]], true, type, must, reason);
        return r;
}

static int merge(PlanEntry *entry, JobType type, bool must, Reason *reason) {
        const bool start = type == JOB_START, was_start = entry->type == JOB_START;

        if (entry->type == type || (start && entry->type != JOB_STOP)) {
                entry->must |= must;
                return 0;
        }
        if (was_start && type != JOB_STOP) {
                entry->type = type;
                entry->is_met = false;
                entry->must |= must;
                return 0;
        }
        if (!must)
                return 0;
        if (entry->must)
                return reason_set(reason, -EDEADLK, "%s would have to be both started and stopped",
                                  entry->unit->name);
        entry->type = type;
        entry->must = must;
        entry->is_met = false;
        return 0;
}

/* What is to be done with other units for that. */
static int plan_add_others(Plan *plan, ManagedUnit *unit, JobType type, bool must, Reason *reason) {
        const bool starts = type == JOB_START || type == JOB_RESTART;
        int r = 0;

        if (starts)
                r = plan_add_needed(plan, unit, must, reason);
        if (r >= 0 && starts)
                r = plan_add_conflicting(plan, unit, must, reason);
        if (r >= 0 && (type == JOB_STOP || type == JOB_RESTART))
                r = plan_add_dependent(plan, unit, type == JOB_STOP ? JOB_STOP : JOB_TRY_RESTART, must,
                                       reason);
        return r;
}

static bool is_run_here(const ManagedUnit *unit) {
        const UnitType type = unit_name_type(unit->name);

        return type == UNIT_SERVICE || type == UNIT_SLICE || type == UNIT_TARGET;
}

static int plan_add(Plan *plan, ManagedUnit *unit, JobType type, bool must, Reason *reason) {
        /* What is there of devices, mounts and the like is the host's. */
        if (!is_run_here(unit)) {
                if (plan->n_items == 0)
                        return reason_set(reason, -EPERM, "Units like %s are not run by this manager",
                                          unit->name);
                log_debug("%s is not run by this manager, and taken as given", unit->name);
                return 0;
        }
        if (unit->alias_of)
                unit = unit->alias_of;
        /* What goes down goes by what was read when it came up. */
        int r = unit->unit && type != JOB_START && type != JOB_RESTART ? 0 : managed_unit_load(&unit);
        if (r < 0)
                return r;
        if (type == JOB_TRY_RESTART)
                type = managed_unit_is_active(unit) ? JOB_RESTART : JOB_TRY_RESTART;
        if (unit->plan > 0)
                return merge(&plan->items[unit->plan - 1], type, must, reason);
        const bool is_up = type == JOB_START && unit->active == UNIT_ACTIVE && !unit->job,
                   starts = type == JOB_RESTART || (type == JOB_START && !is_up);
        if (is_up && plan->n_items > 0) {
                r = plan_append(plan, unit, type, must);
                plan->items[plan->n_items - 1].is_met = r >= 0;
                return r;
        }
        r = starts ? check_startable(unit, reason) : plan->n_items == 0 ? check_known(unit, reason) : 0;
        if (r >= 0 && type == JOB_RELOAD)
                r = !unit->service ? reason_set(reason, -EPERM, "Unit %s cannot be reloaded", unit->name)
                                   : service_check_reload(unit, reason);
        if (r >= 0)
                r = plan_append(plan, unit, type, must);
        return r < 0 || plan->alone ? r : plan_add_others(plan, unit, type, must, reason);
}

static PlanEntry *entry_of(const Plan *plan, const ManagedUnit *unit) {
        PlanEntry *const entry = unit->plan > 0 ? &plan->items[unit->plan - 1] : NULL;

        return entry && !entry->dropped && !entry->is_met ? entry : NULL;
}

/* 1 when the order goes round; the entry that is left out for that is in *ret_victim, if there is one that may be. */
static int visit(Plan *plan, PlanEntry *entry, PlanEntry **ret_victim);

static int visit_other(Plan *plan, PlanEntry *entry, const ManagedUnit *unit, bool behind,
                       PlanEntry **ret_victim) {
        PlanEntry *const other = entry_of(plan, unit);

        if (!other || !job_type_waits(entry->type, other->type, behind))
                return 0;
        const int r = visit(plan, other, ret_victim);
        if (r > 0 && !*ret_victim && !entry->must)
                *ret_victim = entry;
        return r;
}

static int visit(Plan *plan, PlanEntry *entry, PlanEntry **ret_victim) {
        static const EdgeKind needed[] = { EDGE_REQUIRES, EDGE_WANTS };
        ManagedUnit *const unit = entry->unit;
        Edge *edge;
        int r = 0;

        if (entry->visited)
                return 0;
        if (entry->visiting) {
                *ret_victim = entry->must ? NULL : entry;
                return 1;
        }
        entry->visiting = true;
        LIST_FOREACH(edge, &unit->out[EDGE_AFTER], out)
        if (r == 0)
                r = visit_other(plan, entry, edge->to, true, ret_victim);
        LIST_FOREACH(edge, &unit->in[EDGE_AFTER], in)
        if (r == 0)
                r = visit_other(plan, entry, edge->from, false, ret_victim);
        for (size_t i = 0; i < ELEMENTSOF(needed); i++)
                LIST_FOREACH(edge, &unit->out[needed[i]], out)
        if (r == 0 && entry->type == JOB_START && unit_is_target_behind(unit, edge->to))
                r = visit_other(plan, entry, edge->to, true, ret_victim);
        entry->visiting = false;
        entry->visited = r == 0;
        return r;
}

/* Until nobody waits for himself. */
static int plan_break_cycles(Plan *plan, Reason *reason) {
        for (size_t i = 0; i < plan->n_items;) {
                PlanEntry *victim = NULL;

                if (plan->items[i].dropped || plan->items[i].is_met ||
                    visit(plan, &plan->items[i], &victim) == 0) {
                        i++;
                        continue;
                }
                if (!victim)
                        return reason_set(
                                reason, -EDEADLK,
                                "%s cannot be started: the order of the units that it needs (After=, "
                                "Before=) goes round",
                                plan->items[0].unit->name);
                log_warning("%s is left out of what is started: its order (After=, Before=) goes round",
                            victim->unit->name);
                victim->dropped = true;
                for (size_t j = 0; j < plan->n_items; j++)
                        plan->items[j].visited = false;
                i = 0;
        }
        return 0;
}

/* Whether a start would become a stop, or the other way round. */
static int plan_check_jobs(const Plan *plan, Reason *reason) {
        for (size_t i = 0; i < plan->n_items; i++) {
                const PlanEntry *const entry = &plan->items[i];
                const Job *const job = entry->unit->job;

                if (entry->dropped || entry->is_met || !job ||
                    (job->type == JOB_STOP) == (entry->type == JOB_STOP))
                        continue;
                return reason_set(reason, -EBUSY,
                                  "%s would have to %s, for which there is a job to %s already: wait for it, "
                                  "or cancel it",
                                  entry->unit->name, job_type_words[entry->type], job_type_words[job->type]);
        }
        return 0;
}

int plan_make(ManagedUnit *unit, JobType type, JobMode mode, Plan *ret, Reason *reason) {
        Plan plan = { .alone = mode == JOB_IGNORE_REQUIREMENTS || mode == JOB_IGNORE_DEPENDENCIES };

        int r = plan_add(&plan, unit, type, true, reason);
        if (r >= 0)
                r = plan_break_cycles(&plan, reason);
        if (r >= 0 && mode == JOB_FAIL)
                r = plan_check_jobs(&plan, reason);
        if (r < 0) {
                plan_done(&plan);
                return r;
        }
        *ret = plan;
        return 0;
}
