/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <signal.h>
#include <sys/wait.h>

#include "base/strv.h"
#include "manager/log-pipe.h"
#include "manager/service.h"
#include "manager/unit-log.h"
#include "manager/unit-state.h"
#include "unit/exit-status-set.h"

static ServiceResult result_of(const Service *service, bool is_main, int code, int status) {
        const ServiceSettings *const settings = service_settings_of(service);
        const bool daemon = is_main && settings->type != SERVICE_ONESHOT;

        if (exit_is_clean(code, status, daemon) ||
            (is_main && exit_status_set_has(STRV(settings->success_exit_status), code, status)))
                return SERVICE_SUCCESS;
        /* What a command of ExecCondition= answers by its status is no failure. */
        if (!is_main && service->kind == SERVICE_CONDITION && code == CLD_EXITED && status < 255)
                return SERVICE_SKIP_CONDITION;
        return code == CLD_EXITED   ? SERVICE_FAILURE_EXIT_CODE
               : code == CLD_DUMPED ? SERVICE_FAILURE_CORE_DUMP
                                    : SERVICE_FAILURE_SIGNAL;
}

static void log_exit(ManagedUnit *unit, const char *what, int code, int status) {
        char text[EXIT_STATUS_TEXT_MAX];

        exit_status_format(code, status, text);
        unit_log_with(
                unit, LOG_NOTICE,
                (.id = MESSAGE_PROCESS_EXIT, .fields = { { "EXIT_CODE", exit_code_word(code), SIZE_MAX },
                                                         { "EXIT_STATUS", text, SIZE_MAX } }),
                "%s: %s process exited, code=%s, status=%s", unit->name, what, exit_code_word(code), text);
}

/* Whether nobody is left who would have to be waited for at the very end. */
static bool all_are_gone(const Service *service) {
        const KillMode mode = (KillMode)service_settings_of(service)->kill_mode;
        const bool group_counts =
                mode == KILL_CONTROL_GROUP || (mode == KILL_MIXED && service->state == SERVICE_FINAL_SIGKILL);

        return !service->main && !service->control && !(group_counts && service_group_is_populated(service));
}

static void main_ended_in_start(Service *service, ServiceResult result, bool executed) {
        const ServiceSettings *const settings = service_settings_of(service);

        switch (settings->type) {
        case SERVICE_ONESHOT:
                if (result == SERVICE_SUCCESS && service->n_begun < service->commands.n_items) {
                        if (service_commands_next(service) < 0)
                                service_enter_signal(service, SERVICE_STOP_SIGTERM,
                                                     SERVICE_FAILURE_RESOURCES);
                        else
                                (void)unit_state_write(service->unit);
                        return;
                }
                if (result == SERVICE_SUCCESS)
                        service_enter_start_post(service);
                else
                        service_enter_signal(service, SERVICE_STOP_SIGTERM, result);
                return;
        case SERVICE_NOTIFY:
                /* It has not said that it has started. */
                service_enter_signal(service, SERVICE_STOP_SIGTERM,
                                     result == SERVICE_SUCCESS ? SERVICE_FAILURE_PROTOCOL : result);
                return;
        case SERVICE_EXEC:
                if (executed)
                        service_enter_running(service, result);
                else
                        service_enter_signal(service, SERVICE_STOP_SIGTERM, result);
                return;
        default:
                service_enter_running(service, result);
        }
}

static void main_ended(Service *service, ServiceResult result, bool executed) {
        service_fail(service, result);
        switch (service->state) {
        case SERVICE_IN_START:
                main_ended_in_start(service, result, executed);
                break;
        case SERVICE_RUNNING:
                service_enter_running(service, result);
                break;
        case SERVICE_IN_RELOAD:
                /* One that it has told of by itself has no command that would end. */
                if (!service->control)
                        service_enter_running(service, result);
                break;
        case SERVICE_STOP_WATCHDOG:
        case SERVICE_STOP_SIGTERM:
        case SERVICE_STOP_SIGKILL:
                if (!service->control)
                        service_enter_stop_post(service, SERVICE_SUCCESS);
                break;
        case SERVICE_FINAL_SIGTERM:
        case SERVICE_FINAL_SIGKILL:
                if (all_are_gone(service))
                        service_enter_dead(service, SERVICE_SUCCESS);
                break;
        default:
                break; /* the control process that runs comes first */
        }
}

/* The first process of a service that forks is done: its child is the service. */
static void forked(Service *service, ServiceResult result) {
        if (result != SERVICE_SUCCESS) {
                service_enter_signal(service, SERVICE_STOP_SIGTERM, result);
                return;
        }
        const int r = service_find_main(service);
        if (r == -EAGAIN)
                (void)unit_state_write(service->unit);
        else if (r < 0)
                service_enter_signal(service, SERVICE_STOP_SIGTERM, SERVICE_FAILURE_RESOURCES);
        else
                service_enter_start_post(service);
}

