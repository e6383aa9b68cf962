/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <systemd/sd-event.h>

#include "base/fd.h"
#include "base/time-span.h"
#include "manager/service-cgroup.h"
#include "manager/service-state.h"

/* clang-format off */
const char *const service_command_words[SERVICE_COMMANDS + 1] = {
        "condition", "start-pre", "start", "start-post", "reload", "stop", "stop-post", "none",
};
const char *const service_result_words[SERVICE_RESULT_MAX] = {
        "success", "resources", "protocol", "timeout", "exit-code", "signal", "core-dump", "watchdog", "start-limit-hit", "exec-condition",
};

/* clang-format on */

UnitActiveState service_active_state(ServiceState state) {
        return service_state_row(state)->active;
}

int service_new(ManagedUnit *unit, Service **ret) {
        Service *const service = calloc(1, sizeof(Service));

        if (!service)
                return -ENOMEM;
        service->unit = unit;
        service->events_fd = service->cleaner_fd = service->cleaner_report_fd = -EBADF;
        for (size_t i = 0; i < ELEMENTSOF(service->standard); i++)
                service->standard[i] = -EBADF;
        service->kind = SERVICE_COMMANDS;
        service->deadline = UINT64_MAX;
        service->cpu_nsec = UINT64_MAX;
        *ret = service;
        return 0;
}

void service_close_standard(Service *service) {
        for (size_t i = 0; i < ELEMENTSOF(service->standard); i++)
                service->standard[i] = fd_close(service->standard[i]);
}

void service_free(Service *service) {
        if (!service)
                return;
        process_free(service->main);
        process_free(service->control);
        exec_command_list_done(&service->commands);
        service_release(service, !managed_unit_is_active(service->unit) && !service->cleaner &&
                                         !service_group_is_populated(service));
        service_forget_pid_file(service);
        sd_event_source_disable_unref(service->timer);
        sd_event_source_disable_unref(service->watchdog);
        service_forget_cleaner(service);
        service_close_standard(service);
        free(service->program);
        free(service->user_name);
        free(service->status_text);
        free(service->failure);
        free(service);
}

int service_check(const Unit *unit, Reason *reason) {
        const UnitSettings *const settings = &unit->settings;

        for (ServiceCommand kind = 0; kind < SERVICE_COMMANDS; kind++)
                for (char *const *line = settings->commands[kind]; line && *line; line++) {
                        _cleanup_(exec_command_list_done) ExecCommandList commands = {};
                        _cleanup_(reason_done) Reason why = {};

                        const int r = exec_command_parse(*line, unit->name, &commands, &why);
                        if (r == -ENOMEM)
                                return r;
                        if (r < 0)
                                return reason_set(reason, -EBADMSG, "%s: \"%s\" is no command line: %s",
                                                  unit->name, *line, reason_text(&why, r));
                }
        if (settings->type == SERVICE_FORKING || settings->type == SERVICE_ONESHOT ||
            (settings->commands[SERVICE_START] && !settings->commands[SERVICE_START][1]))
                return 0;
        return reason_set(reason, -EBADMSG,
                          "%s: There is more than one ExecStart=, which only Type=oneshot may have",
                          unit->name);
}

int service_check_reload(const ManagedUnit *unit, Reason *reason) {
        if (unit->active != UNIT_ACTIVE && unit->active != UNIT_RELOADING)
                return reason_set(reason, -EPERM, "Unit %s is not active, and cannot be reloaded",
                                  unit->name);
        if (!managed_unit_settings(unit)->commands[SERVICE_RELOAD])
                return reason_set(reason, -EPERM,
                                  "Unit %s cannot be reloaded: it has no ExecReload=", unit->name);
        return 0;
}

bool service_reload_failed(const ManagedUnit *unit) {
        return unit->service && unit->service->reload_result != SERVICE_SUCCESS;
}

void service_reset_failed(ManagedUnit *unit) {
        Service *const service = unit->service;

        service->n_restarts = 0;
        if (service->state == SERVICE_STATE_FAILED) {
                service->result = SERVICE_SUCCESS;
                service->state = SERVICE_DEAD;
        }
}

void service_fail(Service *service, ServiceResult result) {
        if (service->result == SERVICE_SUCCESS)
                service->result = result;
}

void service_set_state(Service *service, ServiceState state) {
        service->state = state;
        if (service_state_is(state, STATE_LASTS))
                service_set_timer(service, TIME_SPAN_INFINITY);
        if (service_state_is(state, STATE_IS_EMPTY)) {
                process_free(TAKE_PTR(service->main));
                process_free(TAKE_PTR(service->control));
        }
        managed_unit_set_active(service->unit, service_active_state(state));
}

void service_status(const ManagedUnit *unit, UnitStatus *ret) {
        const Service *const service = unit->service;

        ret->state = service->state;
        ret->result = service->result;
        ret->cgroup = service->cgroup;
        ret->status_text = service->status_text;
        ret->failure = service->failure;
        ret->user = service->user_name;
        if (service->has_identity) {
                ret->uid = service->uid;
                ret->gid = service->gid;
        }
        ret->main_pid = service->main ? service->main->pid : 0;
        ret->control_pid = service->control ? service->control->pid : 0;
        ret->last_main_pid = service->last_main_pid;
        ret->main_code = service->main_code;
        ret->main_status = service->main_status;
        ret->main_started = service->main_started;
        ret->main_started_monotonic = service->main_started_monotonic;
        ret->main_ended = service->main_ended;
        ret->main_ended_monotonic = service->main_ended_monotonic;
        ret->n_restarts = service->n_restarts;
}

static void count_memory(const Service *service, uint64_t *ret) {
        const Controller *const controller = &service->unit->manager->controllers[CONTROLLER_MEMORY];
        _cleanup_(fd_closep) int fd = controller_open(controller, service->cgroup);

        if (fd >= 0)
                (void)controller_current(controller, fd, ret);
}

void service_count(const Service *service, UnitStatus *status) {
        const UnitSettings *const settings = service_settings_of(service);
        _cleanup_(fd_closep) int fd = -EBADF;

        if (settings->cpu_accounting == TRUTH_YES)
                status->cpu_nsec = service->cpu_nsec;
        if (!service->cgroup)
                return;
        fd = service_cgroup_open(service->unit->manager->base, service->cgroup);
        if (fd < 0)
                return;
        if (settings->cpu_accounting == TRUTH_YES)
                (void)service_cgroup_cpu_nsec(fd, &status->cpu_nsec);
        if (settings->tasks_accounting != TRUTH_NO)
                (void)service_cgroup_count_tasks(fd, &status->tasks);
        if (settings->memory_accounting == TRUTH_YES)
                count_memory(service, &status->memory);
}
