/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <fcntl.h>
#include <stdio.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <systemd/sd-event.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/parse.h"
#include "base/path-walk.h"
#include "base/path.h"
#include "base/text.h"
#include "manager/service-cgroup.h"
#include "manager/service.h"
#include "manager/unit-log.h"
#include "manager/unit-state.h"
#include "unit/specifier.h"

#define PID_FILE_SIZE_MAX 256
#define PID_FILE_BASE     "/run" /* of relative paths */
#define WATCH_TRIES_MAX   64     /* as often as a directory may come while the one above it is watched */

/* What a PID file says, and whether nobody but root can have said so. */
typedef struct PidFile {
        pid_t pid;
        bool is_roots;
} PidFile;

static void take_main(Service *service, Process *process) {
        process_free(service->main);
        service->main = process;
        service->last_main_pid = process->pid;
        service->main_code = service->main_status = 0;
        service->main_started = process->started;
        service->main_started_monotonic = process->started_monotonic;
        service->main_ended = service->main_ended_monotonic = 0;
        managed_unit_changed(service->unit);
}

int service_set_main(Service *service, pid_t pid) {
        Process *process;

        if (service->main && service->main->pid == pid)
                return 0;
        const int r = service_watch_process(service, pid, false, &process);
        if (r >= 0)
                take_main(service, process);
        return r;
}

void service_forget_pid_file(Service *service) {
        service->pid_file = sd_event_source_disable_unref(service->pid_file);
        service->pid_file_refused = false;
}

static int pid_file_path(const Service *service, char **ret) {
        _cleanup_(freep) char *path = NULL;

        const int r =
                specifier_expand(service_settings_of(service)->pid_file, service->unit->name, &path, NULL);
        if (r < 0)
                return r;
        if (path[0] != '/')
                return path_join(PID_FILE_BASE, path, ret);
        *ret = TAKE_PTR(path);
        return 0;
}

static int pid_file_parse(char *text, pid_t *ret) {
        uint64_t number;

        text[strcspn(text, "\n")] = '\0';
        const int r = parse_uint64(text_strip(text), &number);
        if (r < 0)
                return r;
        if (number <= 1 || number > INT32_MAX)
                return -ERANGE;
        *ret = (pid_t)number;
        return 0;
}

