/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What has to be done so that one thing can be done: all or nothing of it. */

#include "manager/managed-unit.h"

typedef struct PlanEntry {
        ManagedUnit *unit;
        JobType type;
        bool must;   /* the plan fails without it */
        bool is_met; /* it is so already, and is to stay so */
        bool dropped, visiting, visited;
} PlanEntry;

typedef struct Plan {
        PlanEntry *items;
        size_t n_items, n_allocated;
        bool alone; /* what the unit says of others does not count */
} Plan;

/* Whether a job of one type has to wait for one of the other type, of a unit that it is ordered behind, or before. */
bool job_type_waits(JobType mine, JobType other, bool behind);

/* Whether a job takes what runs down first. */
static inline bool job_type_stops(JobType type) {
        return type == JOB_STOP || type == JOB_RESTART || type == JOB_TRY_RESTART;
}

/* Whether the unit wants or requires the other one, as a target that is reached last, and is not ordered before it. */
bool unit_is_target_behind(const ManagedUnit *unit, const ManagedUnit *other);

/* The unit's own job is the first item. -EDEADLK: it contradicts itself, or the order goes round; -EBUSY: it contradicts jobs
 * that it may not replace; others: see manager_start_job(). */
int plan_make(ManagedUnit *unit, JobType type, JobMode mode, Plan *ret, Reason *reason);
void plan_done(Plan *plan);
