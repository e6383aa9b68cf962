/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/json.h"
#include "base/path.h"
#include "base/strv.h"
#include "base/text.h"
#include "base/tree.h"
#include "manager/service-shared.h"
#include "manager/service-user.h"
#include "manager/unit-log.h"
#include "manager/unit-state.h"

int unit_state_path(const ManagedUnit *unit, const char *file, char **ret) {
        return text_format(ret, "%s/units/%s%s%s", unit->manager->paths.runtime, unit->name,
                           file[0] == '\0' ? "" : "/", file);
}

static void write_pid(JsonWriter *writer, const char *key, const Process *process) {
        json_number(writer, key, process ? (uint64_t)process->pid : 0);
}

static void write_main(JsonWriter *writer, const Service *service) {
        write_pid(writer, "mainPid", service->main);
        json_number(writer, "mainBegan", service->main ? service->main->began : 0);
        json_number(writer, "lastMainPid", (uint64_t)service->last_main_pid);
        json_number(writer, "mainCode", (uint64_t)service->main_code);
        json_number(writer, "mainStatus", (uint64_t)service->main_status);
        json_number(writer, "mainStarted", service->main_started);
        json_number(writer, "mainStartedMonotonic", service->main_started_monotonic);
        json_number(writer, "mainEnded", service->main_ended);
        json_number(writer, "mainEndedMonotonic", service->main_ended_monotonic);
        json_bool(writer, "mainIgnoresFailure", service->main && service->main->ignores_failure);
}

static void write_service(JsonWriter *writer, const Service *service) {
        const PrivateTmp *const tmp = shared_tmp_paths(service->tmp);

        json_begin_object(writer, "service");
        json_text(writer, "state",
                  service_state_words[service->comes_back ? SERVICE_AUTO_RESTART : service->state]);
        json_text(writer, "result", service_result_words[service->result]);
        json_text(writer, "kind", service_command_words[service->kind]);
        json_number(writer, "begun", service->n_begun);
        json_bool(writer, "spawning", service->is_spawning);
        write_main(writer, service);
        write_pid(writer, "controlPid", service->control);
        json_number(writer, "deadline", service->deadline);
        json_number(writer, "runtimeDeadline", service->runtime_deadline);
        json_number(writer, "watchdog", service->watchdog_usec);
        json_number(writer, "restarts", service->n_restarts);
        json_bool(writer, "stopAsked", service->stop_asked);
        json_bool(writer, "unknown", service->is_unknown);
        json_text(writer, "cgroup", service->cgroup ?: "");
        json_bool(writer, "hasIdentity", service->has_identity);
        json_number(writer, "uid", service->has_identity ? service->uid : 0);
        json_number(writer, "gid", service->has_identity ? service->gid : 0);
        json_text(writer, "user", service->user_name ?: "");
        json_text(writer, "dynamicUser", service->user ? service_user_name(service->user) : "");
        json_text(writer, "tmp", tmp ? tmp->tmp : "");
        json_text(writer, "varTmp", tmp ? tmp->var_tmp : "");
        json_bool(writer, "network", service->network);
        json_text(writer, "networkId", shared_network_id(service->network));
        json_text(writer, "program", service->program ?: "");
        json_text(writer, "status", service->status_text ?: "");
        json_end_object(writer);
}

static void write_state(JsonWriter *writer, const ManagedUnit *unit) {
        json_begin_object(writer, NULL);
        json_text(writer, "invocation", unit->invocation);
        json_text(writer, "active", unit_active_state_words[unit->active]);
        json_text(writer, "job", unit->job ? job_type_words[unit->job->type] : "");
        json_bool(writer, "jobRuns", unit->job && unit->job->running);
        json_number(writer, "stateChanged", unit->state_changed);
        json_number(writer, "activeSince", unit->active_since);
        json_number(writer, "inactiveSince", unit->inactive_since);
        if (unit->service)
                write_service(writer, unit->service);
        json_end_object(writer);
}

static void write_list(JsonWriter *writer, const char *key, char *const *list) {
        json_begin_array(writer, key);
        for (; list && *list; list++)
                json_text(writer, NULL, *list);
        json_end_array(writer);
}

