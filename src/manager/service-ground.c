/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <fcntl.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <systemd/sd-event.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file-lock.h"
#include "base/path.h"
#include "base/text.h"
#include "manager/log-pipe.h"
#include "manager/service-cgroup.h"
#include "manager/service-number.h"
#include "manager/service-shared.h"
#include "manager/service-user.h"
#include "manager/service.h"
#include "manager/unit-state.h"
#include "unit/specifier.h"
#include "user/user-name.h"

static bool has_private_tmp(const UnitSettings *settings) {
        return settings->private_tmp == TRUTH_YES || service_is_dynamic(settings);
}

static int on_group(sd_event_source *source, int fd, uint32_t events, void *userdata) {
        Service *const service = userdata;

        if (!service_group_is_populated(service))
                service_group_empty(service);
        return 0;
}

int service_watch_group(Service *service, int cgroup_fd) {
        service->events_fd = service_cgroup_events_open(cgroup_fd);
        if (service->events_fd < 0)
                return service->events_fd;
        const int r = sd_event_add_io(service->unit->manager->event, &service->events, service->events_fd,
                                      EPOLLPRI, on_group, service);
        if (r < 0)
                return r;
        (void)service_group_is_populated(service);
        return sd_event_source_set_priority(service->events, PRIORITY_CGROUP);
}

bool service_group_is_populated(const Service *service) {
        return service->events_fd >= 0 && service_cgroup_is_populated(service->events_fd) > 0;
}

bool service_group_has(const Service *service, pid_t pid) {
        _cleanup_(freep) char *path = NULL;

        return service->cgroup && service_cgroup_of_process(service->unit->manager->base, pid, &path) >= 0 &&
               text_equal(path, service->cgroup);
}

int service_kill_group(const Service *service, int signal, pid_t except) {
        _cleanup_(fd_closep) int fd = -EBADF;

        if (!service->cgroup)
                return 0;
        fd = service_cgroup_open(service->unit->manager->base, service->cgroup);
        return fd < 0 ? fd : service_cgroup_kill(fd, signal, except);
}

void service_forget_group(Service *service) {
        service->events = sd_event_source_disable_unref(service->events);
        service->events_fd = fd_close(service->events_fd);
        free(service->cgroup);
        service->cgroup = NULL;
}

int service_lock_group(Service *service, Reason *reason) {
        pid_t holder;

        const int r = file_lock(service->events_fd, FILE_LOCK_EXCLUSIVE, &holder);
        if (r == 0)
                return reason_set(
                        reason, -EBUSY,
                        "Another manager (process %d) runs a unit of this name already; say another "
                        "one with --unit=",
                        (int)holder);
        return r < 0 ? reason_set(reason, r, "Cannot lock the cgroup %s: %m", service->cgroup) : 0;
}

static int prepare_group(Service *service, Reason *reason) {
        const ManagedUnit *const unit = service->unit;
        _cleanup_(fd_closep) int fd = -EBADF;

        /* Of a run that left processes behind. */
        if (service->cgroup)
                return 0;
        int r = service_cgroup_path(unit->name, unit->slice, &service->cgroup);
        if (r < 0)
                return reason_set(reason, r, "Slice=%s is no slice that a unit can be in: %m",
                                  unit->slice ?: "");
        r = service_cgroup_make(unit->manager->base, service->cgroup, &fd, reason);
        if (r >= 0)
                r = service_watch_group(service, fd);
        if (r < 0)
                return reason_set(reason, r, "Cannot watch the cgroup %s: %m", service->cgroup);
        r = service_lock_group(service, reason);
        if (r < 0)
                service_forget_group(service); /* nothing in it is ours */
        return r;
}

static int prepare_log(Service *service, Reason *reason) {
        _cleanup_(freep) char *path = NULL;

        if (!service->unit->manager->log || service->log)
                return 0;
        int r = unit_state_path(service->unit, "log", &path);
        if (r >= 0)
                r = log_pipe_open(service->unit, path, &service->log);
        return r < 0 ? reason_set(reason, r, "Cannot make the FIFO for the log: %m") : 0;
}

static int prepare_user(Service *service, Reason *reason) {
        const UnitSettings *const settings = service_settings_of(service);
        const ManagedUnit *const unit = service->unit;
        _cleanup_(freep) char *name = NULL;

        if (service->user)
                return 0;
        int r = user_name_of_service(settings, unit->name, &name, reason);
        if (r > 0)
                r = service_user_get(unit->manager, name, &service->user);
        return r < 0 ? reason_set(reason, r, "Cannot prepare a dynamic user: %m") : 0;
}

static int prepare_shared(Service *service, Reason *reason) {
        const UnitSettings *const settings = service_settings_of(service);
        int r = 0;

        if (has_private_tmp(settings) && !service->tmp)
                r = shared_tmp_get(service, &service->tmp, reason);
        if (r < 0)
                return reason_set(reason, r, "Cannot make directories for temporary files: %m");
        if (settings->private_network == TRUTH_YES && !service->network)
                r = shared_network_get(service, &service->network);
        return r < 0 ? reason_set(reason, r, "Cannot prepare a network namespace: %m") : 0;
}

int service_prepare(Service *service, Reason *reason) {
        _cleanup_(freep) char *directory = NULL;

        int r = unit_state_path(service->unit, "", &directory);
        if (r >= 0)
                r = path_make_directories(AT_FDCWD, directory, 0755);
        if (r < 0)
                return reason_set(reason, r, "Cannot make the directory for the state: %m");
        r = prepare_group(service, reason);
        if (r >= 0) {
                service_limit(service);
                r = prepare_log(service, reason);
        }
        if (r >= 0)
                r = prepare_user(service, reason);
        return r < 0 ? r : prepare_shared(service, reason);
}

void service_set_identity(Service *service, uid_t uid, gid_t gid, const char *name) {
        if (!service->counts_number && uid != 0)
                service->counts_number = service_number_get(service->unit->manager, uid) >= 0;
        service->has_identity = true;
        service->uid = uid;
        service->gid = gid;
        (void)text_replace(&service->user_name, text_is_empty(name) ? NULL : name);
        managed_unit_changed(service->unit);
        (void)unit_state_write(service->unit);
}

/* The counters go with the group. */
static void note_counters(Service *service) {
        _cleanup_(fd_closep) int fd = -EBADF;

        fd = service_cgroup_open(service->unit->manager->base, service->cgroup);
        if (fd >= 0)
                (void)service_cgroup_cpu_nsec(fd, &service->cpu_nsec);
}

void service_release(Service *service, bool ended) {
        Manager *const manager = service->unit->manager;

        log_pipe_free(service->log);
        service->log = NULL;
        if (service->cgroup && ended) {
                note_counters(service);
                (void)service_cgroup_remove(manager->base, service->cgroup);
                for (ControllerKind kind = 0; kind < CONTROLLER_KINDS; kind++)
                        controller_take(&manager->controllers[kind], service->cgroup);
        }
        service_forget_group(service);
        if (service->counts_number)
                service_number_put(manager, service->uid);
        service->counts_number = false;
        if (ended)
                service_user_put(service->user);
        else
                service_user_leave(service->user);
        service->user = NULL;
        shared_tmp_put(service->tmp);
        service->tmp = NULL;
        shared_network_put(service->network, ended);
        service->network = NULL;
        service->has_identity = service->is_unknown = false;
}
