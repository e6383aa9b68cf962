/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/json-reader.h"
#include "base/path.h"
#include "base/text.h"
#include "manager/log-pipe.h"
#include "manager/service-cgroup.h"
#include "manager/service-number.h"
#include "manager/service-shared.h"
#include "manager/service-user.h"
#include "manager/service.h"
#include "manager/unit-log.h"

#define STATE_SIZE_MAX (64 * KIB)

/* What a state file says. Numbers that are out of range make it one that cannot be read. */
typedef struct Found {
        ManagedUnit *unit;
        char *invocation, *cgroup, *user, *dynamic_user, *tmp, *var_tmp, *program, *status;
        uint64_t state_changed, active_since, inactive_since;
        uint64_t state, result, kind, begun, main_pid, control_pid, last_main_pid, main_code, main_status;
        uint64_t main_started, main_started_monotonic, main_ended, main_ended_monotonic;
        uint64_t deadline, watchdog, restarts, uid, gid;
        bool main_ignores_failure, stop_asked, has_identity, network, is_service;
        ServiceUser *locked; /* that is there before anybody is given a number */
} Found;

typedef struct FoundList {
        Found *items;
        size_t n_items;
} FoundList;

static void found_done(Found *found) {
        free(found->invocation);
        free(found->cgroup);
        free(found->user);
        free(found->dynamic_user);
        free(found->tmp);
        free(found->var_tmp);
        free(found->program);
        free(found->status);
        *found = (Found){};
}

static void found_list_done(FoundList *list) {
        for (size_t i = 0; i < list->n_items; i++)
                found_done(&list->items[i]);
        free(list->items);
}

static int read_service(JsonReader *reader, void *userdata, Reason *reason) {
        Found *const found = userdata;
        const JsonField fields[] = {
                { .name = "state", .number = &found->state },
                { .name = "result", .number = &found->result },
                { .name = "kind", .number = &found->kind },
                { .name = "begun", .number = &found->begun },
                { .name = "mainPid", .number = &found->main_pid },
                { .name = "controlPid", .number = &found->control_pid },
                { .name = "lastMainPid", .number = &found->last_main_pid },
                { .name = "mainCode", .number = &found->main_code },
                { .name = "mainStatus", .number = &found->main_status },
                { .name = "mainStarted", .number = &found->main_started },
                { .name = "mainStartedMonotonic", .number = &found->main_started_monotonic },
                { .name = "mainEnded", .number = &found->main_ended },
                { .name = "mainEndedMonotonic", .number = &found->main_ended_monotonic },
                { .name = "mainIgnoresFailure", .truth = &found->main_ignores_failure },
                { .name = "deadline", .number = &found->deadline },
                { .name = "watchdog", .number = &found->watchdog },
                { .name = "restarts", .number = &found->restarts },
                { .name = "stopAsked", .truth = &found->stop_asked },
                { .name = "cgroup", .text = &found->cgroup },
                { .name = "hasIdentity", .truth = &found->has_identity },
                { .name = "uid", .number = &found->uid },
                { .name = "gid", .number = &found->gid },
                { .name = "user", .text = &found->user },
                { .name = "dynamicUser", .text = &found->dynamic_user },
                { .name = "tmp", .text = &found->tmp },
                { .name = "varTmp", .text = &found->var_tmp },
                { .name = "network", .truth = &found->network },
                { .name = "program", .text = &found->program },
                { .name = "status", .text = &found->status },
        };

        found->is_service = true;
        return json_read_fields(reader, fields, ELEMENTSOF(fields), reason);
}

static int read_found(const char *text, Found *found, Reason *reason) {
        JsonReader reader = { .position = text, .end = text + strlen(text) };
        const JsonField fields[] = {
                { .name = "invocation", .text = &found->invocation },
                { .name = "stateChanged", .number = &found->state_changed },
                { .name = "activeSince", .number = &found->active_since },
                { .name = "inactiveSince", .number = &found->inactive_since },
                { .name = "service", .optional = true, .read = read_service, .userdata = found },
        };

        int r = json_read_fields(&reader, fields, ELEMENTSOF(fields), reason);
        if (r >= 0)
                r = json_read_end(&reader);
        if (r < 0)
                return r;
        if (found->state >= SERVICE_STATE_MAX || found->result >= SERVICE_RESULT_MAX ||
            found->kind >= SERVICE_COMMANDS || found->main_pid > INT32_MAX ||
            found->control_pid > INT32_MAX || found->uid >= UINT32_MAX || found->gid >= UINT32_MAX ||
            strlen(found->invocation) > 32)
                return reason_set(reason, -EBADMSG, "A number is out of range");
        return 0;
}