/* Of what a walk led to; it is opened for reading only when it is known to be a file. */
static int pid_file_read(const PathWalk *walk, const char *path, PidFile *ret, Reason *reason) {
        _cleanup_(freep) char *text = NULL;
        _cleanup_(fd_closep) int fd = -EBADF;
        char opened[64];
        struct stat status;
        PidFile file = {};

        if (walk->fd == -ENOLINK)
                return reason_set(reason, walk->fd,
                                  "A symbolic link on the way to %s leads to what its owner does not own",
                                  path);
        if (walk->fd < 0)
                return reason_set(reason, walk->fd, "Cannot open %s: %m", path);
        if (fstat(walk->fd, &status) < 0)
                return -errno;
        if (!S_ISREG(status.st_mode))
                return reason_set(reason, -EINVAL, "%s is no regular file", path);
        (void)snprintf(opened, sizeof(opened), "/proc/self/fd/%d", walk->fd);
        fd = open(opened, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
        int r = fd < 0 ? -errno : fd_read_file(fd, PID_FILE_SIZE_MAX, &text, NULL);
        if (r < 0)
                return reason_set(reason, r, "Cannot read %s: %s", path, file_read_error(r));
        if (text[0] == '\0')
                return -ENODATA;
        r = pid_file_parse(text, &file.pid);
        if (r < 0)
                return reason_set(reason, r, "%s has no number of a process", path);
        file.is_roots = walk->is_trusted && status.st_uid == geteuid();
        *ret = file;
        return 0;
}

/* Whoever can write the file must not make us watch, and kill, what is not his. Root can name what is nobody's, such as what
 * another program started for the service; what is another unit's stays that one's. */
static int check_main(const Service *service, const PidFile *file, const char *path, Reason *reason) {
        _cleanup_(freep) char *group = NULL;

        const int r = service_cgroup_of_process(service->unit->manager->base, file->pid, &group);
        if (r >= 0 && text_equal(group, service->cgroup))
                return 0;
        if (r >= 0)
                return reason_set(reason, -EPERM, "%s names process %d, which is one of %s", path,
                                  (int)file->pid, path_base_name(group));
        if (file->is_roots && file->pid != getpid())
                return 0;
        return reason_set(reason, -EPERM, "%s names process %d, which is not one of the service%s", path,
                          (int)file->pid,
                          file->pid == getpid() ? "" : ", and others than root can have written that");
}

/* The process is held first, and looked at then: its number cannot become somebody else's any more. */
static int take_pid_file(Service *service, const PathWalk *walk, const char *path, Reason *reason) {
        PidFile file = {};
        Process *process;

        int r = pid_file_read(walk, path, &file, reason);
        if (r < 0 || (service->main && service->main->pid == file.pid))
                return r;
        const pid_t last_pid = service->last_pid;
        r = service_watch_process(service, file.pid, false, &process);
        if (r < 0)
                return reason_set(reason, r, "%s names process %d: %m", path, (int)file.pid);
        r = check_main(service, &file, path, reason);
        if (r < 0) {
                process_free(process);
                service->last_pid = last_pid;
                return r;
        }
        take_main(service, process);
        return 0;
}

/* What is not there yet, or empty, is waited for in silence. What is refused is said once: files can be written again and
 * again. */
static void log_refusal(Service *service, int r, const Reason *reason) {
        if (r == -ENOENT || r == -ENODATA || service->pid_file_refused)
                return;
        service->pid_file_refused = true;
        unit_log(service->unit, LOG_WARNING, "%s: PIDFile= is not taken (yet): %s", service->unit->name,
                 reason_text(reason, r));
}

static int on_directory(sd_event_source *source, const struct inotify_event *event, void *userdata);

/* 1 when it was watched already. */
static int watch_directory(Service *service, int directory_fd) {
        char path[64];
        struct stat status;

        if (fstat(directory_fd, &status) < 0)
                return -errno;
        if (service->pid_file && service->pid_file_device == status.st_dev &&
            service->pid_file_inode == status.st_ino)
                return 1;
        service->pid_file = sd_event_source_disable_unref(service->pid_file);
        (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", directory_fd);
        const int r = sd_event_add_inotify(service->unit->manager->event, &service->pid_file, path,
                                           IN_CREATE | IN_MOVED_TO | IN_CLOSE_WRITE | IN_ATTRIB |
                                                   IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR,
                                           on_directory, service);
        service->pid_file_device = status.st_dev;
        service->pid_file_inode = status.st_ino;
        return r < 0 ? r : 0;
}

/* Takes what is there, or watches the last directory on the way that is: what is missing comes into being there, be it another
 * directory, which is watched then. 1 when it was taken, -EAGAIN when it is to be waited for. */
static int look_for_pid_file(Service *service) {
        _cleanup_(freep) char *path = NULL;

        int r = pid_file_path(service, &path);
        for (unsigned i = 0; r >= 0 && i < WATCH_TRIES_MAX; i++) {
                _cleanup_(path_walk_done) PathWalk walk = { .fd = -EBADF, .directory_fd = -EBADF };
                _cleanup_(reason_done) Reason reason = {};

                r = path_walk(path, &walk);
                if (r < 0)
                        return r;
                r = take_pid_file(service, &walk, path, &reason);
                if (r >= 0)
                        return 1;
                log_refusal(service, r, &reason);
                /* Something may have come between looking and watching. */
                r = watch_directory(service, walk.directory_fd);
                if (r > 0)
                        return -EAGAIN;
        }
        return r < 0 ? r : -EAGAIN;
}

static int on_directory(sd_event_source *source, const struct inotify_event *event, void *userdata) {
        Service *const service = userdata;

        /* One that is gone, or elsewhere, tells of nothing any more. */
        if (event->mask & (IN_IGNORED | IN_DELETE_SELF | IN_MOVE_SELF))
                service->pid_file = sd_event_source_disable_unref(service->pid_file);
        const int r = look_for_pid_file(service);
        if (r == -EAGAIN)
                return 0;
        if (r >= 0)
                service_enter_start_post(service);
        else
                service_enter_signal(service, SERVICE_STOP_SIGTERM, SERVICE_FAILURE_RESOURCES);
        return 0;
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
        return service_settings_of(service)->pid_file ? look_for_pid_file(service) : guess_main(service);
}

bool service_follow_pid_file(Service *service) {
        const UnitSettings *const settings = service_settings_of(service);
        const Process *const before = service->main;
        _cleanup_(path_walk_done) PathWalk walk = { .fd = -EBADF, .directory_fd = -EBADF };
        _cleanup_(freep) char *path = NULL;

        if (settings->type != SERVICE_FORKING || !settings->pid_file ||
            (service->state != SERVICE_RUNNING && service->state != SERVICE_IN_RELOAD))
                return false;
        if (pid_file_path(service, &path) < 0 || path_walk(path, &walk) < 0 ||
            take_pid_file(service, &walk, path, NULL) < 0 || service->main == before)
                return false;
        unit_log(service->unit, LOG_INFO, "%s: The main process is %d now, as %s says", service->unit->name,
                 (int)service->main->pid, path);
        (void)unit_state_write(service->unit);
        return true;
}

void service_remove_pid_file(const Service *service) {
        _cleanup_(path_walk_done) PathWalk walk = { .fd = -EBADF, .directory_fd = -EBADF };
        _cleanup_(freep) char *path = NULL, *directory = NULL;

        if (!service_settings_of(service)->pid_file || pid_file_path(service, &path) < 0 ||
            path_parent(path, &directory) < 0 || path_walk(directory, &walk) < 0 || walk.fd < 0)
                return;
        if (unlinkat(walk.fd, path_base_name(path), 0) < 0 && errno != ENOENT)
                unit_log(service->unit, LOG_WARNING, "%s: Cannot remove %s: %m", service->unit->name, path);
}