static void control_ended(Service *service, ServiceResult result) {
        if (result == SERVICE_SUCCESS && service->n_begun < service->commands.n_items) {
                if (service_commands_next(service) > 0) {
                        (void)unit_state_write(service->unit);
                        return;
                }
                result = SERVICE_FAILURE_RESOURCES;
        }
        switch (service->state) {
        case SERVICE_IN_CONDITION:
                if (result == SERVICE_SUCCESS)
                        service_enter_start_pre(service);
                else
                        service_enter_signal(service, SERVICE_STOP_SIGTERM, result);
                break;
        case SERVICE_IN_START_PRE:
                if (result == SERVICE_SUCCESS)
                        service_enter_start(service);
                else
                        service_enter_signal(service, SERVICE_STOP_SIGTERM, result);
                break;
        case SERVICE_IN_START:
                forked(service, result);
                break;
        case SERVICE_IN_START_POST:
                service_enter_running(service, result);
                break;
        case SERVICE_IN_RELOAD:
                if (service->reload_result == SERVICE_SUCCESS)
                        service->reload_result = result;
                service_enter_running(service, SERVICE_SUCCESS);
                break;
        case SERVICE_IN_STOP:
                service_enter_signal(service, SERVICE_STOP_SIGTERM, result);
                break;
        case SERVICE_STOP_WATCHDOG:
        case SERVICE_STOP_SIGTERM:
        case SERVICE_STOP_SIGKILL:
                if (!service->main)
                        service_enter_stop_post(service, SERVICE_SUCCESS);
                break;
        case SERVICE_IN_STOP_POST:
                service_enter_signal(service, SERVICE_FINAL_SIGTERM, result);
                break;
        case SERVICE_FINAL_SIGTERM:
        case SERVICE_FINAL_SIGKILL:
                if (all_are_gone(service))
                        service_enter_dead(service, SERVICE_SUCCESS);
                break;
        default:
                break;
        }
}

void service_process_ended(Process *process, int code, int status) {
        ManagedUnit *const unit = process->unit;
        Service *const service = unit->service;
        const bool is_main = process == service->main, executed = !process->failed_to_execute;
        ServiceResult result = result_of(service, is_main, code, status);

        /* What it said before it ended comes first. */
        log_pipe_read(service->log);
        if (result != SERVICE_SUCCESS && result != SERVICE_SKIP_CONDITION)
                log_exit(unit, is_main ? "Main" : "Control", code, status);
        if (process->ignores_failure)
                result = SERVICE_SUCCESS;
        if (is_main) {
                service->main = NULL;
                service->main_code = code;
                service->main_status = status;
                service->main_ended = time_realtime();
                service->main_ended_monotonic = time_monotonic();
        } else
                service->control = NULL;
        process_free(process);
        managed_unit_changed(unit);
        if (is_main)
                main_ended(service, result, executed);
        else
                control_ended(service, result);
}

void service_process_executed(Process *process) {
        Service *const service = process->unit->service;

        if (process == service->main && service->state == SERVICE_IN_START && !process->failed_to_execute &&
            service_settings_of(service)->type == SERVICE_EXEC)
                service_enter_start_post(service);
}

void service_group_empty(Service *service) {
        if (service->main || service->control)
                return;
        switch (service->state) {
        case SERVICE_IN_START:
                /* It waits for PIDFile=, which nobody is left to write. */
                if (service->pid_file) {
                        unit_log(service->unit, LOG_WARNING,
                                 "%s: All processes have ended before one of them wrote %s",
                                 service->unit->name, service_settings_of(service)->pid_file);
                        service_enter_signal(service, SERVICE_STOP_SIGTERM, SERVICE_FAILURE_PROTOCOL);
                }
                break;
        case SERVICE_RUNNING:
        case SERVICE_IN_RELOAD:
                service_enter_running(service, SERVICE_SUCCESS);
                break;
        case SERVICE_STOP_WATCHDOG:
        case SERVICE_STOP_SIGTERM:
        case SERVICE_STOP_SIGKILL:
                service_enter_stop_post(service, SERVICE_SUCCESS);
                break;
        case SERVICE_FINAL_SIGTERM:
        case SERVICE_FINAL_SIGKILL:
                service_enter_dead(service, SERVICE_SUCCESS);
                break;
        case SERVICE_DEAD:
        case SERVICE_STATE_FAILED:
                /* What was left to itself has ended as well. */
                service_release(service, true);
                unit_state_update(service->unit);
                managed_unit_unused(service->unit);
                break;
        default:
                break;
        }
}

/* A state in which a command is at work that is no main process. */
static bool has_control_state(ServiceState state) {
        return state == SERVICE_IN_CONDITION || state == SERVICE_IN_START_PRE ||
               state == SERVICE_IN_START_POST || state == SERVICE_IN_RELOAD || state == SERVICE_IN_STOP ||
               state == SERVICE_IN_STOP_POST;
}

static void resume_start(Service *service, ServiceResult result) {
        const ServiceType type = (ServiceType)service_settings_of(service)->type;

        if (type == SERVICE_FORKING) {
                if (!service->control)
                        control_ended(service, result);
        } else if (!service->main)
                main_ended(service, result, true);
        else if (type == SERVICE_EXEC || type == SERVICE_SIMPLE)
                service_enter_start_post(service);
}

static void resume_group(Service *service) {
        if (service->cgroup && !service->main && !service->control && !service_group_is_populated(service))
                service_group_empty(service);
}

void service_resume(Service *service, bool lost) {
        const ServiceResult result = lost ? SERVICE_FAILURE_RESOURCES : SERVICE_SUCCESS;

        if (service->state == SERVICE_IN_START)
                resume_start(service, result);
        else if (has_control_state(service->state)) {
                if (!service->control)
                        control_ended(service, result);
        } else if (service->state == SERVICE_RUNNING) {
                if (!service->main)
                        service_enter_running(service, SERVICE_SUCCESS);
        } else if (service->state == SERVICE_CLEANING)
                service_enter_dead(service, SERVICE_SUCCESS);
        else if (service->state == SERVICE_AUTO_RESTART && service->deadline == UINT64_MAX)
                service_wait_for_restart(service);
        else
                resume_group(service);
}
