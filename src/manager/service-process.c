/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <inttypes.h>
#include <linux/ioctl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <systemd/sd-event.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/parse.h"
#include "base/strv.h"
#include "base/text.h"
#include "base/time-span.h"
#include "exec/exec-environment.h"
#include "manager/service-cgroup.h"
#include "manager/service-shared.h"
#include "manager/service-user.h"
#include "manager/service.h"
#include "manager/unit-log.h"
#include "manager/unit-state.h"
#include "unit/exit-status-set.h"

#define PATH_DEFAULT  "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
#define STAT_SIZE_MAX 4096
#define STAT_NAME     2  /* comm, proc_pid_stat(5) */
#define STAT_BEGAN    22 /* starttime */
#define LANG_DEFAULT  "LANG=C.UTF-8"

/* How a process ended that is not our child, as newer kernels tell (linux/pidfd.h, 6.15). */
typedef struct ExitInfo {
        uint64_t mask, cgroup;
        uint32_t pid, tgid, ppid, ids[8];
        int32_t exit_code; /* as of wait(2) */
} ExitInfo;
#define EXIT_INFO_REQUEST _IOWR(0xFF, 11, ExitInfo)
#define EXIT_INFO_EXIT    (UINT64_C(1) << 3)

void process_free(Process *process) {
        if (!process)
                return;
        name_table_remove(&process->unit->manager->processes, &process->entry);
        sd_event_source_disable_unref(process->source);
        sd_event_source_disable_unref(process->status);
        (void)fd_close(process->pid_fd);
        (void)fd_close(process->status_fd);
        free(process);
}

static void decode_status(int wait_status, int *ret_code, int *ret_status) {
        if (WIFEXITED(wait_status)) {
                *ret_code = CLD_EXITED;
                *ret_status = WEXITSTATUS(wait_status);
        } else {
                *ret_code = WCOREDUMP(wait_status) ? CLD_DUMPED : CLD_KILLED;
                *ret_status = WTERMSIG(wait_status);
        }
}

