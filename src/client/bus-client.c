/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <stdarg.h>
#include <systemd/sd-bus.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/strv.h"
#include "base/text.h"
#include "base/time-span.h"
#include "bus/bus-internal.h"
#include "client/bus-client.h"

/* A manager that starts a thousand services answers late, and one that is gone is noticed at once. */
#define CALL_TIMEOUT_USEC (600 * SECOND_USEC)

static int start(sd_bus *bus, sd_bus **ret) {
        int r = sd_bus_set_method_call_timeout(bus, CALL_TIMEOUT_USEC);
        if (r >= 0)
                r = sd_bus_negotiate_fds(bus, true);
        if (r >= 0)
                r = sd_bus_start(bus);
        if (r < 0) {
                sd_bus_unref(bus);
                return r;
        }
        *ret = bus;
        return 0;
}

int bus_client_connect(const char *runtime, sd_bus **ret) {
        _cleanup_(freep) char *address = NULL;
        sd_bus *bus;

        int r = text_format(&address, "unix:path=%s/private", runtime ?: RUNTIME_DIRECTORY);
        if (r >= 0)
                r = sd_bus_new(&bus);
        if (r < 0)
                return r;
        r = sd_bus_set_address(bus, address);
        if (r < 0) {
                sd_bus_unref(bus);
                return r;
        }
        return start(bus, ret);
}

int bus_client_connect_fd(int fd, sd_bus **ret) {
        sd_bus *bus;

        int r = sd_bus_new(&bus);
        if (r < 0) {
                (void)fd_close(fd);
                return r;
        }
        r = sd_bus_set_fd(bus, fd, fd);
        if (r < 0) {
                (void)fd_close(fd);
                sd_bus_unref(bus);
                return r;
        }
        return start(bus, ret);
}

int bus_client_send(sd_bus *bus, sd_bus_message *message, sd_bus_message **ret_reply) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;

        const int r = sd_bus_call(bus, message, 0, &error, ret_reply);
        return r < 0 ? log_error(r, "%s", error.message ?: strerror(-r)) : r;
}

int bus_client_call(sd_bus *bus, const char *method, sd_bus_message **ret_reply, const char *types, ...) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *message = NULL;
        va_list arguments;

        int r = sd_bus_message_new_method_call(bus, &message, NULL, BUS_OBJECT, BUS_INTERFACE_MANAGER,
                                               method);
        if (r < 0)
                return log_error(r, "Cannot ask the manager for %s: %m", method);
        va_start(arguments, types);
        r = sd_bus_message_appendv(message, types, arguments);
        va_end(arguments);
        if (r < 0)
                return log_error(r, "Cannot ask the manager for %s: %m", method);
        return bus_client_send(bus, message, ret_reply);
}

/* Jobs */

struct JobWait {
        sd_bus *bus;
        sd_bus_slot *slot;
        char **paths, **units;   /* those that are waited for */
        char **ended, **results; /* what came, also of jobs that nobody has named yet */
};

static int on_job_removed(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        JobWait *wait = userdata;
        const char *path, *unit, *result;
        uint32_t id;

        int r = sd_bus_message_read(message, "uoss", &id, &path, &unit, &result);
        if (r >= 0)
                r = strv_append(&wait->ended, path);
        if (r >= 0)
                r = strv_append(&wait->results, result);
        return r;
}

int job_wait_new(sd_bus *bus, JobWait **ret) {
        _cleanup_(job_wait_freep) JobWait *wait = calloc(1, sizeof(*wait));

        if (!wait)
                return -ENOMEM;
        wait->bus = sd_bus_ref(bus);
        int r = sd_bus_match_signal(bus, &wait->slot, NULL, BUS_OBJECT, BUS_INTERFACE_MANAGER, "JobRemoved",
                                    on_job_removed, wait);
        if (r >= 0)
                r = bus_client_call(bus, "Subscribe", NULL, "");
        if (r < 0)
                return r;
        *ret = TAKE_PTR(wait);
        return 0;
}

void job_wait_free(JobWait *wait) {
        if (!wait)
                return;
        sd_bus_slot_unref(wait->slot);
        sd_bus_unref(wait->bus);
        strv_free(wait->paths);
        strv_free(wait->units);
        strv_free(wait->ended);
        strv_free(wait->results);
        free(wait);
}

int job_wait_add(JobWait *wait, const char *path, const char *unit) {
        const int r = strv_append(&wait->paths, path);
        return r < 0 ? r : strv_append(&wait->units, unit);
}

static const char *result_of(const JobWait *wait, const char *path) {
        for (size_t i = 0; wait->ended && wait->ended[i]; i++)
                if (text_equal(wait->ended[i], path))
                        return wait->results[i];
        return NULL;
}

/* As people are told. */
static const char *explain(const char *result) {
        static const char *const texts[][2] = {
                { "canceled", "was canceled" },
                { "assert", "failed because something that it asks for is not so" },
                { "dependency", "failed because a unit that it needs did" },
        };

        for (size_t i = 0; i < ELEMENTSOF(texts); i++)
                if (text_equal(texts[i][0], result))
                        return texts[i][1];
        return "failed";
}

int job_wait_all(JobWait *wait) {
        int failed = 0;

        for (size_t i = 0; wait->paths && wait->paths[i]; i++) {
                const char *result;

                while (!(result = result_of(wait, wait->paths[i]))) {
                        int r = sd_bus_process(wait->bus, NULL);
                        if (r == 0)
                                r = sd_bus_wait(wait->bus, UINT64_MAX);
                        if (r < 0 && r != -EINTR)
                                return log_error(r, "The manager went away while a job ran: %m");
                }
                if (text_equal(result, "done"))
                        continue;
                failed = 1;
                (void)log_error(-EIO, "Job for %s %s. See \"mkosi-ctl status %s\".", wait->units[i],
                                explain(result), wait->units[i]);
        }
        return failed;
}
