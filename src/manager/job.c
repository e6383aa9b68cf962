/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "base/log.h"
#include "base/text.h"
#include "manager/job-plan.h"
#include "manager/managed-unit.h"
#include "manager/service.h"
#include "manager/unit-log.h"
#include "manager/unit-state.h"

/* clang-format off */
const char *const job_type_words[] = { "start", "stop", "restart", "try-restart", "reload" };
const char *const job_mode_words[JOB_MODES] = { "replace", "fail", "ignore-requirements", "ignore-dependencies" };
const char *const job_state_words[] = { "waiting", "running" };
const char *const job_result_words[] = { "done", "canceled", "failed", "dependency", "assert" };
/* clang-format on */

void job_enqueue(Job *job) {
        Manager *const manager = job->unit->manager;

        if (job->queued)
                return;
        job->queued = true;
        STAILQ_INSERT_TAIL(&manager->jobs, job, queue);
        manager_schedule(manager);
}

/* Those that waited for it look for themselves what comes next. */
static void job_release_waiting(Job *job) {
        Job *waiting;

        while ((waiting = LIST_FIRST(&job->waiting))) {
                LIST_REMOVE(waiting, beside);
                waiting->blocker = NULL;
                job_enqueue(waiting);
        }
}

/* Its unit has none any more. */
static void job_detach(Job *job) {
        job_release_waiting(job);
        if (job->blocker)
                LIST_REMOVE(job, beside);
        if (job->queued)
                STAILQ_REMOVE(&job->unit->manager->jobs, job, Job, queue);
        TAILQ_REMOVE(&job->unit->manager->every_job, job, every);
        job->unit->job = NULL;
}

void job_forget(Job *job) {
        job_detach(job);
        free(job);
}

static Job *take_ended(Manager *manager) {
        Job *const job = STAILQ_FIRST(&manager->ended);

        if (job) {
                STAILQ_REMOVE_HEAD(&manager->ended, queue);
                managed_unit_let_go(job->unit);
        }
        return job;
}

void job_forget_ended(Manager *manager) {
        Job *job;

        while ((job = take_ended(manager)))
                free(job);
}

void job_tell_ended(Manager *manager) {
        Job *job;

        while ((job = take_ended(manager))) {
                if (manager->events.job_removed)
                        manager->events.job_removed(job->id, job->unit, job->result,
                                                    manager->events.userdata);
                free(job);
        }
}

int job_add(ManagedUnit *unit, JobType type, bool ignores_order, Job **ret) {
        Manager *const manager = unit->manager;
        Job *const job = calloc(1, sizeof(Job));

        if (!job)
                return -ENOMEM;
        assert(!unit->job);
        if (++manager->last_job == 0)
                manager->last_job = 1;
        job->id = manager->last_job;
        job->type = type;
        job->unit = unit;
        job->ignores_order = ignores_order;
        unit->job = job;
        TAILQ_INSERT_TAIL(&manager->every_job, job, every);
        job_enqueue(job);
        managed_unit_changed(unit);
        unit_state_update(unit);
        if (manager->events.job_new)
                manager->events.job_new(job->id, unit, manager->events.userdata);
        *ret = job;
        return 0;
}

/* Those that are about to be started, and require what could not be, are not started. */
static void fail_dependent(ManagedUnit *unit) {
        static const EdgeKind kinds[] = { EDGE_REQUIRES, EDGE_BINDS_TO };

        for (size_t i = 0; i < ELEMENTSOF(kinds); i++) {
                _cleanup_(freep) ManagedUnit **units = NULL;
                size_t n_units = 0;

                const int r = edge_list_units(&unit->in[kinds[i]], true, &units, &n_units);
                if (r < 0)
                        (void)log_error(r, "Cannot end what requires %s: %m", unit->name);
                for (size_t j = 0; j < n_units; j++) {
                        Job *const job = units[j]->job;

                        if (job && job->type == JOB_START && !job->running)
                                job_finish(job, JOB_DEPENDENCY);
                }
        }
}

static bool job_result_is_failure(JobResult result) {
        return result == JOB_FAILED || result == JOB_DEPENDENCY || result == JOB_ASSERT;
}

void job_finish(Job *job, JobResult result) {
        ManagedUnit *const unit = job->unit;

        job_detach(job);
        unit_state_update(unit);
        job->result = result;
        STAILQ_INSERT_TAIL(&unit->manager->ended, job, queue);
        managed_unit_hold(unit); /* until that is told */
        unit_log_job(unit, job->type, result);
        if (job->type == JOB_START && job_result_is_failure(result))
                fail_dependent(unit);
        managed_unit_changed(unit);
        manager_schedule(unit->manager);
}

static Job *blocker_of(const Job *job, const ManagedUnit *other, bool behind) {
        Job *const blocker = other->job;

        return blocker && blocker != job && !blocker->ignores_order &&
                               job_type_waits(job->type, blocker->type, behind)
                       ? blocker
                       : NULL;
}

