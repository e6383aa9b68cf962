/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/strv.h"
#include "base/text.h"
#include "base/time-span.h"
#include "manager/service-state.h"
#include "manager/unit-log.h"

void service_enter_stop(Service *service, ServiceResult result) {
        service_fail(service, result);
        service_stop_watchdog(service);
        service_set_timer(service, service_stop_timeout(service));

        const int r = service_commands_begin(service, SERVICE_STOP);
        if (r > 0)
                service_set_state(service, SERVICE_IN_STOP);
        else
                service_enter_signal(service, SERVICE_STOP_SIGTERM,
                                     r < 0 ? SERVICE_FAILURE_RESOURCES : SERVICE_SUCCESS);
}

static int signal_of(const Service *service, ServiceState state) {
        const UnitSettings *const settings = service_settings_of(service);

        if (state == SERVICE_STOP_WATCHDOG)
                return SIGABRT;
        if (service_state_is(state, STATE_IS_HARD))
                return settings->final_kill_signal ?: SIGKILL;
        return settings->kill_signal ?: SIGTERM;
}

/* Those that were not started by us as well: only what is known by its descriptor is certain to be what was meant. */
static void kill_process(const Process *process, int signal) {
        if (process)
                (void)syscall(SYS_pidfd_send_signal, process->pid_fd, signal, NULL, 0U);
}

static bool kills_group(const Service *service, ServiceState state) {
        const KillMode mode = (KillMode)service_settings_of(service)->kill_mode;

        return mode == KILL_CONTROL_GROUP || (mode == KILL_MIXED && service_state_is(state, STATE_IS_HARD));
}

static void send_signal(const Service *service, ServiceState state, int signal) {
        const Process *const processes[] = { service->main, service->control };
        const bool group = kills_group(service, state);

        if (group)
                (void)service_kill_group(service, signal, 0);
        /* One that is out of the group is meant all the same, and who is in it does not get the signal twice. */
        for (size_t i = 0; i < ELEMENTSOF(processes); i++)
                if (processes[i] && !(group && !service_state_is(state, STATE_IS_HARD) &&
                                      service_group_has(service, processes[i]->pid)))
                        kill_process(processes[i], signal);
}

/* True when the end of somebody is to be waited for. */
static bool service_kill(const Service *service, ServiceState state) {
        const UnitSettings *const settings = service_settings_of(service);
        const int signal = signal_of(service, state);

        if (settings->kill_mode == KILL_NONE)
                return false;
        if (!service->main && !service->control &&
            !(kills_group(service, state) && service_group_is_populated(service)))
                return false;
        send_signal(service, state, signal);
        if (!service_state_is(state, STATE_IS_HARD) && state != SERVICE_STOP_WATCHDOG &&
            settings->send_sighup)
                send_signal(service, state, SIGHUP);
        /* What is stopped does not hear anything else. */
        if (signal != SIGKILL && signal != SIGCONT)
                send_signal(service, state, SIGCONT);
        return true;
}

/* Nobody whose end would have to be waited for. With KillMode=mixed there may still be others, who are killed alone. */
static void enter_without_victims(Service *service, ServiceState state) {
        if (!service_state_is(state, STATE_IS_HARD) && service_settings_of(service)->send_sigkill != TRUTH_NO)
                service_enter_signal(service,
                                     service_state_is(state, STATE_IS_FINAL) ? SERVICE_FINAL_SIGKILL
                                                                             : SERVICE_STOP_SIGKILL,
                                     SERVICE_SUCCESS);
        else if (service_state_is(state, STATE_IS_FINAL))
                service_enter_dead(service, SERVICE_SUCCESS);
        else
                service_enter_stop_post(service, SERVICE_SUCCESS);
}

void service_enter_signal(Service *service, ServiceState state, ServiceResult result) {
        service_fail(service, result);
        service_stop_watchdog(service);
        service_forget_pid_file(service);
        exec_command_list_done(&service->commands);
        service->commands = (ExecCommandList){};
        service->kind = SERVICE_COMMANDS;
        service->n_begun = 0;

        if (service_kill(service, state)) {
                service_set_timer(service, service_stop_timeout(service));
                service_set_state(service, state);
        } else
                enter_without_victims(service, state);
}

