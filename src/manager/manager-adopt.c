/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/parse.h"
#include "base/path.h"
#include "base/strv.h"
#include "base/text.h"
#include "manager/log-pipe.h"
#include "manager/service-cgroup.h"
#include "manager/service-number.h"
#include "manager/service-shared.h"
#include "manager/service-user.h"
#include "manager/unit-leftover.h"
#include "manager/unit-log.h"
#include "manager/unit-state.h"
#include "manager/unit-transient.h"
#include "user/dynamic-user.h"

#define STAT_SIZE_MAX   4096
#define HELPER_NAP_NSEC 2000000
#define HELPER_NAPS_MAX 1000

/* A unit that an earlier manager had, and what it said of it. */
typedef struct Orphan {
        ManagedUnit *unit;
        UnitFound found;
        ServiceUser *locked; /* that is there before anybody is given a number */
        bool lost;           /* whom it was about to start nobody knows */
} Orphan;

typedef struct OrphanList {
        Orphan *items;
        size_t n_items;
} OrphanList;

static void orphan_list_done(OrphanList *list) {
        for (size_t i = 0; i < list->n_items; i++)
                unit_found_done(&list->items[i].found);
        free(list->items);
}

/* Takes what was found over. */
static int add(OrphanList *list, ManagedUnit *unit, UnitFound *found) {
        Orphan *const items = reallocarray(list->items, list->n_items + 1, sizeof(Orphan));

        if (!items)
                return -ENOMEM;
        list->items = items;
        list->items[list->n_items++] = (Orphan){ .unit = unit, .found = *found };
        *found = (UnitFound){};
        return 0;
}

/* The files as they are now, if nobody knows what they were. They may have become those of another unit. */
static int load_from_files(ManagedUnit *unit) {
        ManagedUnit *loaded = unit;

        const int r = managed_unit_load(&loaded);
        if (r < 0 || loaded == unit)
                return r;
        unit_log(unit, LOG_ERR, "%s: This is another name of %s now, and what runs of it is left alone",
                 unit->name, loaded->name);
        return -ESTALE;
}

/* What runs goes on with the settings that it was started with, as after a reload. */
static int load(int units_fd, ManagedUnit *unit, const UnitFound *found) {
        _cleanup_(unit_freep) Unit *read = NULL;
        _cleanup_(reason_done) Reason reason = {};

        int r = unit_state_read_settings(units_fd, unit->name, &read, &reason);
        if (r == -ENOMEM)
                return r;
        if (r < 0) {
                if (found->active != UNIT_FAILED)
                        unit_log(unit, LOG_WARNING,
                                 "%s: The settings that it was started with cannot be read: %s", unit->name,
                                 reason_text(&reason, r));
                return load_from_files(unit);
        }
        r = managed_unit_adopt(unit, TAKE_PTR(read));
        unit->stale = unit->has_settings_noted = true;
        return r;
}

static int orphan_read(Manager *manager, int units_fd, const char *name, OrphanList *list) {
        _cleanup_(reason_done) Reason reason = {};
        _cleanup_(unit_found_done) UnitFound found = {};
        ManagedUnit *unit;

        int r = unit_state_read(units_fd, name, &found, &reason);
        if (r == -ENOENT || r == -ENOMEM)
                return r == -ENOENT ? 0 : r;
        const int read = r;
        r = managed_unit_get(manager, name, &unit);
        if (r < 0)
                return r;
        if (read < 0) {
                r = unit_state_guess(manager, units_fd, name, &found);
                unit_log(
                        unit, r > 0 ? LOG_ERR : LOG_WARNING,
                        "%s: The state of an earlier manager cannot be read: %s%s", name,
                        reason_text(&reason, read),
                        r > 0 ? "; what runs of it is left alone, and until that has ended it cannot be started"
                              : "");
                if (r <= 0)
                        return r == -ENOMEM ? r : 0;
        }
        r = text_equal(unit->name, name) ? load(units_fd, unit, &found) : -ESTALE;
        return r < 0 ? (r == -ESTALE ? 0 : r) : add(list, unit, &found);
}