static Job *find_blocker(const Job *job) {
        static const EdgeKind needed[] = { EDGE_REQUIRES, EDGE_WANTS };
        ManagedUnit *const unit = job->unit;
        Job *blocker;
        Edge *edge;

        if (job->ignores_order)
                return NULL;
        LIST_FOREACH(edge, &unit->out[EDGE_AFTER], out)
        if ((blocker = blocker_of(job, edge->to, true)))
                return blocker;
        LIST_FOREACH(edge, &unit->in[EDGE_AFTER], in)
        if ((blocker = blocker_of(job, edge->from, false)))
                return blocker;
        for (size_t i = 0; i < ELEMENTSOF(needed) && job->type == JOB_START; i++)
                LIST_FOREACH(edge, &unit->out[needed[i]], out)
        if ((blocker = blocker_of(job, edge->to, true)) && unit_is_target_behind(unit, edge->to))
                return blocker;
        return NULL;
}

/* 1 when it is under way, 0 when there is nothing to do, -EAGAIN when the unit is between two states. */
static int job_start(Job *job) {
        ManagedUnit *const unit = job->unit;

        switch (job->type) {
        case JOB_START:
                if (unit->active == UNIT_ACTIVE || unit->active == UNIT_RELOADING)
                        return 0;
                if (unit->service)
                        return service_start(unit);
                managed_unit_set_active(unit, UNIT_ACTIVE);
                return 1;
        case JOB_RESTART:
        case JOB_TRY_RESTART:
        case JOB_STOP:
                if (unit->active == UNIT_INACTIVE || unit->active == UNIT_FAILED)
                        return 0;
                if (unit->service)
                        return service_stop(unit);
                managed_unit_set_active(unit, UNIT_INACTIVE);
                return 1;
        case JOB_RELOAD:
                return unit->service ? service_reload(unit) : 0;
        }
        return -EINVAL;
}

static void job_become_start(Job *job) {
        unit_log_job(job->unit, JOB_STOP, JOB_DONE);
        job->type = JOB_START;
        job->running = false;
        job_release_waiting(job);
        job_enqueue(job);
}

/* 1 when the start has ended before it began. */
static int job_end_by_conditions(Job *job) {
        ManagedUnit *const unit = job->unit;

        if (job->type != JOB_START || managed_unit_is_active(unit))
                return 0;
        const UnitPermission permission = managed_unit_look_at_conditions(unit);
        if (permission == UNIT_MAY_START)
                return 0;
        if (unit->service)
                unit->service->restart_queued = false;
        job_finish(job, permission == UNIT_CONDITION_UNMET ? JOB_DONE : JOB_ASSERT);
        return 1;
}

static void job_run(Job *job) {
        ManagedUnit *const unit = job->unit;
        const uint32_t id = job->id;
        Job *const blocker = find_blocker(job);

        if (blocker) {
                job->blocker = blocker;
                LIST_INSERT_HEAD(&blocker->waiting, job, beside);
                return;
        }
        if (job->type == JOB_RESTART && (unit->active == UNIT_INACTIVE || unit->active == UNIT_FAILED)) {
                job->type = JOB_START;
                job_release_waiting(job);
                job_enqueue(job);
                return;
        }
        if (job_end_by_conditions(job) > 0)
                return;
        job->running = true;
        managed_unit_changed(unit);
        const int r = job_start(job);
        if (unit->job != job || job->id != id)
                return; /* done at once */
        if (r == -EAGAIN)
                job->running = false; /* until the unit is in another state */
        else if (r == 0)
                job_finish(job, JOB_DONE);
        else if (r < 0)
                job_finish(job, JOB_FAILED);
}

void job_run_queue(Manager *manager) {
        Job *job;

        while ((job = STAILQ_FIRST(&manager->jobs))) {
                STAILQ_REMOVE_HEAD(&manager->jobs, queue);
                job->queued = false;
                if (!job->running && !job->blocker)
                        job_run(job);
        }
}

/* What follows for a job that runs; -1: nothing yet. */
static int result_by_state(const Job *job) {
        const ManagedUnit *const unit = job->unit;
        const bool down = unit->active == UNIT_INACTIVE || unit->active == UNIT_FAILED;

        switch (job->type) {
        case JOB_START:
                if (unit->active == UNIT_ACTIVE || unit->active == UNIT_RELOADING)
                        return JOB_DONE;
                return unit->active == UNIT_FAILED ? JOB_FAILED : down ? JOB_DONE : -1;
        case JOB_RELOAD:
                if (unit->active == UNIT_ACTIVE)
                        return service_reload_failed(unit) ? JOB_FAILED : JOB_DONE;
                return unit->active == UNIT_RELOADING ? -1 : JOB_FAILED;
        default:
                return down ? JOB_DONE : -1;
        }
}

