/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "manager/service-state.h"
#include "manager/unit-log.h"
#include "manager/unit-state.h"

/* clang-format off */
const char *const service_state_words[SERVICE_STATE_MAX] = {
        "dead", "condition", "start-pre", "start", "start-post", "running", "exited", "reload", "stop", "stop-watchdog",
        "stop-sigterm", "stop-sigkill", "stop-post", "final-sigterm", "final-sigkill", "failed", "auto-restart", "cleaning",
};
/* clang-format on */

/* On the way up */

static void condition_ended(Service *service, ServiceResult result) {
        if (result == SERVICE_SUCCESS)
                service_enter_start_pre(service);
        else
                service_enter_signal(service, SERVICE_STOP_SIGTERM, result);
}

static void start_pre_ended(Service *service, ServiceResult result) {
        if (result == SERVICE_SUCCESS)
                service_enter_start(service);
        else
                service_enter_signal(service, SERVICE_STOP_SIGTERM, result);
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

static void oneshot_ended(Service *service, ServiceResult result) {
        if (result != SERVICE_SUCCESS)
                service_enter_signal(service, SERVICE_STOP_SIGTERM, result);
        else if (service->n_begun >= service->commands.n_items)
                service_enter_start_post(service);
        else if (service_commands_next(service) < 0)
                service_enter_signal(service, SERVICE_STOP_SIGTERM, SERVICE_FAILURE_RESOURCES);
        else
                (void)unit_state_write(service->unit);
}

static void main_ended_in_start(Service *service, ServiceResult result, bool executed) {
        const ServiceType type = (ServiceType)service_settings_of(service)->type;

        if (type == SERVICE_ONESHOT)
                oneshot_ended(service, result);
        else if (type == SERVICE_NOTIFY)
                /* It has not said that it has started. */
                service_enter_signal(service, SERVICE_STOP_SIGTERM,
                                     result == SERVICE_SUCCESS ? SERVICE_FAILURE_PROTOCOL : result);
        else if (type == SERVICE_EXEC && !executed)
                service_enter_signal(service, SERVICE_STOP_SIGTERM, result);
        else
                service_enter_running(service, result);
}

/* It waits for PIDFile=, which nobody is left to write. */
static void group_ended_in_start(Service *service) {
        if (!service->pid_file)
                return;
        unit_log(service->unit, LOG_WARNING, "%s: All processes have ended before one of them wrote %s",
                 service->unit->name, service_settings_of(service)->pid_file);
        service_enter_signal(service, SERVICE_STOP_SIGTERM, SERVICE_FAILURE_PROTOCOL);
}

/* While it is there */

static void main_ended_in_running(Service *service, ServiceResult result, bool executed) {
        service_enter_running(service, result);
}

/* One that it has told of by itself has no command that would end. */
static void main_ended_in_reload(Service *service, ServiceResult result, bool executed) {
        if (!service->control)
                service_enter_running(service, result);
}

static void reload_ended(Service *service, ServiceResult result) {
        if (service->reload_result == SERVICE_SUCCESS)
                service->reload_result = result;
        (void)service_follow_pid_file(service);
        service_enter_running(service, SERVICE_SUCCESS);
}

static void group_ended_in_running(Service *service) {
        service_enter_running(service, SERVICE_SUCCESS);
}

/* On the way down */

static void stop_ended(Service *service, ServiceResult result) {
        service_enter_signal(service, SERVICE_STOP_SIGTERM, result);
}

static void stop_post_ended(Service *service, ServiceResult result) {
        service_enter_signal(service, SERVICE_FINAL_SIGTERM, result);
}

static void stopping_goes_on(Service *service) {
        if (!service->main && !service->control)
                service_enter_stop_post(service, SERVICE_SUCCESS);
}

/* Whether nobody is left who would have to be waited for at the very end. */
static void final_goes_on(Service *service) {
        const KillMode mode = (KillMode)service_settings_of(service)->kill_mode;
        const bool group_counts =
                mode == KILL_CONTROL_GROUP || (mode == KILL_MIXED && service->state == SERVICE_FINAL_SIGKILL);

        if (!service->main && !service->control && !(group_counts && service_group_is_populated(service)))
                service_enter_dead(service, SERVICE_SUCCESS);
}

const ServiceStateRow service_state_rows[SERVICE_STATE_MAX] = {
        [SERVICE_DEAD] = {
                .active = UNIT_INACTIVE,
                .flags = STATE_LASTS | STATE_IS_EMPTY,
                .group_ended = service_clean_left_behind,
        },
        [SERVICE_IN_CONDITION] = {
                .active = UNIT_ACTIVATING,
                .flags = STATE_HAS_COMMAND,
                .after_timeout = SERVICE_STOP_SIGTERM,
                .timeout_text = "condition operation timed out. Terminating.",
                .control_ended = condition_ended,
        },
        [SERVICE_IN_START_PRE] = {
                .active = UNIT_ACTIVATING,
                .flags = STATE_HAS_COMMAND,
                .after_timeout = SERVICE_STOP_SIGTERM,
                .timeout_text = "start-pre operation timed out. Terminating.",
                .control_ended = start_pre_ended,
        },
        [SERVICE_IN_START] = {
                .active = UNIT_ACTIVATING,
                .after_timeout = SERVICE_STOP_SIGTERM,
                .timeout_text = "start operation timed out. Terminating.",
                .main_ended = main_ended_in_start,
                .control_ended = forked,
                .group_ended = group_ended_in_start,
        },
        [SERVICE_IN_START_POST] = {
                .active = UNIT_ACTIVATING,
                .flags = STATE_HAS_COMMAND,
                .after_timeout = SERVICE_STOP_SIGTERM,
                .timeout_text = "start-post operation timed out. Terminating.",
                .control_ended = service_enter_running,
        },
        [SERVICE_RUNNING] = {
                .active = UNIT_ACTIVE,
                .after_timeout = SERVICE_IN_STOP,
                .timeout_text = "Service reached runtime time limit. Stopping.",
                .main_ended = main_ended_in_running,
                .group_ended = group_ended_in_running,
        },
        [SERVICE_EXITED] = {
                .active = UNIT_ACTIVE,
                .flags = STATE_LASTS,
        },
        [SERVICE_IN_RELOAD] = {
                .active = UNIT_RELOADING,
                .flags = STATE_HAS_COMMAND,
                .main_ended = main_ended_in_reload,
                .control_ended = reload_ended,
                .group_ended = group_ended_in_running,
        },
        [SERVICE_IN_STOP] = {
                .active = UNIT_DEACTIVATING,
                .flags = STATE_HAS_COMMAND,
                .after_timeout = SERVICE_STOP_SIGTERM,
                .timeout_text = "Stopping timed out. Terminating.",
                .control_ended = stop_ended,
        },
        [SERVICE_STOP_WATCHDOG] = {
                .active = UNIT_DEACTIVATING,
                .after_timeout = SERVICE_STOP_SIGKILL,
                .timeout_text = "State 'stop-watchdog' timed out. Killing.",
                .somebody_ended = stopping_goes_on,
        },
        [SERVICE_STOP_SIGTERM] = {
                .active = UNIT_DEACTIVATING,
                .after_timeout = SERVICE_STOP_SIGKILL,
                .timeout_text = "State 'stop-sigterm' timed out. Killing.",
                .somebody_ended = stopping_goes_on,
        },
        [SERVICE_STOP_SIGKILL] = {
                .active = UNIT_DEACTIVATING,
                .flags = STATE_IS_HARD,
                .after_timeout = SERVICE_IN_STOP_POST,
                .timeout_text = "Processes still around after SIGKILL. Ignoring.",
                .somebody_ended = stopping_goes_on,
        },
        [SERVICE_IN_STOP_POST] = {
                .active = UNIT_DEACTIVATING,
                .flags = STATE_HAS_COMMAND,
                .after_timeout = SERVICE_FINAL_SIGTERM,
                .timeout_text = "State 'stop-post' timed out. Terminating.",
                .control_ended = stop_post_ended,
        },
        [SERVICE_FINAL_SIGTERM] = {
                .active = UNIT_DEACTIVATING,
                .flags = STATE_IS_FINAL,
                .after_timeout = SERVICE_FINAL_SIGKILL,
                .timeout_text = "State 'final-sigterm' timed out. Killing.",
                .somebody_ended = final_goes_on,
        },
        [SERVICE_FINAL_SIGKILL] = {
                .active = UNIT_DEACTIVATING,
                .flags = STATE_IS_FINAL | STATE_IS_HARD,
                .after_timeout = SERVICE_DEAD,
                .timeout_text = "Processes still around after final SIGKILL. Entering failed mode.",
                .somebody_ended = final_goes_on,
        },
        [SERVICE_STATE_FAILED] = {
                .active = UNIT_FAILED,
                .flags = STATE_LASTS | STATE_IS_EMPTY,
                .group_ended = service_clean_left_behind,
        },
        [SERVICE_AUTO_RESTART] = {
                .active = UNIT_ACTIVATING,
                .flags = STATE_IS_EMPTY,
                .group_ended = service_clean_left_behind,
        },
        [SERVICE_CLEANING] = {
                .active = UNIT_DEACTIVATING,
        },
};
