/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <inttypes.h>
#include <stdio.h>

#include "base/strv.h"
#include "base/time-span.h"
#include "manager/accounting.h"
#include "manager/service.h"
#include "manager/unit-log.h"
#include "manager/unit-state.h"
#include "unit/exit-status-set.h"

#define RESTART_DELAY_DEFAULT  (SECOND_USEC / 10)
#define LIMIT_INTERVAL_DEFAULT (10 * SECOND_USEC)
#define LIMIT_BURST_DEFAULT    5
#define ON(result)             (1U << SERVICE_##result)

/* After which results each word of Restart= has the service started again. */
static const unsigned restart_results[RESTART_MAX] = {
        [RESTART_ON_SUCCESS] = ON(SUCCESS),
        [RESTART_ON_FAILURE] = ~ON(SUCCESS),
        [RESTART_ON_ABNORMAL] = ~(ON(SUCCESS) | ON(FAILURE_EXIT_CODE)),
        [RESTART_ON_WATCHDOG] = ON(FAILURE_WATCHDOG),
        [RESTART_ON_ABORT] = ON(FAILURE_SIGNAL) | ON(FAILURE_CORE_DUMP),
        [RESTART_ALWAYS] = ~0U,
};

bool service_wants_restart(const Service *service) {
        const UnitSettings *const settings = service_settings_of(service);
        const Job *const job = service->unit->job;

        if (service->stop_asked || (job && (job->type == JOB_STOP || job->type == JOB_RESTART)) ||
            service->result == SERVICE_FAILURE_START_LIMIT_HIT || service->result == SERVICE_SKIP_CONDITION)
                return false;
        if (service->main_code != 0) {
                if (exit_status_set_has(STRV(settings->restart_prevent_exit_status), service->main_code,
                                        service->main_status))
                        return false;
                if (exit_status_set_has(STRV(settings->restart_force_exit_status), service->main_code,
                                        service->main_status))
                        return true;
        }
        return restart_results[settings->restart] & (1U << service->result);
}

StartLimit start_limit_of(const UnitSettings *settings) {
        const Duration *const interval = &settings->start_limit_interval;
        const Level *const burst = &settings->start_limit_burst;

        return (StartLimit){
                .interval_usec = interval->set ? interval->usec : LIMIT_INTERVAL_DEFAULT,
                .burst = burst->set ? (unsigned)MAX(burst->value, 0) : LIMIT_BURST_DEFAULT,
        };
}

bool service_may_start(ManagedUnit *unit) {
        const StartLimit limit = start_limit_of(managed_unit_settings(unit));
        const uint64_t now = time_monotonic();

        if (limit.interval_usec == 0 || limit.burst == 0)
                return true;
        if (unit->limit_count == 0 || now - unit->limit_begin >= limit.interval_usec) {
                unit->limit_begin = now;
                unit->limit_count = 0;
        }
        if (unit->limit_count < limit.burst) {
                unit->limit_count++;
                return true;
        }
        unit_log(unit, LOG_WARNING, "%s: Start request repeated too quickly.", unit->name);
        return false;
}

static void log_result(const Service *service) {
        ManagedUnit *const unit = service->unit;

        if (service->result == SERVICE_SKIP_CONDITION)
                unit_log_with(
                        unit, LOG_INFO,
                        (.id = MESSAGE_SKIPPED,
                         .fields = { { "UNIT_RESULT", service_result_words[service->result], SIZE_MAX } }),
                        "%s: Skipped due to '%s'.", unit->name, service_result_words[service->result]);
        else if (service->result != SERVICE_SUCCESS)
                unit_log_with(
                        unit, LOG_WARNING,
                        (.id = MESSAGE_FAILURE,
                         .fields = { { "UNIT_RESULT", service_result_words[service->result], SIZE_MAX } }),
                        "%s: Failed with result '%s'.", unit->name, service_result_words[service->result]);
        else if (!service->stop_asked && service->main_code != 0)
                unit_log_with(unit, LOG_INFO, (.id = MESSAGE_SUCCESS), "%s: Succeeded.", unit->name);
}

static void log_resources(Service *service) {
        UnitStatus status;

        if (!service->unit->manager->log)
                return;
        managed_unit_status(service->unit, &status);
        managed_unit_count(service->unit, &status);
        (void)accounting_log(service->unit->manager->log, &status);
}

static bool has_failed(const Service *service) {
        return service->result != SERVICE_SUCCESS && service->result != SERVICE_SKIP_CONDITION;
}

void service_wait_for_restart(Service *service) {
        const Duration *const delay = &service_settings_of(service)->restart_delay;

        service_set_timer(service, delay->set ? delay->usec : RESTART_DELAY_DEFAULT);
        service_set_state(service, SERVICE_AUTO_RESTART);
}

/* All is gone: the run is over. */
void service_finish(Service *service) {
        const bool again = service_wants_restart(service);

        log_result(service);
        service->comes_back = again;
        service_set_state(service, has_failed(service) ? SERVICE_STATE_FAILED : SERVICE_DEAD);
        service->comes_back = false;
        log_resources(service);
        /* What waited for the end may have begun something. */
        if (!again || (service->state != SERVICE_DEAD && service->state != SERVICE_STATE_FAILED) ||
            service->unit->job) {
                /* Whoever reads what it wrote is to see the end of that. */
                if (!service->unit->job)
                        service_close_standard(service);
                if (again)
                        unit_state_update(service->unit);
                return;
        }
        service_wait_for_restart(service);
}

void service_restart_now(Service *service) {
        ManagedUnit *const unit = service->unit;
        const Job *const job = unit->job;
        _cleanup_(reason_done) Reason reason = {};
        char count[24];
        uint32_t id;

        /* Somebody has asked for what comes next already, and waits for it. */
        if (job && job->type != JOB_RELOAD && job->type != JOB_TRY_RESTART)
                return;
        service->restart_queued = true;
        const int r = manager_start_job(unit->manager, unit, JOB_RESTART, JOB_REPLACE, &id, &reason);
        if (r < 0) {
                unit_log(unit, LOG_WARNING, "%s: Cannot be restarted: %s", unit->name,
                         reason_text(&reason, r));
                service->restart_queued = false;
                service->result = SERVICE_FAILURE_RESOURCES;
                service_set_state(service, SERVICE_STATE_FAILED);
                return;
        }
        service->n_restarts++;
        (void)snprintf(count, sizeof(count), "%" PRIu64, service->n_restarts);
        unit_log_with(unit, LOG_INFO,
                      (.id = MESSAGE_RESTART_QUEUED, .fields = { { "N_RESTARTS", count, SIZE_MAX } }),
                      "%s: Scheduled restart job, restart counter is at %s.", unit->name, count);
}
