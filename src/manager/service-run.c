/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <string.h>
#include <systemd/sd-id128.h>

#include "base/time-span.h"
#include "manager/service.h"
#include "manager/unit-log.h"
#include "manager/unit-state.h"

int service_commands_begin(Service *service, ServiceCommand kind) {
        char *const *line = service_settings_of(service)->commands[kind];
        int r = 0;

        exec_command_list_done(&service->commands);
        service->commands = (ExecCommandList){};
        service->kind = kind;
        service->n_begun = 0;
        for (; r >= 0 && line && *line; line++) {
                _cleanup_(reason_done) Reason reason = {};

                r = exec_command_parse(*line, service->unit->name, &service->commands, &reason);
                if (r < 0)
                        unit_log(service->unit, LOG_ERR, "%s: \"%s\" is no command line: %s",
                                 service->unit->name, *line, reason_text(&reason, r));
        }
        return r < 0 ? r : service_commands_next(service);
}

bool service_runs_main(const Service *service) {
        return service->kind == SERVICE_START && service_settings_of(service)->type != SERVICE_FORKING;
}

/* Where the service is while such a command runs. */
static const ServiceState command_states[SERVICE_COMMANDS] = {
        [SERVICE_CONDITION] = SERVICE_IN_CONDITION, [SERVICE_START_PRE] = SERVICE_IN_START_PRE,
        [SERVICE_START] = SERVICE_IN_START,         [SERVICE_START_POST] = SERVICE_IN_START_POST,
        [SERVICE_RELOAD] = SERVICE_IN_RELOAD,       [SERVICE_STOP] = SERVICE_IN_STOP,
        [SERVICE_STOP_POST] = SERVICE_IN_STOP_POST,
};

/* It is noted before: when the manager is killed meanwhile, the next one knows whom to look for. */
static int spawn_next(Service *service, Process **ret) {
        const ExecCommand *const command = &service->commands.items[service->n_begun++];
        const ServiceState before = service->state;

        service->state = command_states[service->kind];
        service->is_spawning = true;
        (void)unit_state_write(service->unit);
        const int r = service_spawn(service, command, !service_runs_main(service), ret);
        service->is_spawning = false;
        if (r < 0)
                service->state = before;
        return r;
}

int service_commands_next(Service *service) {
        Process *process;

        if (service->n_begun >= service->commands.n_items)
                return 0;
        const int r = spawn_next(service, &process);
        if (r < 0)
                return r;
        if (service_runs_main(service)) {
                service->main = process;
                service->last_main_pid = process->pid;
                service->main_code = service->main_status = 0;
                service->main_started = process->started;
                service->main_started_monotonic = process->started_monotonic;
                service->main_ended = service->main_ended_monotonic = 0;
        } else
                service->control = process;
        return 1;
}

static void forget_last_run(Service *service) {
        const Duration *const watchdog = &service_settings_of(service)->watchdog;

        service->watchdog_usec = watchdog->set ? watchdog->usec : 0;
        service->result = service->reload_result = SERVICE_SUCCESS;
        service->main_code = service->main_status = 0;
        service->main_started = service->main_started_monotonic = 0;
        service->main_ended = service->main_ended_monotonic = 0;
        service->last_main_pid = 0;
        service->cpu_nsec = UINT64_MAX;
        service->stop_asked = false;
        service->runtime_deadline = 0;
        free(service->status_text);
        service->status_text = NULL;
        if (!service->restart_queued)
                service->n_restarts = 0;
        service->restart_queued = false;
}

static int invocation_new(ManagedUnit *unit) {
        sd_id128_t id;

        _Static_assert(sizeof(unit->invocation) == SD_ID128_STRING_MAX, "room for the text");
        const int r = sd_id128_randomize(&id);
        if (r >= 0)
                (void)sd_id128_to_string(id, unit->invocation);
        return r;
}

void service_enter_start_pre(Service *service) {
        service_set_timer(service, service_start_timeout(service));

        const int r = service_commands_begin(service, SERVICE_START_PRE);
        if (r < 0)
                service_enter_signal(service, SERVICE_STOP_SIGTERM, SERVICE_FAILURE_RESOURCES);
        else if (r > 0)
                service_set_state(service, SERVICE_IN_START_PRE);
        else
                service_enter_start(service);
}

static void enter_condition(Service *service) {
        service_set_timer(service, service_start_timeout(service));

        const int r = service_commands_begin(service, SERVICE_CONDITION);
        if (r < 0)
                service_enter_signal(service, SERVICE_STOP_SIGTERM, SERVICE_FAILURE_RESOURCES);
        else if (r > 0)
                service_set_state(service, SERVICE_IN_CONDITION);
        else
                service_enter_start_pre(service);
}

/* The files as they are now may say something else than when the start was asked for. */
static int refresh(ManagedUnit *unit) {
        _cleanup_(reason_done) Reason reason = {};

        int r = managed_unit_load(&unit);
        if (r < 0)
                return r;
        r = unit->unit->state == UNIT_LOADED
                    ? service_check(unit->unit, &reason)
                    : reason_set(&reason, -EBADMSG, "Its files are not what can be started any more: %s",
                                 unit_load_state_words[unit->unit->state]);
        if (r >= 0)
                r = unit_check_slices(unit->manager, unit->unit, &reason);
        if (r >= 0)
                return 0;
        unit_log(unit, LOG_ERR, "%s: %s", unit->name, reason_text(&reason, r));
        unit->service->result = SERVICE_FAILURE_RESOURCES;
        service_set_state(unit->service, SERVICE_STATE_FAILED);
        return r;
}