void service_enter_stop_post(Service *service, ServiceResult result) {
        service_fail(service, result);
        service_set_timer(service, service_stop_timeout(service));

        const int r = service_commands_begin(service, SERVICE_STOP_POST);
        if (r > 0)
                service_set_state(service, SERVICE_IN_STOP_POST);
        else
                service_enter_signal(service, SERVICE_FINAL_SIGTERM,
                                     r < 0 ? SERVICE_FAILURE_RESOURCES : SERVICE_SUCCESS);
}

void service_enter_dead(Service *service, ServiceResult result) {
        service_fail(service, result);
        service_set_timer(service, TIME_SPAN_INFINITY);
        service_stop_watchdog(service);
        service_forget_pid_file(service);
        service_remove_pid_file(service);
        service_clean(service);
}

static void enter_after_timeout(Service *service, ServiceState next) {
        const bool may_kill = service_settings_of(service)->send_sigkill != TRUTH_NO;

        switch (next) {
        case SERVICE_IN_STOP:
                service_enter_stop(service, SERVICE_FAILURE_TIMEOUT);
                return;
        case SERVICE_IN_STOP_POST:
                service_enter_stop_post(service, SERVICE_FAILURE_TIMEOUT);
                return;
        case SERVICE_DEAD:
                service_enter_dead(service, SERVICE_FAILURE_TIMEOUT);
                return;
        case SERVICE_STOP_SIGKILL:
                if (!may_kill) {
                        service_enter_stop_post(service, SERVICE_FAILURE_TIMEOUT);
                        return;
                }
                break;
        case SERVICE_FINAL_SIGKILL:
                if (!may_kill) {
                        service_enter_dead(service, SERVICE_FAILURE_TIMEOUT);
                        return;
                }
                break;
        default:
                break;
        }
        service_enter_signal(service, next, SERVICE_FAILURE_TIMEOUT);
}

static void reload_timed_out(Service *service) {
        unit_log(service->unit, LOG_WARNING, "%s: Reload operation timed out. Killing reload process.",
                 service->unit->name);
        kill_process(service->control, SIGKILL);
        service->reload_result = SERVICE_FAILURE_TIMEOUT;
        if (!service->control)
                service_enter_running(service, SERVICE_SUCCESS);
}

void service_timed_out(Service *service) {
        const ServiceStateRow *const row = service_state_row(service->state);

        if (service->state == SERVICE_AUTO_RESTART)
                service_restart_now(service);
        else if (service->state == SERVICE_IN_RELOAD)
                reload_timed_out(service);
        else if (row->timeout_text) {
                unit_log(service->unit, LOG_WARNING, "%s: %s", service->unit->name, row->timeout_text);
                enter_after_timeout(service, row->after_timeout);
        }
}

void service_watchdog_expired(Service *service) {
        char limit[TIME_SPAN_TEXT_MAX];

        time_span_format(service->watchdog_usec, 1000, limit);
        unit_log(service->unit, LOG_ERR, "%s: Watchdog timeout (limit %s)!", service->unit->name, limit);
        service_enter_signal(service, SERVICE_STOP_WATCHDOG, SERVICE_FAILURE_WATCHDOG);
}

/* "main-fail": it is an error when there is none, as it always is here. */
static const char *const kill_whom[] = { "main", "main-fail", "control", "control-fail",
                                         "all",  "all-fail",  NULL };

int managed_unit_kill(ManagedUnit *unit, const char *who, int signal, Reason *reason) {
        const Service *const service = unit->service;

        if (!strv_contains(kill_whom, who))
                return reason_set(reason, -EINVAL, "\"%s\" is none of \"main\", \"control\" and \"all\"",
                                  who);
        if (signal < 1 || signal >= _NSIG)
                return reason_set(reason, -EINVAL, "There is no signal %d: they are numbered from 1 to %d",
                                  signal, _NSIG - 1);
        if (!service || !service->cgroup)
                return reason_set(reason, -ESRCH, "Unit %s has no processes", unit->name);
        if (text_after_prefix(who, "all"))
                return service_kill_group(service, signal, 0);
        const Process *const process = text_after_prefix(who, "main") ? service->main : service->control;
        if (!process)
                return reason_set(reason, -ESRCH, "Unit %s has no %s process", unit->name,
                                  text_after_prefix(who, "main") ? "main" : "control");
        return syscall(SYS_pidfd_send_signal, process->pid_fd, signal, NULL, 0U) < 0 ? -errno : 0;
}