static int found_load(Manager *manager, int units_fd, const char *name, FoundList *list) {
        _cleanup_(freep) char *path = NULL, *text = NULL;
        _cleanup_(reason_done) Reason reason = {};
        Found found = {};

        int r = path_join(name, "state", &path);
        if (r >= 0)
                r = managed_unit_get(manager, name, &found.unit);
        if (r >= 0)
                r = managed_unit_load(&found.unit);
        if (r < 0)
                return r;
        r = file_read(units_fd, path, STATE_SIZE_MAX, &text, NULL);
        if (r >= 0)
                r = read_found(text, &found, &reason);
        if (r < 0) {
                unit_log(found.unit, LOG_WARNING, "%s: The state of an earlier manager cannot be read: %s",
                         name, reason_text(&reason, r));
                found_done(&found);
                return r == -ENOMEM ? r : 0;
        }
        Found *const items = reallocarray(list->items, list->n_items + 1, sizeof(Found));
        if (!items) {
                found_done(&found);
                return -ENOMEM;
        }
        list->items = items;
        list->items[list->n_items++] = found;
        return 0;
}

static int found_load_all(Manager *manager, FoundList *list, Reason *reason) {
        _cleanup_(directory_closep) DIR *directory = NULL;
        _cleanup_(freep) char *path = NULL;
        struct dirent *entry;

        int r = path_join(manager->paths.runtime, "units", &path);
        if (r < 0)
                return r;
        directory = opendir(path);
        if (!directory)
                return reason_set(reason, -errno, "Cannot read %s: %m", path);
        while (r >= 0 && (entry = readdir(directory)))
                if (unit_name_kind(entry->d_name) & (UNIT_NAME_PLAIN | UNIT_NAME_INSTANCE))
                        r = found_load(manager, dirfd(directory), entry->d_name, list);
        return r < 0 ? reason_set(reason, r, "Cannot find again what runs: %m") : 0;
}

/* Numbers of users first, all of them: nobody may be given one that a running service has. */
static int lock_user(Manager *manager, Found *found) {
        if (text_is_empty(found->dynamic_user))
                return 0;
        int r = service_user_get(manager, found->dynamic_user, &found->locked);
        if (r < 0)
                return r;
        if (!found->has_identity)
                return 0;
        r = service_user_adopt(found->locked, (uid_t)found->uid);
        if (r < 0 && r != -ENOMEM) {
                errno = -r;
                unit_log(found->unit, LOG_ERR, "%s: Cannot lock the number %u of its user %s again: %m",
                         found->unit->name, (unsigned)found->uid, found->dynamic_user);
                return 0;
        }
        return r;
}

static Process *watch(Service *service, uint64_t pid, bool control) {
        _cleanup_(freep) char *path = NULL;
        Process *process;

        if (pid == 0 || !service->cgroup ||
            service_cgroup_of_process(service->unit->manager->base, (pid_t)pid, &path) < 0 ||
            !text_equal(path, service->cgroup) ||
            service_watch_process(service, (pid_t)pid, control, &process) < 0)
                return NULL;
        return process;
}

static void take_texts(Service *service, Found *found) {
        if (!text_is_empty(found->cgroup))
                service->cgroup = TAKE_PTR(found->cgroup);
        if (!text_is_empty(found->user))
                service->user_name = TAKE_PTR(found->user);
        if (!text_is_empty(found->program))
                service->program = TAKE_PTR(found->program);
        if (!text_is_empty(found->status))
                service->status_text = TAKE_PTR(found->status);
}

static void take_numbers(Service *service, const Found *found) {
        service->state = (ServiceState)found->state;
        service->result = (ServiceResult)found->result;
        service->last_main_pid = (pid_t)found->last_main_pid;
        service->main_code = (int)found->main_code;
        service->main_status = (int)found->main_status;
        service->main_started = found->main_started;
        service->main_started_monotonic = found->main_started_monotonic;
        service->main_ended = found->main_ended;
        service->main_ended_monotonic = found->main_ended_monotonic;
        service->watchdog_usec = found->watchdog;
        service->n_restarts = found->restarts;
        service->stop_asked = found->stop_asked;
        service->has_identity = found->has_identity;
        service->uid = (uid_t)found->uid;
        service->gid = (gid_t)found->gid;
}

