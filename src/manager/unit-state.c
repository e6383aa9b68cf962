/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/json.h"
#include "base/path.h"
#include "base/text.h"
#include "base/tree.h"
#include "manager/service-shared.h"
#include "manager/service-user.h"
#include "manager/service.h"
#include "manager/unit-log.h"

#define STATE_FILE     "state"
#define STATE_FILE_NEW ".#state"

int unit_state_path(const ManagedUnit *unit, const char *file, char **ret) {
        return text_format(ret, "%s/units/%s%s%s", unit->manager->paths.runtime, unit->name,
                           file[0] == '\0' ? "" : "/", file);
}

static void write_pid(JsonWriter *writer, const char *key, const Process *process) {
        json_number(writer, key, process ? (uint64_t)process->pid : 0);
}

static void write_service(JsonWriter *writer, const Service *service) {
        const PrivateTmp *const tmp = shared_tmp_paths(service->tmp);

        json_begin_object(writer, "service");
        json_number(writer, "state", service->state);
        json_number(writer, "result", service->result);
        json_number(writer, "kind", service->kind);
        json_number(writer, "begun", service->n_begun);
        write_pid(writer, "mainPid", service->main);
        write_pid(writer, "controlPid", service->control);
        json_number(writer, "lastMainPid", (uint64_t)service->last_main_pid);
        json_number(writer, "mainCode", (uint64_t)service->main_code);
        json_number(writer, "mainStatus", (uint64_t)service->main_status);
        json_number(writer, "mainStarted", service->main_started);
        json_number(writer, "mainStartedMonotonic", service->main_started_monotonic);
        json_number(writer, "mainEnded", service->main_ended);
        json_number(writer, "mainEndedMonotonic", service->main_ended_monotonic);
        json_bool(writer, "mainIgnoresFailure", service->main && service->main->ignores_failure);
        json_number(writer, "deadline", service->deadline);
        json_number(writer, "watchdog", service->watchdog_usec);
        json_number(writer, "restarts", service->n_restarts);
        json_bool(writer, "stopAsked", service->stop_asked);
        json_text(writer, "cgroup", service->cgroup ?: "");
        json_bool(writer, "hasIdentity", service->has_identity);
        json_number(writer, "uid", service->has_identity ? service->uid : 0);
        json_number(writer, "gid", service->has_identity ? service->gid : 0);
        json_text(writer, "user", service->user_name ?: "");
        json_text(writer, "dynamicUser", service->user ? service_user_name(service->user) : "");
        json_text(writer, "tmp", tmp ? tmp->tmp : "");
        json_text(writer, "varTmp", tmp ? tmp->var_tmp : "");
        json_bool(writer, "network", service->network);
        json_text(writer, "program", service->program ?: "");
        json_text(writer, "status", service->status_text ?: "");
        json_end_object(writer);
}

static int state_make(const ManagedUnit *unit, char **ret) {
        _cleanup_(freep) char *text = NULL;
        size_t size;
        FILE *const file = open_memstream(&text, &size);

        if (!file)
                return -ENOMEM;
        JsonWriter writer = { .file = file };

        json_begin_object(&writer, NULL);
        json_text(&writer, "invocation", unit->invocation);
        json_number(&writer, "stateChanged", unit->state_changed);
        json_number(&writer, "activeSince", unit->active_since);
        json_number(&writer, "inactiveSince", unit->inactive_since);
        if (unit->service)
                write_service(&writer, unit->service);
        json_end_object(&writer);
        if (fclose(file) != 0)
                return -ENOMEM;
        *ret = TAKE_PTR(text);
        return 0;
}

/* At once, whatever happens to us. */
static int state_put(const ManagedUnit *unit, const char *text) {
        _cleanup_(freep) char *directory = NULL;
        _cleanup_(fd_closep) int fd = -EBADF;

        int r = unit_state_path(unit, "", &directory);
        if (r >= 0)
                r = path_make_directories(AT_FDCWD, directory, 0755);
        if (r < 0)
                return r;
        fd = open(directory, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0)
                return -errno;
        r = file_write_text(fd, STATE_FILE_NEW, text, 0600);
        if (r >= 0 && renameat(fd, STATE_FILE_NEW, fd, STATE_FILE) < 0)
                r = -errno;
        return r;
}

int unit_state_write(ManagedUnit *unit) {
        _cleanup_(freep) char *text = NULL;

        int r = state_make(unit, &text);
        if (r >= 0)
                r = state_put(unit, text);
        if (r < 0) {
                errno = -r;
                unit_log(unit, LOG_WARNING,
                         "%s: Cannot note the state, and would not find it again after a crash: %m",
                         unit->name);
        }
        return r;
}

/* Processes that the service has left behind still have its user. */
void unit_state_remove(ManagedUnit *unit) {
        _cleanup_(freep) char *directory = NULL;

        if (unit->service && unit->service->cgroup)
                (void)unit_state_write(unit);
        else if (unit_state_path(unit, "", &directory) >= 0)
                (void)tree_remove(AT_FDCWD, directory);
}
