/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <fcntl.h>
#include <stdio.h>
#include <sys/wait.h>
#include <systemd/sd-event.h>
#include <time.h>

#include "base/fd.h"
#include "base/file-lock.h"
#include "base/path.h"
#include "base/strv.h"
#include "base/text.h"
#include "base/tree.h"
#include "manager/hand-over.h"
#include "manager/notify-socket.h"
#include "manager/service-cgroup.h"
#include "manager/service.h"
#include "manager/unit-log.h"
#include "manager/unit-state.h"
#include "manager/unit-transient.h"
#include "sandbox/cgroup.h"

#define LOCK_NAP_NSEC 5000000
#define LOCK_NAPS_MAX 200

/* Tells of all that has changed in this turn, once for each unit. */
static void tell_changes(Manager *manager) {
        ManagedUnit *unit;

        while ((unit = STAILQ_FIRST(&manager->changed))) {
                STAILQ_REMOVE_HEAD(&manager->changed, changed);
                unit->in_changed = false;
                if (manager->events.unit_changed && unit->unit)
                        manager->events.unit_changed(unit, manager->events.userdata);
        }
}

static bool can_be_forgotten(const ManagedUnit *unit) {
        if (unit->job || unit->n_holds > 0 || (unit->service && unit->service->cgroup))
                return false;
        /* Why it was not started is kept for whoever wonders, as failures are. */
        if (!unit->transient && managed_unit_was_refused(unit))
                return false;
        return unit->active == UNIT_INACTIVE ||
               (unit->active == UNIT_FAILED && unit->unit &&
                managed_unit_settings(unit)->collect_mode == COLLECT_INACTIVE_OR_FAILED);
}

static void forget(ManagedUnit *unit) {
        Manager *const manager = unit->manager;

        if (!can_be_forgotten(unit) || unit->alias_of)
                return;
        if (unit->unit) {
                if (unit->active == UNIT_FAILED)
                        unit_state_remove(unit);
                if (unit->transient)
                        unit_transient_remove(unit);
                managed_unit_unload(unit);
                if (manager->events.unit_removed)
                        manager->events.unit_removed(unit->name, manager->events.userdata);
        }
        if (!unit_edges_named(unit))
                managed_unit_free(unit);
}

static void forget_unused(Manager *manager) {
        ManagedUnit *unit;

        while ((unit = STAILQ_FIRST(&manager->unused))) {
                STAILQ_REMOVE_HEAD(&manager->unused, unused);
                unit->in_unused = false;
                forget(unit);
        }
}

static int on_work(sd_event_source *source, void *userdata) {
        Manager *const manager = userdata;

        job_run_queue(manager);
        tell_changes(manager);
        job_tell_ended(manager);
        forget_unused(manager);
        return 0;
}

void manager_schedule(Manager *manager) {
        if (manager->work)
                (void)sd_event_source_set_enabled(manager->work, SD_EVENT_ONESHOT);
}

static int copy_paths(const RuntimePaths *from, RuntimePaths *to) {
        int r = text_copy(from->runtime, &to->runtime);

        if (r >= 0)
                r = text_copy(from->config, &to->config);
        if (r >= 0)
                r = text_copy(from->registry, &to->registry);
        return r < 0 ? r : text_copy(from->user_records, &to->user_records);
}

/* Own directories come first, in the order of precedence. */
static int find_unit_paths(Manager *manager, const ManagerOptions *options) {
        _cleanup_(strv_freep) char **own = NULL;

        int r = strv_append_format(&own, "%s/system.control", manager->paths.config);
        if (r >= 0)
                r = strv_append_format(&own, "%s/system.control", manager->paths.runtime);
        if (r >= 0)
                r = strv_append_format(&own, "%s/transient", manager->paths.runtime);
        if (r < 0)
                return r;
        if (!options->unit_paths)
                return unit_paths_new(options->root ?: "/", STRV(own), &manager->unit_paths);
        r = strv_extend(&own, options->unit_paths);
        if (r >= 0)
                manager->unit_paths.directories = TAKE_PTR(own);
        return r;
}

static int open_directory(const char *path) {
        const int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        return fd < 0 ? -errno : fd;
}

static int open_log(Manager *manager, Reason *reason) {
        _cleanup_(freep) char *path = NULL;

        const int r = path_join(manager->paths.runtime, "log", &path);
        return r < 0 ? r : log_store_open(path, &manager->log, reason);
}

/* Of a manager that was killed just now, something may need a moment to go. */
static int lock_soon(int fd, FileLock lock, pid_t *ret_holder) {
        const struct timespec nap = { .tv_nsec = LOCK_NAP_NSEC };
        int r;

        for (unsigned i = 0; (r = file_lock(fd, lock, ret_holder)) == 0 && i < LOCK_NAPS_MAX; i++)
                (void)nanosleep(&nap, NULL);
        return r;
}