/* Something bound to a unit that has ended by itself goes down as well. */
static void stop_bound(ManagedUnit *unit) {
        _cleanup_(freep) ManagedUnit **units = NULL;
        size_t n_units = 0;

        int r = edge_list_units(&unit->in[EDGE_BINDS_TO], true, &units, &n_units);
        if (r < 0)
                (void)log_error(r, "Cannot stop what is bound to %s: %m", unit->name);
        for (size_t i = 0; i < n_units; i++) {
                ManagedUnit *const bound = units[i];
                _cleanup_(reason_done) Reason reason = {};
                uint32_t id;

                if (!managed_unit_is_active(bound) || (bound->job && bound->job->type == JOB_STOP))
                        continue;
                r = manager_start_job(unit->manager, bound, JOB_STOP, JOB_REPLACE, &id, &reason);
                if (r < 0)
                        log_warning("Cannot stop %s, which is bound to %s: %s", bound->name, unit->name,
                                    reason_text(&reason, r));
        }
}

void job_unit_changed(ManagedUnit *unit, UnitActiveState before) {
        Job *const job = unit->job;
        const bool was_up = before == UNIT_ACTIVE || before == UNIT_RELOADING || before == UNIT_ACTIVATING,
                   goes_down = unit->active == UNIT_DEACTIVATING || unit->active == UNIT_INACTIVE ||
                               unit->active == UNIT_FAILED;

        if (job && job->running) {
                const int result = result_by_state(job);

                if (result >= 0 && (job->type == JOB_RESTART || job->type == JOB_TRY_RESTART))
                        job_become_start(job);
                else if (result >= 0)
                        job_finish(job, (JobResult)result);
        } else if (job && !job->blocker)
                job_enqueue(job);
        if (was_up && goes_down && !job)
                stop_bound(unit);
}

/* One that has waited goes on at once, and those that waited for it do so as well. */
static void job_ignore_order(Job *job) {
        job->ignores_order = true;
        job_release_waiting(job);
        if (!job->blocker)
                return;
        LIST_REMOVE(job, beside);
        job->blocker = NULL;
        job_enqueue(job);
}

/* Whether all that the plan wants of the unit comes of a job that is there already. */
static bool job_covers(const Job *job, JobType type) {
        return job->type == type || (job->type == JOB_RESTART && type == JOB_START) ||
               (job->type == JOB_START && type == JOB_TRY_RESTART);
}

/* A job of the plan takes the place of what contradicts it. */
static int job_install(const PlanEntry *entry, JobMode mode, uint32_t *ret) {
        const bool ignores_order = mode == JOB_IGNORE_DEPENDENCIES;
        ManagedUnit *const unit = entry->unit;
        Job *job = unit->job;

        if (job && job_covers(job, entry->type)) {
                if (ignores_order)
                        job_ignore_order(job);
                *ret = job->id;
                return 0;
        }
        if (job)
                job_finish(job, JOB_CANCELED);
        const int r = job_add(unit, entry->type, ignores_order, &job);
        if (r >= 0)
                *ret = job->id;
        return r;
}

int manager_start_job(Manager *manager, ManagedUnit *unit, JobType type, JobMode mode, uint32_t *ret,
                      Reason *reason) {
        Plan plan = {};
        uint32_t first = 0;

        int r = plan_make(unit, type, mode, &plan, reason);
        for (size_t i = 0; r >= 0 && i < plan.n_items; i++) {
                uint32_t id;

                if (plan.items[i].dropped || plan.items[i].is_met)
                        continue;
                r = job_install(&plan.items[i], mode, &id);
                if (i == 0)
                        first = id;
        }
        plan_done(&plan);
        if (r >= 0)
                *ret = first;
        return r;
}

static JobStatus status_of(const Job *job) {
        return (JobStatus){ .id = job->id, .type = job->type, .running = job->running, .unit = job->unit };
}

bool managed_unit_job(const ManagedUnit *unit, JobStatus *ret) {
        if (unit->job)
                *ret = status_of(unit->job);
        return unit->job;
}

int manager_list_jobs(Manager *manager, JobStatus **ret, size_t *ret_n) {
        const Job *job;
        size_t n = 0;

        for (job = TAILQ_FIRST(&manager->every_job); job; job = TAILQ_NEXT(job, every))
                n++;
        JobStatus *const jobs = calloc(MAX(n, (size_t)1), sizeof(JobStatus));
        if (!jobs)
                return -ENOMEM;
        n = 0;
        for (job = TAILQ_FIRST(&manager->every_job); job; job = TAILQ_NEXT(job, every))
                jobs[n++] = status_of(job);
        *ret = jobs;
        *ret_n = n;
        return 0;
}

bool manager_find_job(Manager *manager, uint32_t id, JobStatus *ret) {
        const Job *job;

        for (job = TAILQ_FIRST(&manager->every_job); job; job = TAILQ_NEXT(job, every))
                if (job->id == id) {
                        *ret = status_of(job);
                        return true;
                }
        return false;
}

void managed_unit_cancel_job(ManagedUnit *unit) {
        if (!unit->job)
                return;
        const bool starts = unit->job->type == JOB_START;

        job_finish(unit->job, JOB_CANCELED);
        if (starts)
                fail_dependent(unit);
}
