/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <signal.h>
#include <sys/wait.h>

#include "base/strv.h"
#include "manager/log-pipe.h"
#include "manager/service-state.h"
#include "manager/unit-log.h"
#include "manager/unit-state.h"
#include "unit/exit-status-set.h"

static ServiceResult result_of(const Service *service, bool is_main, int code, int status) {
        const UnitSettings *const settings = service_settings_of(service);
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

static void main_ended(Service *service, ServiceResult result, bool executed) {
        const ServiceStateRow *const row = service_state_row(service->state);

        service_fail(service, result);
        if (row->main_ended)
                row->main_ended(service, result, executed);
        else if (row->somebody_ended)
                row->somebody_ended(service);
}

static void control_ended(Service *service, ServiceResult result) {
        const ServiceStateRow *const row = service_state_row(service->state);

        if (result == SERVICE_SUCCESS && service->n_begun < service->commands.n_items) {
                if (service_commands_next(service) > 0) {
                        (void)unit_state_write(service->unit);
                        return;
                }
                result = SERVICE_FAILURE_RESOURCES;
        }
        if (row->control_ended)
                row->control_ended(service, result);
        else if (row->somebody_ended)
                row->somebody_ended(service);
}

void service_process_ended(Process *process, int code, int status) {
        ManagedUnit *const unit = process->unit;
        Service *const service = unit->service;
        const bool is_main = process == service->main, executed = !process->failed_to_execute;
        ServiceResult result = result_of(service, is_main, code, status);

        /* One that has put another in its place goes in peace. */
        if (is_main && service_follow_pid_file(service))
                return;
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
        const ServiceStateRow *const row = service_state_row(service->state);

        if (service->main || service->control)
                return;
        if (row->group_ended)
                row->group_ended(service);
        else if (row->somebody_ended)
                row->somebody_ended(service);
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
        else if (service_state_is(service->state, STATE_HAS_COMMAND)) {
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
