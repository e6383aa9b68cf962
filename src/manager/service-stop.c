/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/text.h"
#include "base/time-span.h"
#include "manager/service.h"
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

static bool is_final(ServiceState state) {
        return state == SERVICE_FINAL_SIGTERM || state == SERVICE_FINAL_SIGKILL;
}

static bool is_hard(ServiceState state) {
        return state == SERVICE_STOP_SIGKILL || state == SERVICE_FINAL_SIGKILL;
}

static int signal_of(const Service *service, ServiceState state) {
        const ServiceSettings *const settings = service_settings_of(service);

        if (state == SERVICE_STOP_WATCHDOG)
                return SIGABRT;
        if (is_hard(state))
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

        return mode == KILL_CONTROL_GROUP || (mode == KILL_MIXED && is_hard(state));
}

static void send_signal(const Service *service, ServiceState state, int signal) {
        if (kills_group(service, state)) {
                (void)service_kill_group(service, signal, 0);
                /* One that has left the group is meant all the same. */
                if (!is_hard(state))
                        return;
        }
        kill_process(service->main, signal);
        kill_process(service->control, signal);
}

/* True when the end of somebody is to be waited for. */
static bool service_kill(const Service *service, ServiceState state) {
        const ServiceSettings *const settings = service_settings_of(service);
        const int signal = signal_of(service, state);

        if (settings->kill_mode == KILL_NONE)
                return false;
        if (!service->main && !service->control &&
            !(kills_group(service, state) && service_group_is_populated(service)))
                return false;
        send_signal(service, state, signal);
        if (!is_hard(state) && state != SERVICE_STOP_WATCHDOG && settings->send_sighup)
                send_signal(service, state, SIGHUP);
        /* What is stopped does not hear anything else. */
        if (signal != SIGKILL && signal != SIGCONT)
                send_signal(service, state, SIGCONT);
        return true;
}

/* Nobody whose end would have to be waited for. With KillMode=mixed there may still be others, who are killed alone. */
static void enter_without_victims(Service *service, ServiceState state) {
        if (!is_hard(state) && service_settings_of(service)->send_sigkill != TRUTH_NO)
                service_enter_signal(service, is_final(state) ? SERVICE_FINAL_SIGKILL : SERVICE_STOP_SIGKILL,
                                     SERVICE_SUCCESS);
        else if (is_final(state))
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
        service_clean(service);
}

/* What follows when a state has lasted too long. */
typedef struct TimeoutRow {
        ServiceState state;
        ServiceState next;
        const char *text;
} TimeoutRow;

/* clang-format off */
static const TimeoutRow timeouts[] = {
        { SERVICE_IN_CONDITION, SERVICE_STOP_SIGTERM,  "condition operation timed out. Terminating." },
        { SERVICE_IN_START_PRE, SERVICE_STOP_SIGTERM,  "start-pre operation timed out. Terminating." },
        { SERVICE_IN_START, SERVICE_STOP_SIGTERM,  "start operation timed out. Terminating." },
        { SERVICE_IN_START_POST, SERVICE_STOP_SIGTERM,  "start-post operation timed out. Terminating." },
        { SERVICE_RUNNING, SERVICE_IN_STOP,       "Service reached runtime time limit. Stopping." },
        { SERVICE_IN_STOP, SERVICE_STOP_SIGTERM,  "Stopping timed out. Terminating." },
        { SERVICE_STOP_WATCHDOG, SERVICE_STOP_SIGKILL,  "State 'stop-watchdog' timed out. Killing." },
        { SERVICE_STOP_SIGTERM, SERVICE_STOP_SIGKILL,  "State 'stop-sigterm' timed out. Killing." },
        { SERVICE_STOP_SIGKILL, SERVICE_IN_STOP_POST,  "Processes still around after SIGKILL. Ignoring." },
        { SERVICE_IN_STOP_POST, SERVICE_FINAL_SIGTERM, "State 'stop-post' timed out. Terminating." },
        { SERVICE_FINAL_SIGTERM, SERVICE_FINAL_SIGKILL, "State 'final-sigterm' timed out. Killing." },
        { SERVICE_FINAL_SIGKILL, SERVICE_DEAD,          "Processes still around after final SIGKILL. Entering failed mode." },
};
/* clang-format on */

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
        if (service->state == SERVICE_AUTO_RESTART) {
                service_restart_now(service);
                return;
        }
        if (service->state == SERVICE_IN_RELOAD) {
                reload_timed_out(service);
                return;
        }
        for (size_t i = 0; i < ELEMENTSOF(timeouts); i++)
                if (timeouts[i].state == service->state) {
                        unit_log(service->unit, LOG_WARNING, "%s: %s", service->unit->name, timeouts[i].text);
                        enter_after_timeout(service, timeouts[i].next);
                        return;
                }
}

void service_watchdog_expired(Service *service) {
        char limit[TIME_SPAN_TEXT_MAX];

        time_span_format(service->watchdog_usec, 1000, limit);
        unit_log(service->unit, LOG_ERR, "%s: Watchdog timeout (limit %s)!", service->unit->name, limit);
        service_enter_signal(service, SERVICE_STOP_WATCHDOG, SERVICE_FAILURE_WATCHDOG);
}

int managed_unit_kill(ManagedUnit *unit, const char *who, int signal, Reason *reason) {
        const Service *const service = unit->service;
        const bool is_main = text_equal(who, "main"), is_control = text_equal(who, "control");
        const Process *process;

        if (!service || !service->cgroup)
                return reason_set(reason, -ESRCH, "Unit %s has no processes", unit->name);
        if (!is_main && !is_control) {
                if (!text_equal(who, "all"))
                        return reason_set(reason, -EINVAL,
                                          "\"%s\" is none of \"main\", \"control\" and \"all\"", who);
                return service_kill_group(service, signal, 0);
        }
        process = is_main ? service->main : service->control;
        if (!process)
                return reason_set(reason, -ESRCH, "Unit %s has no %s process", unit->name, who);
        return syscall(SYS_pidfd_send_signal, process->pid_fd, signal, NULL, 0U) < 0 ? -errno : 0;
}