/* Beside a service that nobody knows any more there is no second one. */
static int check_unknown(Service *service) {
        const char *const name = service->unit->name;

        if (!service->is_unknown || !service_group_is_populated(service))
                return 0;
        unit_log(
                service->unit, LOG_ERR,
                "%s: Processes of it run that an earlier manager has started, and what is known of them cannot "
                "be read: end them first, with \"mkosi-ctl kill %s\"",
                name, name);
        return -EBUSY;
}

/* From where the last end left it. */
int service_start(ManagedUnit *unit) {
        Service *const service = unit->service;
        _cleanup_(reason_done) Reason reason = {};

        if (service->state >= SERVICE_IN_CONDITION && service->state <= SERVICE_IN_START_POST)
                return 1;
        if (service->state != SERVICE_DEAD && service->state != SERVICE_STATE_FAILED &&
            service->state != SERVICE_AUTO_RESTART)
                return -EAGAIN;
        /* What is about to be removed is not to be had. */
        if (service->cleaner)
                return -EAGAIN;
        free(TAKE_PTR(service->failure));
        int r = check_unknown(service);
        if (r >= 0)
                r = refresh(unit);
        if (r < 0)
                return r;
        if (!service_may_start(unit)) {
                service->result = SERVICE_FAILURE_START_LIMIT_HIT;
                service_set_state(service, SERVICE_STATE_FAILED);
                return -ECANCELED;
        }
        forget_last_run(service);
        r = invocation_new(unit);
        if (r < 0)
                return r;
        unit_log_begin(unit, JOB_START);
        r = service_prepare(service, &reason);
        if (r < 0) {
                unit_log(unit, LOG_ERR, "%s: %s", unit->name, reason_text(&reason, r));
                service_enter_dead(service, SERVICE_FAILURE_RESOURCES);
                return r;
        }
        enter_condition(service);
        return 1;
}

void service_enter_start(Service *service) {
        service_set_timer(service, service_start_timeout(service));

        const int r = service_commands_begin(service, SERVICE_START);
        if (r < 0)
                service_enter_signal(service, SERVICE_STOP_SIGTERM, SERVICE_FAILURE_RESOURCES);
        else if (r == 0 || service_settings_of(service)->type == SERVICE_SIMPLE)
                service_enter_start_post(service);
        else
                service_set_state(service, SERVICE_IN_START);
}

void service_enter_start_post(Service *service) {
        service_forget_pid_file(service);
        service_set_timer(service, service_start_timeout(service));

        const int r = service_commands_begin(service, SERVICE_START_POST);
        if (r < 0)
                service_enter_signal(service, SERVICE_STOP_SIGTERM, SERVICE_FAILURE_RESOURCES);
        else if (r > 0)
                service_set_state(service, SERVICE_IN_START_POST);
        else
                service_enter_running(service, SERVICE_SUCCESS);
}

/* Whether something of it runs that makes it a running service. */
static bool is_good(const Service *service) {
        const UnitSettings *const settings = service_settings_of(service);

        return service->main || (settings->type == SERVICE_FORKING && service->last_main_pid == 0 &&
                                 service_group_is_populated(service));
}

static void set_runtime_limit(Service *service) {
        const Duration *const limit = &service_settings_of(service)->runtime_max;

        if (service->runtime_deadline == 0) {
                service_set_timer(service, limit->set ? limit->usec : TIME_SPAN_INFINITY);
                service->runtime_deadline = service->deadline;
        } else
                service_set_deadline(service, service->runtime_deadline);
}

void service_enter_running(Service *service, ServiceResult result) {
        const UnitSettings *const settings = service_settings_of(service);

        service_fail(service, result);
        if (service->result != SERVICE_SUCCESS)
                service_enter_signal(service, SERVICE_STOP_SIGTERM, SERVICE_SUCCESS);
        else if (is_good(service)) {
                set_runtime_limit(service);
                if (service->state != SERVICE_IN_RELOAD)
                        service_feed_watchdog(service);
                service_set_state(service, SERVICE_RUNNING);
        } else if (settings->remain_after_exit) {
                service_stop_watchdog(service);
                service_set_state(service, SERVICE_EXITED);
        } else
                service_enter_stop(service, SERVICE_SUCCESS);
}

int service_stop(ManagedUnit *unit) {
        Service *const service = unit->service;

        if (unit->job && unit->job->type == JOB_STOP)
                service->restart_queued = false;
        if (service->state == SERVICE_AUTO_RESTART) {
                service_set_state(service, SERVICE_DEAD);
                return 1;
        }
        const UnitActiveState active = service_active_state(service->state);
        if (active == UNIT_INACTIVE || active == UNIT_FAILED)
                return 0;
        service->stop_asked = true;
        if (active == UNIT_DEACTIVATING)
                return 1;
        unit_log_begin(unit, JOB_STOP);
        if (active == UNIT_ACTIVE)
                service_enter_stop(service, SERVICE_SUCCESS);
        else
                service_enter_signal(service, SERVICE_STOP_SIGTERM, SERVICE_SUCCESS);
        return 1;
}

int service_reload(ManagedUnit *unit) {
        Service *const service = unit->service;

        /* What goes up will be there; what goes down, or is down, never again. */
        if (unit->active == UNIT_ACTIVATING || unit->active == UNIT_RELOADING)
                return -EAGAIN;
        if (service->state != SERVICE_RUNNING && service->state != SERVICE_EXITED)
                return -ESRCH;
        unit_log_begin(unit, JOB_RELOAD);
        service->reload_result = SERVICE_SUCCESS;
        service_set_timer(service, service_start_timeout(service));

        const int r = service_commands_begin(service, SERVICE_RELOAD);
        if (r > 0) {
                service_set_state(service, SERVICE_IN_RELOAD);
                return r;
        }
        if (r < 0)
                service->reload_result = SERVICE_FAILURE_RESOURCES;
        service_enter_running(service, SERVICE_SUCCESS);
        return r;
}