/* Only those are there that share it: they give us what they run. */
static int take_over(Manager *manager, const ManagerOptions *options, Reason *reason) {
        _cleanup_(freep) char *base = NULL;
        pid_t holder;

        int r = service_cgroup_base(options->cgroup, &base, reason);
        if (r >= 0)
                r = hand_over_ask(manager->lock_fd, base, &holder);
        if (r == 0)
                return reason_set(
                        reason, -EBUSY,
                        "Without a manager, mkosi-run (process %d) runs a service that it cannot hand over, "
                        "since somebody waits for it, or since its control group is not below %s: let it end "
                        "first",
                        (int)holder, base);
        return r < 0 ? reason_set(reason, r, "Cannot take over what runs without a manager: %m") : 0;
}

/* Two managers would take each other's sockets, and services; those that have one service each and no socket do not. */
static int lock_runtime(Manager *manager, const ManagerOptions *options, Reason *reason) {
        pid_t holder;

        manager->lock_fd = open_directory(manager->paths.runtime);
        if (manager->lock_fd < 0)
                return manager->lock_fd;
        const FileLock lock = options->shares ? FILE_LOCK_SHARED : FILE_LOCK_EXCLUSIVE;
        int r = file_lock(manager->lock_fd, lock, &holder);
        if (r != 0)
                return r;
        if (!options->shares) {
                r = file_lock(manager->lock_fd, FILE_LOCK_SHARED, &holder);
                if (r != 0)
                        return r < 0 ? r : take_over(manager, options, reason);
        }
        r = lock_soon(manager->lock_fd, lock, &holder);
        if (r != 0)
                return r;
        return reason_set(reason, -EBUSY,
                          "Another manager (process %d) has %s; a second one needs another runtime directory",
                          (int)holder, manager->paths.runtime);
}

static int prepare_paths(Manager *manager, const ManagerOptions *options, Reason *reason) {
        int r = copy_paths(&options->paths, &manager->paths);

        if (r >= 0)
                r = text_copy(options->helper ?: SERVICE_HELPER, &manager->helper);
        if (r >= 0)
                r = find_unit_paths(manager, options);
        if (r < 0)
                return r;
        r = runtime_paths_make(&manager->paths);
        if (r >= 0)
                r = lock_runtime(manager, options, reason);
        if (r >= 0)
                r = manager->registry_fd = open_directory(manager->paths.registry);
        if (r >= 0)
                r = manager->records_fd = open_directory(manager->paths.user_records);
        return r < 0 ? reason_set(reason, r, "Cannot make the directories below %s: %m",
                                  manager->paths.runtime)
                     : service_cgroup_base(options->cgroup, &manager->base, reason);
}

/* Whichever hierarchy has them. */
static int find_controllers(Manager *manager) {
        _cleanup_(freep) char *path = NULL;

        int r = service_cgroup_base_path(manager->base, &path);
        for (ControllerKind kind = 0; r >= 0 && kind < CONTROLLER_KINDS; kind++) {
                _cleanup_(freep) char *own = NULL;

                r = cgroup_own_of_controller(controller_name(kind), &own);
                if (r != -ENOMEM)
                        r = controller_find(kind, manager->base, own, path, &manager->controllers[kind]);
        }
        return r;
}

int manager_new(sd_event *event, const ManagerOptions *options, Manager **ret, Reason *reason) {
        _cleanup_(manager_freep) Manager *manager = calloc(1, sizeof(Manager));

        if (!manager)
                return -ENOMEM;
        manager->event = sd_event_ref(event);
        manager->shares = options->shares;
        manager->registry_fd = manager->records_fd = manager->notify_fd = manager->lock_fd = -EBADF;
        TAILQ_INIT(&manager->every_job);
        STAILQ_INIT(&manager->jobs);
        STAILQ_INIT(&manager->ended);
        STAILQ_INIT(&manager->changed);
        STAILQ_INIT(&manager->unused);

        int r = prepare_paths(manager, options, reason);
        if (r >= 0)
                r = find_controllers(manager);
        if (r >= 0 && !options->no_log_store)
                r = open_log(manager, reason);
        if (r >= 0)
                r = manager_find_conf(manager, options);
        if (r >= 0)
                r = manager_read_conf(manager);
        if (r >= 0)
                r = notify_socket_open(manager, options->shares, reason);
        if (r >= 0)
                r = sd_event_add_defer(event, &manager->work, on_work, manager);
        if (r >= 0)
                r = sd_event_source_set_priority(manager->work, PRIORITY_WORK);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(manager);
        return 0;
}