static int take_ground(Service *service, const Found *found) {
        Manager *const manager = service->unit->manager;
        _cleanup_(freep) char *log_path = NULL;
        _cleanup_(fd_closep) int fd = -EBADF;
        int r = 0;

        if (service->cgroup) {
                fd = service_cgroup_open(manager->base, service->cgroup);
                if (fd >= 0)
                        r = service_watch_group(service, fd);
                if (r >= 0 && manager->log)
                        r = unit_state_path(service->unit, "log", &log_path);
                if (r >= 0 && log_path)
                        r = log_pipe_open(service->unit, log_path, &service->log);
        }
        if (r >= 0 && !text_is_empty(found->tmp))
                r = shared_tmp_adopt(service, found->tmp, found->var_tmp, &service->tmp);
        if (r >= 0 && service->has_identity && service->uid != 0) {
                r = service_number_get(manager, service->uid);
                service->counts_number = r >= 0;
        }
        return r;
}

/* The commands that were at work, as the files have them now; what has been begun of them is done by the processes that
 * were found. */
static void take_commands(Service *service, const Found *found) {
        char *const *line = service_settings_of(service)->commands[found->kind];

        service->kind = (ServiceCommand)found->kind;
        for (; line && *line; line++)
                if (exec_command_parse(*line, service->unit->name, &service->commands, NULL) < 0)
                        break;
        service->n_begun = MIN((size_t)found->begun, service->commands.n_items);
}

static void take_processes(Service *service, const Found *found) {
        service->main = watch(service, found->main_pid, false);
        service->control = watch(service, found->control_pid, true);
        if (service->main) {
                service->main->ignores_failure = found->main_ignores_failure;
                service->main->started = found->main_started;
                service->main->started_monotonic = found->main_started_monotonic;
                service->last_pid = service->main->pid;
        }
        if (found->network) {
                const pid_t member = service->main      ? service->main->pid
                                     : service->control ? service->control->pid
                                                        : 0;
                if (member > 0)
                        (void)shared_network_adopt(service, member, &service->network);
        }
}

static int found_take(Found *found) {
        ManagedUnit *const unit = found->unit;
        Service *const service = unit->service;

        (void)stpcpy(unit->invocation, found->invocation);
        unit->state_changed = found->state_changed;
        unit->active_since = found->active_since;
        unit->inactive_since = found->inactive_since;
        if (!service || !found->is_service) {
                unit->active = UNIT_ACTIVE;
                managed_unit_changed(unit);
                return 0;
        }
        take_texts(service, found);
        take_numbers(service, found);
        service->user = TAKE_PTR(found->locked);
        const int r = take_ground(service, found);
        if (r < 0)
                return r;
        take_commands(service, found);
        take_processes(service, found);
        unit->active = service_active_state(service->state);
        if (found->deadline != UINT64_MAX)
                service_set_deadline(service, found->deadline);
        if (service->state == SERVICE_RUNNING)
                service_feed_watchdog(service);
        managed_unit_changed(unit);
        return 0;
}

/* What runs is in slices, which are active then. */
static void activate_slices(ManagedUnit *unit) {
        ManagedUnit *slice;

        while (unit->slice && managed_unit_get(unit->manager, unit->slice, &slice) >= 0 &&
               managed_unit_load(&slice) >= 0) {
                if (slice->active != UNIT_ACTIVE) {
                        slice->active_since = slice->state_changed = time_realtime();
                        slice->active = UNIT_ACTIVE;
                }
                unit = slice;
        }
}

int manager_adopt(Manager *manager, Reason *reason) {
        _cleanup_(found_list_done) FoundList list = {};

        int r = found_load_all(manager, &list, reason);
        for (size_t i = 0; r >= 0 && i < list.n_items; i++)
                r = lock_user(manager, &list.items[i]);
        for (size_t i = 0; r >= 0 && i < list.n_items; i++)
                r = found_take(&list.items[i]);
        if (r < 0)
                return reason_set(reason, r, "Cannot take over what runs: %m");
        for (size_t i = 0; i < list.n_items; i++) {
                ManagedUnit *const unit = list.items[i].unit;

                activate_slices(unit);
                if (unit->service)
                        service_resume(unit->service);
        }
        return 0;
}