static int read_stat(pid_t pid, char **ret) {
        char path[64];

        (void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
        return file_read(AT_FDCWD, path, STAT_SIZE_MAX, ret, NULL);
}

uint64_t process_began(pid_t pid) {
        _cleanup_(freep) char *text = NULL;
        uint64_t began;

        if (read_stat(pid, &text) < 0)
                return 0;
        /* The name may be anything; from the one behind it on, fields are separated by blanks. */
        char *at = strrchr(text, ')');
        for (unsigned field = STAT_NAME; at && field < STAT_BEGAN; field++) {
                at = strchr(at, ' ');
                at = at ? at + 1 : NULL;
        }
        if (!at)
                return 0;
        at[strcspn(at, " ")] = '\0';
        return parse_uint64(at, &began) < 0 ? 0 : began;
}

/* Of a zombie: what its parent has not asked for yet, proc_pid_stat(5). */
static int zombie_status(pid_t pid, int *ret) {
        _cleanup_(freep) char *text = NULL;
        uint64_t value;

        const int r = read_stat(pid, &text);
        if (r < 0)
                return r;
        /* The name may be anything, the state follows it, and the exit code is the last of all. */
        const char *const name_end = strrchr(text, ')'), *const last = strrchr(text_strip(text), ' ');
        if (!name_end || !text_after_prefix(name_end, ") Z ") || !last || parse_uint64(last + 1, &value) < 0)
                return -ESRCH;
        *ret = (int)value;
        return 0;
}

/* 1 when it is known how it ended, 0 when it cannot be known, -EAGAIN until its parent has taken note. */
static int foreign_ended(const Process *process, int *ret_code, int *ret_status) {
        ExitInfo info = { .mask = EXIT_INFO_EXIT };
        int wait_status;

        if (zombie_status(process->pid, &wait_status) >= 0) {
                decode_status(wait_status, ret_code, ret_status);
                return 1;
        }
        *ret_code = CLD_EXITED;
        *ret_status = 0;
        if (ioctl(process->pid_fd, EXIT_INFO_REQUEST, &info) < 0)
                return 0;
        if (!(info.mask & EXIT_INFO_EXIT))
                return -EAGAIN;
        decode_status(info.exit_code, ret_code, ret_status);
        return 1;
}

bool process_take_end(Process *process) {
        siginfo_t info = {};

        if (waitid(P_PIDFD, (id_t)process->pid_fd, &info, WEXITED | WNOHANG) < 0 || info.si_pid == 0)
                return false;
        service_process_ended(process, info.si_code, info.si_status);
        return true;
}

static int on_process(sd_event_source *source, int fd, uint32_t events, void *userdata) {
        Process *const process = userdata;
        int code, status;

        if (process_take_end(process))
                return 0;
        const int r = foreign_ended(process, &code, &status);
        if (r == -EAGAIN && !(events & EPOLLHUP))
                /* A hang-up is reported all the same, when the process is no zombie any more; or it becomes our child,
                 * when its parent ends as well. */
                return sd_event_source_set_io_events(source, 0);
        if (r <= 0)
                unit_log(process->unit, LOG_INFO,
                         "%s: Process %d, which the manager did not start, has ended", process->unit->name,
                         (int)process->pid);
        service_process_ended(process, code, status);
        return 0;
}

static void on_failed(Process *process, const ExecStatus *status) {
        char error[24];

        process->failed_to_execute = true;
        (void)snprintf(error, sizeof(error), "%d", status->error);
        unit_log_with(process->unit, LOG_ERR,
                      (.id = MESSAGE_SPAWN_FAILED,
                       .fields = { { "ERRNO", error, SIZE_MAX },
                                   { "EXECUTABLE", process->unit->service->program ?: "", SIZE_MAX } }),
                      "%s: %s", process->unit->name, status->text);
}

static int on_status(sd_event_source *source, int fd, uint32_t events, void *userdata) {
        Process *const process = userdata;
        Service *const service = process->unit->service;
        ExecStatus status;
        int r;

        while ((r = exec_status_receive(process->status_fd, &status)) > 0)
                switch (status.type) {
                case EXEC_STATUS_USER:
                        service_set_identity(service, status.uid, status.gid, status.text);
                        break;
                case EXEC_STATUS_FAILED:
                        on_failed(process, &status);
                        break;
                case EXEC_STATUS_WARNING:
                        unit_log(process->unit, LOG_WARNING, "%s: %s", process->unit->name, status.text);
                        break;
                }
        if (r == -EAGAIN)
                return 0;
        process->status = sd_event_source_disable_unref(process->status);
        process->status_fd = fd_close(process->status_fd);
        service_process_executed(process);
        return 0;
}

static int add_source(Process *process, sd_event_source **source, int fd, sd_event_io_handler_t handler,
                      EventPriority priority) {
        const int r = sd_event_add_io(process->unit->manager->event, source, fd, EPOLLIN, handler, process);

        return r < 0 ? r : sd_event_source_set_priority(*source, (int64_t)priority);
}

/* Takes the descriptors over, also when that fails. */
static int process_new(Service *service, const ExecChild *child, bool control, Process **ret) {
        Manager *const manager = service->unit->manager;
        Process *const process = calloc(1, sizeof(Process));

        if (!process) {
                (void)fd_close(child->pid_fd);
                (void)fd_close(child->status_fd);
                return -ENOMEM;
        }
        *process = (Process){
                .unit = service->unit,
                .pid = child->pid,
                .pid_fd = child->pid_fd,
                .status_fd = child->status_fd,
                .is_control = control,
                .started = time_realtime(),
                .started_monotonic = time_monotonic(),
        };
        (void)snprintf(process->key, sizeof(process->key), "%d", (int)child->pid);
        int r = add_source(process, &process->source, process->pid_fd, on_process, PRIORITY_PROCESS);
        if (r >= 0 && process->status_fd >= 0)
                r = add_source(process, &process->status, process->status_fd, on_status,
                               PRIORITY_EXEC_STATUS);
        if (r >= 0 && !name_table_find(&manager->processes, process->key))
                r = name_table_add(&manager->processes, &process->entry, process->key, process);
        if (r < 0) {
                process_free(process);
                return r;
        }
        process->began = process_began(process->pid);
        service->last_pid = process->pid;
        *ret = process;
        return 0;
}

int service_watch_process(Service *service, pid_t pid, bool control, Process **ret) {
        ExecChild child = { .pid = pid, .status_fd = -EBADF };

        child.pid_fd = (int)syscall(SYS_pidfd_open, pid, 0);
        return child.pid_fd < 0 ? -errno : process_new(service, &child, control, ret);
}

static bool takes_messages(const UnitSettings *settings) {
        return settings->notify_access != NOTIFY_OPEN
                       ? settings->notify_access != NOTIFY_NONE
                       : settings->type == SERVICE_NOTIFY ||
                                 (settings->watchdog.set && settings->watchdog.usec > 0);
}

/* What commands that come after the main process are told about how that went. */
static int add_result(const Service *service, char ***environment) {
        int r = strv_append_format(environment, "SERVICE_RESULT=%s", service_result_words[service->result]);

        if (r < 0 || service->main_code == 0)
                return r;
        r = strv_append_format(environment, "EXIT_CODE=%s", exit_code_word(service->main_code));
        if (r < 0)
                return r;
        if (service->main_code == CLD_EXITED)
                return strv_append_format(environment, "EXIT_STATUS=%d", service->main_status);
        const char *const name = sigabbrev_np(service->main_status);
        return name ? strv_append_format(environment, "EXIT_STATUS=%s", name)
                    : strv_append_format(environment, "EXIT_STATUS=%d", service->main_status);
}

/* Of all services. What is wrong in it is no reason not to run them. */
static int add_defaults(const Service *service, char ***environment) {
        const ManagedUnit *const unit = service->unit;
        int r = 0;

        for (char *const *line = unit->manager->conf->settings.unit.environment; r >= 0 && line && *line;
             line++) {
                _cleanup_(reason_done) Reason reason = {};

                r = exec_environment_add(*line, unit->name, environment, &reason);
                if (r < 0 && r != -ENOMEM) {
                        unit_log(service->unit, LOG_WARNING, "%s: DefaultEnvironment=%s of system.conf: %s",
                                 unit->name, *line, reason_text(&reason, r));
                        r = 0;
                }
        }
        return r;
}

static int make_environment(Service *service, bool control, char ***ret) {
        const UnitSettings *const settings = service_settings_of(service);
        const Manager *const manager = service->unit->manager;
        const char *const language = getenv("LANG");
        _cleanup_(strv_freep) char **environment = NULL;

        int r = strv_append(&environment, PATH_DEFAULT);
        if (r >= 0)
                r = text_is_empty(language) ? strv_append(&environment, LANG_DEFAULT)
                                            : strv_append_format(&environment, "LANG=%s", language);
        if (r >= 0)
                r = add_defaults(service, &environment);
        if (r >= 0)
                r = strv_append_format(&environment, "INVOCATION_ID=%s", service->unit->invocation);
        if (r >= 0 && takes_messages(settings))
                r = strv_append_format(&environment, "NOTIFY_SOCKET=%s", manager->notify_path);
        if (r >= 0 && settings->watchdog.set && settings->watchdog.usec > 0 && !control)
                r = strv_append_format(&environment, "WATCHDOG_USEC=%" PRIu64, settings->watchdog.usec);
        if (r >= 0 && control && service->main)
                r = strv_append_format(&environment, "MAINPID=%d", (int)service->main->pid);
        if (r >= 0 && (service->kind == SERVICE_STOP || service->kind == SERVICE_STOP_POST))
                r = add_result(service, &environment);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(environment);
        return 0;
}

/* Borrows everything but the lists that are made here, which the caller frees. */
static int make_context(Service *service, const ExecCommand *command, bool control, ExecContext *context,
                        char **log_path) {
        ManagedUnit *const unit = service->unit;
        const Manager *const manager = unit->manager;
        const PrivateTmp *const tmp = shared_tmp_paths(service->tmp);

        *context = (ExecContext){
                .unit = unit->name,
                .invocation_id = unit->invocation,
                .command = *command,
                .control = control,
                .private_tmp = tmp ? tmp->tmp : NULL,
                .private_var_tmp = tmp ? tmp->var_tmp : NULL,
                .network_pin = (char *)(uintptr_t)shared_network_pin(service->network),
                .registry = manager->paths.registry,
                .user_records = manager->paths.user_records,
                .descriptors = {
                        .status = -EBADF,
                        .user = service_user_storage(service->user),
                        .network = shared_network_storage(service->network),
                        .standard = { -EBADF, -EBADF, -EBADF },
                },
        };
        for (size_t i = 0; i < ELEMENTSOF(service->standard) && !control; i++)
                context->descriptors.standard[i] = service->standard[i];
        int r = unit_settings_write(unit->unit, &context->settings);
        if (r >= 0)
                r = make_environment(service, control, &context->environment);
        if (r >= 0 && service->log)
                r = unit_state_path(unit, "log", log_path);
        context->log = *log_path;
        return r;
}

static int spawn_in(Service *service, const ExecContext *context, ExecChild *child, Reason *reason) {
        const Manager *const manager = service->unit->manager;
        ExecGroups groups = EXEC_GROUPS_NONE;

        groups.cgroup = service_cgroup_open(manager->base, service->cgroup);
        if (groups.cgroup < 0)
                return reason_set(reason, groups.cgroup, "Cannot open the cgroup %s: %m", service->cgroup);
        _Static_assert(CONTROLLER_KINDS <= EXEC_GROUPS_JOINED_MAX, "a group for each of them");
        for (ControllerKind kind = 0; kind < CONTROLLER_KINDS; kind++)
                groups.joined[kind] = controller_open_entrance(&manager->controllers[kind], service->cgroup);
        const int r = exec_spawn(manager->helper, &groups, context, child, reason);
        (void)fd_close(groups.cgroup);
        for (ControllerKind kind = 0; kind < CONTROLLER_KINDS; kind++)
                (void)fd_close(groups.joined[kind]);
        return r;
}

int service_spawn(Service *service, const ExecCommand *command, bool control, Process **ret) {
        _cleanup_(reason_done) Reason reason = {};
        _cleanup_(freep) char *log_path = NULL;
        ExecChild child = { .pid_fd = -EBADF, .status_fd = -EBADF };
        ExecContext context = {};
        Process *process;

        int r = make_context(service, command, control, &context, &log_path);
        if (r >= 0)
                r = spawn_in(service, &context, &child, &reason);
        strv_free(context.settings);
        strv_free(context.environment);
        if (r >= 0)
                r = process_new(service, &child, control, &process);
        if (r < 0) {
                unit_log_with(service->unit, LOG_ERR, (.id = MESSAGE_SPAWN_FAILED), "%s: Cannot run %s: %s",
                              service->unit->name, command->path, reason_text(&reason, r));
                return r;
        }
        process->ignores_failure = command->flags & EXEC_COMMAND_IGNORE_FAILURE;
        (void)text_replace(&service->program, command->path);
        *ret = process;
        return 0;
}
