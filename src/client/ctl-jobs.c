/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <systemd/sd-bus.h>

#include "base/log.h"
#include "base/parse.h"
#include "base/text.h"
#include "client/bus-client.h"
#include "client/ctl.h"
#include "unit/unit-name.h"

/* What changes the state of units. */

static int complete(const char *word, char **ret) {
        const int r = unit_name_complete(word, ret);
        return r == -EINVAL ? log_error(r, "\"%s\" is no name of a unit", word) : r;
}

/* What the manager calls it, and what people do. */
static const struct {
        const char *method, *verb;
} jobs[] = {
        [CTL_START] = { "StartUnit", "start" },       [CTL_STOP] = { "StopUnit", "stop" },
        [CTL_RESTART] = { "RestartUnit", "restart" }, [CTL_TRY_RESTART] = { "TryRestartUnit", "restart" },
        [CTL_RELOAD] = { "ReloadUnit", "reload" },
};

static int ask_job(const CtlOptions *options, sd_bus *bus, JobWait *wait, CtlJob job, const char *word) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        _cleanup_(freep) char *name = NULL;
        const char *path;

        int r = complete(word, &name);
        if (r < 0)
                return r;
        r = sd_bus_call_method(bus, NULL, BUS_OBJECT, BUS_INTERFACE_MANAGER, jobs[job].method, &error, &reply,
                               "ss", name, options->job_mode ?: "replace");
        if (r < 0) {
                (void)log_error(r, "Cannot %s %s: %s", jobs[job].verb, name, error.message ?: strerror(-r));
                return sd_bus_error_has_name(&error, BUS_ERROR_NO_SUCH_UNIT) ? CTL_NOT_LOADED : r;
        }
        r = sd_bus_message_read(reply, "o", &path);
        return r < 0 ? r : job_wait_add(wait, path, name);
}

int ctl_run_jobs(const CtlOptions *options, sd_bus *bus, CtlJob job, char *const *units) {
        _cleanup_(job_wait_freep) JobWait *wait = NULL;
        int failure = 0;

        int r = job_wait_new(bus, &wait);
        if (r < 0)
                return r;
        for (char *const *unit = units; *unit; unit++) {
                r = ask_job(options, bus, wait, job, *unit);
                if (r != 0)
                        failure = r;
        }
        if (options->no_block)
                return failure;
        r = job_wait_all(wait);
        return failure != 0 ? failure : r;
}

int ctl_start(const CtlOptions *options, sd_bus *bus, char *const *words) {
        return ctl_run_jobs(options, bus, CTL_START, words);
}

int ctl_stop(const CtlOptions *options, sd_bus *bus, char *const *words) {
        return ctl_run_jobs(options, bus, CTL_STOP, words);
}

int ctl_restart(const CtlOptions *options, sd_bus *bus, char *const *words) {
        return ctl_run_jobs(options, bus, CTL_RESTART, words);
}

int ctl_try_restart(const CtlOptions *options, sd_bus *bus, char *const *words) {
        return ctl_run_jobs(options, bus, CTL_TRY_RESTART, words);
}

int ctl_reload(const CtlOptions *options, sd_bus *bus, char *const *words) {
        return ctl_run_jobs(options, bus, CTL_RELOAD, words);
}

/* By the same rules as in unit files. */
static int parse_signal(const char *text, int *ret) {
        const Setting setting = { .name = "signal", .type = &setting_type_signal };

        const int r = setting_type_signal.parse(&setting, text, ret, NULL);
        return r < 0 ? log_error(r, "--signal=%s is no signal", text) : r;
}

int ctl_kill(const CtlOptions *options, sd_bus *bus, char *const *words) {
        int signal_number = 0, failure = 0;

        int r = parse_signal(options->signal ?: "SIGTERM", &signal_number);
        for (char *const *word = words; r >= 0 && *word; word++) {
                _cleanup_(freep) char *name = NULL;

                r = complete(*word, &name);
                if (r >= 0 && bus_client_call(bus, "KillUnit", NULL, "ssi", name, ctl_options_whom(options),
                                              signal_number) < 0)
                        failure = -EIO;
        }
        return r < 0 ? r : failure;
}

int ctl_reset_failed(const CtlOptions *options, sd_bus *bus, char *const *words) {
        int failure = 0, r = 0;

        if (!words[0])
                return bus_client_call(bus, "ResetFailed", NULL, "") < 0 ? -EIO : 0;
        for (char *const *word = words; r >= 0 && *word; word++) {
                _cleanup_(freep) char *name = NULL;

                r = complete(*word, &name);
                if (r >= 0 && bus_client_call(bus, "ResetFailedUnit", NULL, "s", name) < 0)
                        failure = -EIO;
        }
        return r < 0 ? r : failure;
}

int ctl_cancel(const CtlOptions *options, sd_bus *bus, char *const *words) {
        int failure = 0;

        if (!words[0])
                return bus_client_call(bus, "ClearJobs", NULL, "") < 0 ? -EIO : 0;
        for (char *const *word = words; *word; word++) {
                uint64_t id;

                if (parse_uint64(*word, &id) < 0 || id > UINT32_MAX)
                        failure = log_error(-EINVAL, "\"%s\" is no number of a job: see list-jobs", *word);
                else if (bus_client_call(bus, "CancelJob", NULL, "u", (uint32_t)id) < 0)
                        failure = -EIO;
        }
        return failure;
}

int ctl_daemon_reload(const CtlOptions *options, sd_bus *bus, char *const *words) {
        return bus_client_call(bus, "Reload", NULL, "") < 0 ? -EIO : 0;
}

static int append_assignment(sd_bus_message *message, const char *word) {
        _cleanup_(freep) char *name = NULL;
        const char *value = strchr(word, '=');

        if (!value || value == word)
                return log_error(-EINVAL, "\"%s\" is no assignment: say NAME=VALUE", word);
        const int r = text_format(&name, "%.*s", (int)(value - word), word);
        return r < 0 ? r : sd_bus_message_append(message, "(sv)", name, "s", value + 1);
}

int ctl_set_property(const CtlOptions *options, sd_bus *bus, char *const *words) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *message = NULL;
        _cleanup_(freep) char *name = NULL;

        int r = complete(words[0], &name);
        if (r >= 0)
                r = sd_bus_message_new_method_call(bus, &message, NULL, BUS_OBJECT, BUS_INTERFACE_MANAGER,
                                                   "SetUnitProperties");
        if (r >= 0)
                r = sd_bus_message_append(message, "sb", name, (int)options->runtime_only);
        if (r >= 0)
                r = sd_bus_message_open_container(message, 'a', "(sv)");
        for (char *const *word = words + 1; r >= 0 && *word; word++)
                r = append_assignment(message, *word);
        if (r >= 0)
                r = sd_bus_message_close_container(message);
        return r < 0 ? r : bus_client_send(bus, message, NULL) < 0 ? -EIO : 0;
}