static int orphans_read(Manager *manager, OrphanList *list, Reason *reason) {
        _cleanup_(directory_closep) DIR *directory = NULL;
        _cleanup_(freep) char *path = NULL;
        const struct dirent *entry;

        int r = path_join(manager->paths.runtime, "units", &path);
        if (r < 0)
                return r;
        directory = opendir(path);
        if (!directory)
                return reason_set(reason, -errno, "Cannot read %s: %m", path);
        while (r >= 0 && (entry = readdir(directory)))
                if (unit_name_kind(entry->d_name) & (UNIT_NAME_PLAIN | UNIT_NAME_INSTANCE))
                        r = orphan_read(manager, dirfd(directory), entry->d_name, list);
        return r;
}

/* Of a process whose parent is gone or not in the group: 1, 0, or an error when it is gone. */
static int parent_is_outside(pid_t pid, const pid_t *pids, size_t n_pids) {
        _cleanup_(freep) char *text = NULL;
        char path[64];
        int parent;

        (void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
        const int r = file_read(AT_FDCWD, path, STAT_SIZE_MAX, &text, NULL);
        if (r < 0)
                return r;
        /* The name may be anything; the state and the parent follow it, proc_pid_stat(5). */
        const char *const name_end = strrchr(text, ')');
        if (!name_end || sscanf(name_end + 1, " %*c %d", &parent) != 1)
                return -EBADMSG;
        for (size_t i = 0; i < n_pids; i++)
                if (pids[i] == parent)
                        return 0;
        return 1;
}

/* Whom the manager was about to start: the one process of the group that is neither known nor a child of others in it. */
static pid_t find_spawned(const Manager *manager, const UnitFound *found) {
        _cleanup_(freep) pid_t *pids = NULL;
        _cleanup_(fd_closep) int fd = -EBADF;
        size_t n_pids;
        pid_t spawned = 0;

        fd = service_cgroup_open(manager->base, found->cgroup);
        if (fd < 0 || service_cgroup_processes(fd, &pids, &n_pids) < 0)
                return 0;
        for (size_t i = 0; i < n_pids; i++) {
                if ((uint64_t)pids[i] == found->main_pid || (uint64_t)pids[i] == found->control_pid ||
                    parent_is_outside(pids[i], pids, n_pids) <= 0)
                        continue;
                if (spawned != 0)
                        return 0;
                spawned = pids[i];
        }
        return spawned;
}

static bool is_same_file(const char *a, const char *b) {
        struct stat first, second;

        return stat(a, &first) >= 0 && stat(b, &second) >= 0 && first.st_dev == second.st_dev &&
               first.st_ino == second.st_ino;
}

/* Nobody hears what the helper says any more, but it goes on. -EINPROGRESS when it is still at work after all that time. */
static int wait_for_helper(const Manager *manager, pid_t pid) {
        const struct timespec nap = { .tv_nsec = HELPER_NAP_NSEC };
        char path[64];

        (void)snprintf(path, sizeof(path), "/proc/%d/exe", (int)pid);
        for (unsigned i = 0; i < HELPER_NAPS_MAX; i++) {
                /* Before it is the helper it is the manager. */
                if (!is_same_file(path, manager->helper) && !is_same_file(path, "/proc/self/exe"))
                        return 0;
                (void)nanosleep(&nap, NULL);
        }
        return -EINPROGRESS;
}

/* Who the process has become, if that could not be noted. */
static int find_identity(const Manager *manager, pid_t pid, UnitFound *found) {
        struct stat status;
        char path[64];

        const int r = wait_for_helper(manager, pid);
        if (r < 0)
                return r;
        (void)snprintf(path, sizeof(path), "/proc/%d", (int)pid);
        if (stat(path, &status) < 0)
                return -ESRCH;
        /* What is to be done as root is done beside the dynamic user. */
        if (status.st_uid == 0 && !text_is_empty(found->dynamic_user))
                return 0;
        found->has_identity = true;
        found->uid = status.st_uid;
        found->gid = status.st_gid;
        return 0;
}

static int runs_main(const ManagedUnit *unit, const UnitFound *found) {
        return found->kind == SERVICE_START && managed_unit_settings(unit)->type != SERVICE_FORKING;
}

/* Completes what was noted in the middle of a start. */
static void complete(Orphan *orphan) {
        const Manager *const manager = orphan->unit->manager;
        UnitFound *const found = &orphan->found;

        if (!found->is_service || text_is_empty(found->cgroup))
                return;
        if (found->is_spawning) {
                const pid_t pid = find_spawned(manager, found);

                orphan->lost = pid == 0;
                if (runs_main(orphan->unit, found))
                        found->main_pid = (uint64_t)pid;
                else
                        found->control_pid = (uint64_t)pid;
        }
        const pid_t pid = (pid_t)(found->main_pid != 0 ? found->main_pid : found->control_pid);
        if (pid != 0 && !found->has_identity && find_identity(manager, pid, found) == -EINPROGRESS) {
                orphan->lost = true;
                found->main_pid = found->main_pid == (uint64_t)pid ? 0 : found->main_pid;
                found->control_pid = 0;
        }
}

/* Numbers of users first, all of them: nobody may be given one that a running service has. */
static int lock_user(Orphan *orphan) {
        ManagedUnit *const unit = orphan->unit;
        const UnitFound *const found = &orphan->found;

        if (text_is_empty(found->dynamic_user))
                return 0;
        int r = service_user_get(unit->manager, found->dynamic_user, &orphan->locked);
        if (r < 0 || !found->has_identity)
                return r;
        r = service_user_adopt(orphan->locked, (uid_t)found->uid);
        if (r < 0 && r != -ENOMEM) {
                errno = -r;
                unit_log(unit, LOG_ERR, "%s: Cannot lock the number %u of its user %s again: %m", unit->name,
                         (unsigned)found->uid, found->dynamic_user);
                return 0;
        }
        return r;
}

/* A number that was given again is known by when its process began (0: nobody has noted that). A main process may be out of
 * the group, if PIDFile= said so. */
static Process *watch(Service *service, uint64_t pid, uint64_t began, bool control) {
        Process *process;

        if (pid == 0 || service_watch_process(service, (pid_t)pid, control, &process) < 0)
                return NULL;
        if (began > 0 ? process->began != began : !service_group_has(service, process->pid)) {
                process_free(process);
                return NULL;
        }
        return process;
}

static char *take_text(char **text) {
        return text_is_empty(*text) ? NULL : TAKE_PTR(*text);
}

static void take_numbers(Service *service, const UnitFound *found) {
        service->state = found->state;
        service->result = found->result;
        service->last_main_pid = (pid_t)found->last_main_pid;
        service->main_code = (int)found->main_code;
        service->main_status = (int)found->main_status;
        service->main_started = found->main_started;
        service->main_started_monotonic = found->main_started_monotonic;
        service->main_ended = found->main_ended;
        service->main_ended_monotonic = found->main_ended_monotonic;
        service->watchdog_usec = found->watchdog;
        service->runtime_deadline = found->runtime_deadline;
        service->n_restarts = found->restarts;
        service->stop_asked = found->stop_asked;
        service->is_unknown = found->is_unknown;
        service->has_identity = found->has_identity;
        service->uid = (uid_t)found->uid;
        service->gid = (gid_t)found->gid;
}

static int take_group(Service *service, Reason *reason) {
        Manager *const manager = service->unit->manager;
        _cleanup_(freep) char *log_path = NULL;
        _cleanup_(fd_closep) int fd = -EBADF;

        fd = service_cgroup_open(manager->base, service->cgroup);
        int r = fd < 0 ? (fd == -ENOENT ? 0 : fd) : service_watch_group(service, fd);
        if (r >= 0 && fd >= 0)
                r = service_lock_group(service, reason);
        if (r < 0) {
                service_forget_group(service);
                return r;
        }
        if (!manager->log)
                return 0;
        r = unit_state_path(service->unit, "log", &log_path);
        return r < 0 ? r : log_pipe_open(service->unit, log_path, &service->log);
}

static int take_ground(Service *service, UnitFound *found, Reason *reason) {
        int r = 0;

        service->cgroup = take_text(&found->cgroup);
        if (service->cgroup)
                r = take_group(service, reason);
        if (r >= 0 && !text_is_empty(found->tmp))
                r = shared_tmp_adopt(service, found->tmp, found->var_tmp, &service->tmp);
        if (r >= 0 && found->network)
                r = shared_network_adopt(service, found->network_id, &service->network);
        if (r >= 0 && service->has_identity && service->uid != 0) {
                r = service_number_get(service->unit->manager, service->uid);
                service->counts_number = r >= 0;
        }
        return r;
}

/* The commands that were at work; what has been begun of them is done by the processes that were found. */
static void take_commands(Service *service, const UnitFound *found) {
        service->kind = found->kind;
        if (found->kind == SERVICE_COMMANDS)
                return;
        for (char *const *line = service_settings_of(service)->commands[found->kind]; line && *line; line++)
                if (exec_command_parse(*line, service->unit->name, &service->commands, NULL) < 0)
                        break;
        service->n_begun = MIN((size_t)found->begun, service->commands.n_items);
}

static bool ignores_failure(const Service *service) {
        return service->n_begun > 0 &&
               (service->commands.items[service->n_begun - 1].flags & EXEC_COMMAND_IGNORE_FAILURE);
}

static void take_main(Service *service, const UnitFound *found) {
        Process *const main = service->main;

        service->last_pid = main->pid;
        if (found->is_spawning && service_runs_main(service)) {
                main->ignores_failure = ignores_failure(service);
                service->last_main_pid = main->pid;
                service->main_started = main->started;
                service->main_started_monotonic = main->started_monotonic;
                return;
        }
        main->ignores_failure = found->main_ignores_failure;
        main->started = found->main_started;
        main->started_monotonic = found->main_started_monotonic;
}

static void take_processes(Service *service, const UnitFound *found) {
        service->main = watch(service, found->main_pid, found->main_began, false);
        service->control = watch(service, found->control_pid, 0, true);
        if (service->main)
                take_main(service, found);
        if (service->control)
                service->control->ignores_failure = ignores_failure(service);
}

/* Nobody has heard what it may have said meanwhile, and it has the time to say so again. */
static void take_deadline(Service *service, const UnitFound *found) {
        if (found->deadline == UINT64_MAX)
                return;
        service_set_deadline(service, found->deadline);
        if (service->state != SERVICE_IN_START || service_settings_of(service)->type != SERVICE_NOTIFY)
                return;
        service_set_timer(service, service_start_timeout(service));
        if (service->deadline < found->deadline)
                service_set_deadline(service, found->deadline);
}

static int take_service(Orphan *orphan, Reason *reason) {
        Service *const service = orphan->unit->service;
        UnitFound *const found = &orphan->found;

        take_numbers(service, found);
        service->user_name = take_text(&found->user);
        service->program = take_text(&found->program);
        service->status_text = take_text(&found->status);
        service->user = TAKE_PTR(orphan->locked);
        const int r = take_ground(service, found, reason);
        if (r < 0)
                return r;
        take_commands(service, found);
        take_processes(service, found);
        orphan->unit->active = service_active_state(service->state);
        take_deadline(service, found);
        if (service->state == SERVICE_RUNNING)
                service_feed_watchdog(service);
        return 0;
}

/* One that cannot be had is no reason to let go of the others. */
static int orphan_take(Orphan *orphan) {
        ManagedUnit *const unit = orphan->unit;
        _cleanup_(reason_done) Reason reason = {};
        int r = 0;

        (void)stpcpy(unit->invocation, orphan->found.invocation);
        unit->state_changed = orphan->found.state_changed;
        unit->active_since = orphan->found.active_since;
        unit->inactive_since = orphan->found.inactive_since;
        if (unit->service && orphan->found.is_service)
                r = take_service(orphan, &reason);
        else
                unit->active = orphan->found.active;
        managed_unit_changed(unit);
        if (r >= 0 || r == -ENOMEM)
                return r;
        unit_log(unit, LOG_ERR, "%s: Cannot take over what runs of it: %s", unit->name,
                 reason_text(&reason, r));
        if (unit->service)
                service_release(unit->service, false);
        managed_unit_unload(unit);
        return 0;
}

/* What was to be done with it is to be done still. */
static int take_job(const Orphan *orphan) {
        ManagedUnit *const unit = orphan->unit;
        Job *job;

        if (!unit->unit || unit->job || orphan->found.job == JOB_TYPES)
                return 0;
        const int r = job_add(unit, orphan->found.job, false, &job);
        if (r >= 0)
                job->running = orphan->found.job_runs;
        return r;
}

static void resume_service(Orphan *orphan) {
        ManagedUnit *const unit = orphan->unit;

        /* The files of slices may say something else than when it was started. */
        if (unit->service->cgroup)
                service_limit(unit->service);
        if (orphan->lost)
                unit_log(unit, LOG_ERR,
                         "%s: The manager was killed while it started a process, and nobody knows what "
                         "became of that",
                         unit->name);
        service_resume(unit->service, orphan->lost);
}

static void resume(Orphan *orphan) {
        ManagedUnit *const unit = orphan->unit;

        if (!unit->unit)
                return;
        managed_unit_activate_slices(unit);
        if (unit->service)
                resume_service(orphan);
        /* What it was for may have been reached when it was noted last. */
        if (unit->job && unit->job->running)
                job_unit_changed(unit, unit->active);
}

static int say_abandoned(Manager *manager, const char *path) {
        ManagedUnit *unit;

        const int r = managed_unit_get(manager, path_base_name(path), &unit);
        if (r < 0)
                return r;
        unit_log(
                unit, LOG_WARNING,
                "%s: Processes run in the cgroup %s, and there is no note of how they were started; they are "
                "left alone",
                unit->name, path);
        managed_unit_unused(unit);
        return 0;
}

/* Groups in which nobody is go. */
static int look_at_groups(Manager *manager) {
        _cleanup_(strv_freep) char **paths = NULL;

        int r = service_cgroup_list(manager->base, &paths);
        for (char **path = paths; r >= 0 && path && *path; path++) {
                const char *const name = path_base_name(*path);
                const ManagedUnit *const unit = manager_known_unit(manager, name);

                if (unit && unit->service && unit->service->cgroup)
                        continue;
                switch (service_cgroup_use(manager->base, *path)) {
                case CGROUP_EMPTY:
                        (void)service_cgroup_remove(manager->base, *path);
                        break;
                case CGROUP_ABANDONED:
                        r = say_abandoned(manager, *path);
                        break;
                case CGROUP_HELD:
                        break;
                }
        }
        return r == -ENOMEM ? r : 0;
}

int manager_adopt(Manager *manager, Reason *reason) {
        _cleanup_(orphan_list_done) OrphanList list = {};

        int r = orphans_read(manager, &list, reason);
        for (size_t i = 0; r >= 0 && i < list.n_items; i++) {
                complete(&list.items[i]);
                r = lock_user(&list.items[i]);
        }
        for (size_t i = 0; r >= 0 && i < list.n_items; i++)
                r = orphan_take(&list.items[i]);
        if (r >= 0)
                r = look_at_groups(manager);
        for (size_t i = 0; r >= 0 && i < list.n_items; i++)
                r = take_job(&list.items[i]);
        if (r < 0)
                return reason_set(reason, r, "Cannot take over what runs: %m");
        unit_leftover_sweep(manager);
        for (size_t i = 0; i < list.n_items; i++)
                resume(&list.items[i]);
        unit_transient_sweep(manager);
        return 0;
}
