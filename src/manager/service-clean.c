/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <systemd/sd-event.h>
#include <unistd.h>

#include "base/fd.h"
#include "exec/exec-directories.h"
#include "manager/service-number.h"
#include "manager/service-shared.h"
#include "manager/service-user.h"
#include "manager/service.h"
#include "manager/unit-log.h"
#include "user/ipc-objects.h"

#define CLEANER_NAME    "mkosi-clean"
#define REPORT_SIZE_MAX 4096

/* What a run has left that may be anything: trees of any size, made by whoever the service is. */
typedef struct Remains {
        bool directories, objects;
        const PrivateTmp *tmp; /* NULL: none */
} Remains;

static bool runtime_goes(const Service *service) {
        const UnitSettings *const settings = service_settings_of(service);
        const Job *const job = service->unit->job;
        const bool comes_back = (job && job->type == JOB_RESTART) || service_wants_restart(service);

        return settings->directories[EXEC_DIRECTORY_RUNTIME] &&
               settings->runtime_directory_preserve != PRESERVE_YES &&
               !(settings->runtime_directory_preserve == PRESERVE_RESTART && comes_back);
}

/* Of services of one user that end together each has a cleaner, and the last one to come here sweeps. The number itself is
 * kept by all of them until their cleaners have ended (service_release). */
static bool drop_number(Service *service) {
        Manager *const manager = service->unit->manager;

        if (!service->counts_number)
                return false;
        const bool last = service_number_is_last(manager, service->uid);
        service_number_put(manager, service->uid);
        service->counts_number = false;
        return last;
}

/* The same of directories for temporary files: NULL while another service has them. */
static const PrivateTmp *drop_tmp(Service *service) {
        if (!service->tmp)
                return NULL;
        if (shared_tmp_is_last(service->tmp))
                return shared_tmp_paths(service->tmp);
        shared_tmp_put(service->tmp);
        service->tmp = NULL;
        return NULL;
}

/* Nobody of the service is left. */
static Remains find_remains(Service *service) {
        const UnitSettings *const settings = service_settings_of(service);
        const bool removes_ipc = settings->remove_ipc == TRUTH_YES || service_is_dynamic(settings),
                   last = drop_number(service);

        return (Remains){
                .directories = runtime_goes(service),
                .objects = removes_ipc && last,
                .tmp = drop_tmp(service),
        };
}

static int remove_directories(const Service *service, Reason *reason) {
        const UnitSettings *const settings = service_settings_of(service);
        _cleanup_(exec_directories_done) ExecDirectories directories = {};
        int exit_status;

        const int r = exec_directories_plan(settings, service->unit->name, service_is_dynamic(settings),
                                            &directories, &exit_status, reason);
        return r < 0 ? r : exec_directories_remove_runtime(&directories, reason);
}

/* The group that was made with a dynamic user is nobody else's; that of Group=, or of a user of the host who took the place of
 * the dynamic one, may be anybody's. */
static gid_t group_of(const Service *service) {
        return service_user_is_dynamic(service->user) && service->gid == service->uid ? service->gid
                                                                                      : IPC_GROUP_NONE;
}

/* What cannot be removed stays, and does not keep the rest. What went wrong is said to the descriptor, a line each. False when
 * something was. */
static bool remove_remains(const Service *service, const Remains *remains, int report_fd) {
        _cleanup_(reason_done) Reason directories = {}, objects = {}, files = {};
        bool all = true;

        int r = remains->directories ? remove_directories(service, &directories) : 0;
        all &= r >= 0;
        if (r < 0)
                (void)dprintf(report_fd, "Cannot remove the runtime directories: %s\n",
                              reason_text(&directories, r));
        r = remains->objects ? ipc_objects_remove(service->uid, group_of(service), &objects) : 0;
        all &= r >= 0;
        if (r < 0)
                (void)dprintf(report_fd, "Cannot remove what user %u left in memory: %s\n",
                              (unsigned)service->uid, reason_text(&objects, r));
        if (remains->tmp) {
                r = private_tmp_remove(remains->tmp, &files);
                all &= r >= 0;
                if (r < 0)
                        (void)dprintf(report_fd, "Cannot remove temporary files: %s\n",
                                      reason_text(&files, r));
        }
        return all;
}