/* Whatever happens to us, there is the old one or the new one. */
static int put(int directory_fd, const char *name, const char *text) {
        _cleanup_(freep) char *unfinished = NULL;

        int r = text_format(&unfinished, ".#%s", name);
        if (r >= 0)
                r = file_write_text(directory_fd, unfinished, text, 0600);
        if (r >= 0 && renameat(directory_fd, unfinished, directory_fd, name) < 0)
                r = -errno;
        return r;
}

static int put_state(const ManagedUnit *unit, int directory_fd) {
        _cleanup_(freep) char *text = NULL;
        size_t size;
        FILE *const file = open_memstream(&text, &size);
        JsonWriter writer = { .file = file };

        if (!file)
                return -ENOMEM;
        write_state(&writer, unit);
        return fclose(file) != 0 ? -ENOMEM : put(directory_fd, "state", text);
}

static int put_settings(const ManagedUnit *unit, int directory_fd) {
        _cleanup_(strv_freep) char **settings = NULL;
        _cleanup_(freep) char *text = NULL;
        size_t size;

        const int r = unit_settings_write(unit->unit, &settings);
        if (r < 0)
                return r;
        FILE *const file = open_memstream(&text, &size);
        JsonWriter writer = { .file = file };
        if (!file)
                return -ENOMEM;
        json_begin_object(&writer, NULL);
        json_text(&writer, "fragment", unit->unit->fragment ?: "");
        write_list(&writer, "dropIns", unit->unit->drop_ins);
        write_list(&writer, "settings", settings);
        json_end_object(&writer);
        return fclose(file) != 0 ? -ENOMEM : put(directory_fd, "settings", text);
}

static int open_directory(const ManagedUnit *unit) {
        _cleanup_(freep) char *directory = NULL;

        int r = unit_state_path(unit, "", &directory);
        if (r >= 0)
                r = path_make_directories(AT_FDCWD, directory, 0755);
        if (r < 0)
                return r;
        const int fd = open(directory, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        return fd < 0 ? -errno : fd;
}

int unit_state_note_tmp(const ManagedUnit *unit, const PrivateTmp *tmp) {
        _cleanup_(freep) char *text = NULL;
        _cleanup_(fd_closep) int fd = -EBADF;

        fd = open_directory(unit);
        if (fd < 0)
                return fd;
        const int r = text_format(&text, "%s\n%s\n", tmp->tmp, tmp->var_tmp);
        return r < 0 ? r : put(fd, "tmp", text);
}

static int put_all(ManagedUnit *unit) {
        _cleanup_(fd_closep) int fd = -EBADF;
        int r = 0;

        fd = open_directory(unit);
        if (fd < 0)
                return fd;
        if (!unit->has_settings_noted) {
                r = put_settings(unit, fd);
                unit->has_settings_noted = r >= 0;
        }
        return r < 0 ? r : put_state(unit, fd);
}

int unit_state_write(ManagedUnit *unit) {
        const int r = put_all(unit);

        if (r < 0) {
                errno = -r;
                unit_log(unit, LOG_WARNING,
                         "%s: Cannot note the state, and would not find it again after a crash: %m",
                         unit->name);
        }
        return r;
}

void unit_state_remove(ManagedUnit *unit) {
        _cleanup_(freep) char *directory = NULL;

        unit->has_settings_noted = false;
        if (unit_state_path(unit, "", &directory) >= 0)
                (void)tree_remove(AT_FDCWD, directory);
}

/* Slices are active when something is in them, which needs no note. A manager of one service has nobody who would want to know
 * of the other units that it needs. */
static bool has_state(const ManagedUnit *unit) {
        return unit->unit &&
               (unit->service || (unit_name_type(unit->name) != UNIT_SLICE && !unit->manager->shares));
}

void unit_state_update(ManagedUnit *unit) {
        const Service *const service = unit->service;

        if (!has_state(unit))
                return;
        if (unit->active != UNIT_INACTIVE || unit->job ||
            (service && (service->cgroup || service->comes_back)))
                (void)unit_state_write(unit);
        else
                unit_state_remove(unit);
}
