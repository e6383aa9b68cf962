/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <fcntl.h>
#include <sys/inotify.h>
#include <systemd/sd-event.h>

#include "base/fd.h"
#include "base/parse.h"
#include "base/path.h"
#include "base/text.h"
#include "manager/service-cgroup.h"
#include "manager/service.h"
#include "manager/unit-log.h"
#include "unit/specifier.h"

#define PID_FILE_SIZE_MAX 256

int service_set_main(Service *service, pid_t pid) {
        Process *process;

        if (service->main && service->main->pid == pid)
                return 0;
        const int r = service_watch_process(service, pid, false, &process);
        if (r < 0)
                return r;
        process_free(service->main);
        service->main = process;
        service->last_main_pid = pid;
        service->main_code = service->main_status = 0;
        service->main_started = process->started;
        service->main_started_monotonic = process->started_monotonic;
        service->main_ended = service->main_ended_monotonic = 0;
        managed_unit_changed(service->unit);
        return 0;
}

void service_forget_pid_file(Service *service) {
        service->pid_file = sd_event_source_disable_unref(service->pid_file);
}

static bool is_in_group(const Service *service, pid_t pid) {
        _cleanup_(freep) char *path = NULL;

        return service_cgroup_of_process(service->unit->manager->base, pid, &path) >= 0 &&
               text_equal(path, service->cgroup);
}

/* The number in the file. Whoever can write it, or put a link in its place, must not make us watch, and kill, what is not
 * his: only a process of the service's own group is taken. */
static int pid_file_read(const Service *service, const char *path, pid_t *ret) {
        _cleanup_(freep) char *text = NULL;
        _cleanup_(fd_closep) int fd = -EBADF;
        uint64_t number;

        fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
        if (fd < 0)
                return -errno;
        int r = fd_read_file(fd, PID_FILE_SIZE_MAX, &text, NULL);
        if (r >= 0)
                r = parse_uint64(text_strip(text), &number);
        if (r < 0)
                return r;
        if (number <= 1 || number > INT32_MAX)
                return -ERANGE;
        if (!is_in_group(service, (pid_t)number))
                return -EPERM;
        *ret = (pid_t)number;
        return 0;
}

static int take_pid_file(Service *service, const char *path) {
        pid_t pid = 0;

        const int r = pid_file_read(service, path, &pid);
        return r < 0 ? r : service_set_main(service, pid);
}

static int on_directory(sd_event_source *source, const struct inotify_event *event, void *userdata) {
        Service *const service = userdata;
        _cleanup_(freep) char *path = NULL;

        if (specifier_expand(service_settings_of(service)->pid_file, service->unit->name, &path, NULL) < 0 ||
            take_pid_file(service, path) < 0)
                return 0;
        service_enter_start_post(service);
        return 0;
}

static int wait_for_pid_file(Service *service, const char *path) {
        _cleanup_(freep) char *directory = NULL;

        int r = path_parent(path, &directory);
        if (r >= 0)
                r = sd_event_add_inotify(service->unit->manager->event, &service->pid_file, directory,
                                         IN_CREATE | IN_MOVED_TO | IN_CLOSE_WRITE | IN_ONLYDIR, on_directory,
                                         service);
        if (r < 0)
                return r;
        /* It may have come between the two. */
        return take_pid_file(service, path) >= 0 ? 1 : -EAGAIN;
}

/* Without a file: the only process that is there. */
static int guess_main(Service *service) {
        _cleanup_(fd_closep) int fd = -EBADF;
        _cleanup_(freep) pid_t *pids = NULL;
        size_t n_pids;

        fd = service_cgroup_open(service->unit->manager->base, service->cgroup);
        if (fd < 0)
                return fd;
        int r = service_cgroup_processes(fd, &pids, &n_pids);
        if (r < 0 || n_pids != 1)
                return r < 0 ? r : 0;
        r = service_set_main(service, pids[0]);
        return r == -ESRCH ? 0 : r < 0 ? r : 1;
}

int service_find_main(Service *service) {
        const char *const setting = service_settings_of(service)->pid_file;
        _cleanup_(freep) char *path = NULL;

        if (!setting)
                return guess_main(service);
        int r = specifier_expand(setting, service->unit->name, &path, NULL);
        if (r < 0)
                return r;
        r = take_pid_file(service, path);
        if (r >= 0)
                return 1;
        if (r != -ENOENT)
                unit_log(service->unit, LOG_WARNING, "%s: %s has no number of a process of the service (yet)",
                         service->unit->name, path);
        return wait_for_pid_file(service, path);
}