static void log_report(const Service *service) {
        char text[REPORT_SIZE_MAX + 1];
        char *rest = text, *line;

        const ssize_t n = read(service->cleaner_report_fd, text, REPORT_SIZE_MAX);
        if (n <= 0)
                return;
        text[n] = '\0';
        while ((line = strsep(&rest, "\n")))
                if (*line)
                        unit_log(service->unit, LOG_WARNING, "%s: %s", service->unit->name, line);
}

/* Who gets the number next would own it. */
static void keep_number(Service *service) {
        if (!service_user_is_dynamic(service->user))
                return;
        service_user_note_left(service->user);
        unit_log(
                service->unit, LOG_WARNING,
                "%s: User number %u is given to nobody else, since something of it is left: remove what is in the "
                "way, then start and stop the service once more",
                service->unit->name, (unsigned)service->uid);
}

/* The run was over before, and what the unit is stays what that has made of it. A start may have waited. */
static void left_behind_cleaned(Service *service) {
        service->cleans_left_behind = false;
        service_release(service, true);
        managed_unit_set_active(service->unit, service->unit->active);
}

/* The group of a service in which somebody is left stays as it is, and so do the user and the log. */
static void cleaned(Service *service) {
        if (service->cleans_left_behind) {
                left_behind_cleaned(service);
                return;
        }
        if (!service_group_is_populated(service))
                service_release(service, true);
        service_finish(service);
}

static int on_cleaner(sd_event_source *source, int fd, uint32_t events, void *userdata) {
        Service *const service = userdata;
        siginfo_t info = {};

        const int r = waitid(P_PIDFD, (id_t)service->cleaner_fd, &info, WEXITED | WNOHANG);
        if (r >= 0 && info.si_pid == 0)
                return 0;
        log_report(service);
        if (r < 0 || info.si_code != CLD_EXITED || info.si_status != EXIT_SUCCESS)
                keep_number(service);
        service_forget_cleaner(service);
        cleaned(service);
        return 0;
}

void service_forget_cleaner(Service *service) {
        service->cleaner = sd_event_source_disable_unref(service->cleaner);
        service->cleaner_fd = fd_close(service->cleaner_fd);
        service->cleaner_report_fd = fd_close(service->cleaner_report_fd);
}

/* In a process of its own: the manager waits for nothing. */
static int cleaner_start(Service *service, const Remains *remains) {
        _cleanup_(fd_closep) int write_fd = -EBADF;
        sigset_t none;
        int ends[2];

        if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0)
                return -errno;
        service->cleaner_report_fd = ends[0];
        write_fd = ends[1];
        const pid_t pid = fork();
        if (pid == 0) {
                (void)prctl(PR_SET_NAME, CLEANER_NAME);
                /* The next manager need not wait for us: its lock and its sockets are not ours. */
                if (write_fd > STDERR_FILENO + 1)
                        (void)close_range(STDERR_FILENO + 1, (unsigned)write_fd - 1, 0);
                (void)close_range((unsigned)write_fd + 1, ~0U, 0);
                (void)sigemptyset(&none);
                (void)sigprocmask(SIG_SETMASK, &none, NULL);
                _exit(remove_remains(service, remains, write_fd) ? EXIT_SUCCESS : EXIT_FAILURE);
        }
        if (pid < 0)
                return -errno;
        service->cleaner_fd = (int)syscall(SYS_pidfd_open, pid, 0);
        if (service->cleaner_fd < 0)
                return -errno;
        const int r = sd_event_add_io(service->unit->manager->event, &service->cleaner, service->cleaner_fd,
                                      EPOLLIN, on_cleaner, service);
        return r < 0 ? r : sd_event_source_set_priority(service->cleaner, PRIORITY_PROCESS);
}

void service_clean(Service *service) {
        if (service->cleaner)
                return;
        if (service_group_is_populated(service)) {
                cleaned(service);
                return;
        }
        const Remains remains = find_remains(service);
        if (!remains.directories && !remains.objects && !remains.tmp) {
                cleaned(service);
                return;
        }
        if (!service->cleans_left_behind)
                service_set_state(service, SERVICE_CLEANING);
        const int r = cleaner_start(service, &remains);
        if (r >= 0)
                return;
        errno = -r;
        unit_log(service->unit, LOG_ERR, "%s: Cannot start a process that removes what it left: %m",
                 service->unit->name);
        service_forget_cleaner(service);
        keep_number(service);
        cleaned(service);
}

void service_clean_left_behind(Service *service) {
        if (service->cleaner || service_group_is_populated(service))
                return;
        service->cleans_left_behind = true;
        service_clean(service);
}