static void free_units(Manager *manager) {
        _cleanup_(freep) void **units = NULL;
        size_t n_units;

        if (name_table_list(&manager->units, &units, &n_units) < 0)
                return;
        for (size_t i = 0; i < n_units; i++) {
                ManagedUnit *const unit = units[i];

                if (unit->job)
                        job_forget(unit->job);
                /* Aliases go with what they stand for. */
                if (unit->alias_of)
                        units[i] = NULL;
                else
                        managed_unit_unload(unit);
        }
        for (size_t i = 0; i < n_units; i++)
                managed_unit_free(units[i]);
}

bool manager_is_asked_for(const Manager *manager) {
        return hand_over_is_asked(manager->lock_fd, manager->base);
}

void manager_free(Manager *manager) {
        if (!manager)
                return;
        manager->events = (ManagerEvents){};
        job_forget_ended(manager);
        free_units(manager);
        manager->work = sd_event_source_disable_unref(manager->work);
        notify_socket_close(manager);
        log_store_free(manager->log);
        (void)fd_close(manager->registry_fd);
        (void)fd_close(manager->records_fd);
        (void)fd_close(manager->lock_fd);
        name_table_done(&manager->units);
        name_table_done(&manager->users);
        name_table_done(&manager->processes);
        name_table_done(&manager->numbers);
        runtime_paths_done(&manager->paths);
        unit_paths_done(&manager->unit_paths);
        unit_paths_done(&manager->conf_paths);
        system_conf_free(manager->conf);
        for (ControllerKind kind = 0; kind < CONTROLLER_KINDS; kind++)
                controller_done(&manager->controllers[kind]);
        free(manager->base);
        free(manager->helper);
        sd_event_unref(manager->event);
        free(manager);
}

int manager_reload(Manager *manager, Reason *reason) {
        _cleanup_(freep) void **units = NULL;
        size_t n_units;

        int r = manager_read_conf(manager);
        if (r >= 0)
                r = name_table_list(&manager->units, &units, &n_units);
        if (r < 0)
                return r;
        for (size_t i = 0; i < n_units; i++) {
                ManagedUnit *const unit = units[i];

                if (unit->alias_of)
                        managed_unit_free(unit);
                else if (unit->unit) {
                        unit->stale = true;
                        managed_unit_forget_conditions(unit);
                }
        }
        return manager_read_slices(manager);
}

int manager_find_unit(Manager *manager, const char *name, ManagedUnit **ret) {
        ManagedUnit *unit;

        int r = managed_unit_get(manager, name, &unit);
        if (r >= 0)
                r = managed_unit_load(&unit);
        if (r < 0)
                return r;
        managed_unit_unused(unit);
        *ret = unit;
        return 0;
}

ManagedUnit *manager_known_unit(Manager *manager, const char *name) {
        ManagedUnit *unit = name_table_find(&manager->units, name);

        if (unit && unit->alias_of)
                unit = unit->alias_of;
        return unit && unit->unit ? unit : NULL;
}

ManagedUnit *manager_unit_of_process(Manager *manager, pid_t pid) {
        _cleanup_(freep) char *path = NULL;
        const Process *process;
        char key[16];

        (void)snprintf(key, sizeof(key), "%d", (int)pid);
        process = name_table_find(&manager->processes, key);
        if (process)
                return process->unit;
        if (service_cgroup_of_process(manager->base, pid, &path) < 0)
                return NULL;
        return manager_known_unit(manager, path_base_name(path));
}

int manager_list_units(Manager *manager, ManagedUnit ***ret, size_t *ret_n) {
        void **objects;
        size_t n_objects, n = 0;

        const int r = name_table_list(&manager->units, &objects, &n_objects);
        if (r < 0)
                return r;
        for (size_t i = 0; i < n_objects; i++) {
                ManagedUnit *const unit = objects[i];

                if (unit->unit && !unit->alias_of)
                        objects[n++] = unit;
        }
        *ret = (ManagedUnit **)objects;
        *ret_n = n;
        return 0;
}

void manager_set_events(Manager *manager, const ManagerEvents *events) {
        manager->events = events ? *events : (ManagerEvents){};
}

LogStore *manager_log(Manager *manager) {
        return manager->log;
}

const UnitPaths *manager_unit_paths(const Manager *manager) {
        return &manager->unit_paths;
}

int manager_reap_orphans(Manager *manager) {
        for (;;) {
                siginfo_t info = {};
                char key[16];

                if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) < 0)
                        return errno == ECHILD ? 0 : -errno;
                if (info.si_pid == 0)
                        return 0;
                (void)snprintf(key, sizeof(key), "%d", (int)info.si_pid);
                Process *const process = name_table_find(&manager->processes, key);
                if (!process)
                        (void)waitid(P_PID, (id_t)info.si_pid, &info, WEXITED | WNOHANG);
                else if (!process_take_end(process))
                        return 0;
        }
}
