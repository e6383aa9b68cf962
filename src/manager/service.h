/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* One service and its life, for the files of the manager. The states follow each other as systemd.service(5) says:
 * condition, start-pre, start, start-post, running, stop, stop-sigterm, stop-sigkill, stop-post, final-sigterm, final-sigkill, and then
 * cleaning, and dead, failed, or auto-restart. */

#include "exec/exec-spawn.h"
#include "manager/managed-unit.h"
#include "unit/exec-command.h"
#include "unit/exec-status.h"

typedef struct LogPipe LogPipe;
typedef struct ServiceUser ServiceUser;

/* A process of a service that the manager started, or was told of. */
typedef struct Process {
        ManagedUnit *unit;
        pid_t pid;
        int pid_fd;
        sd_event_source *source;
        int status_fd; /* -EBADF: it has executed its program */
        sd_event_source *status;
        NameEntry entry; /* by its number, for messages of sd_notify(3) */
        char key[16];
        bool is_control, ignores_failure;
        bool failed_to_execute;
        uint64_t started, started_monotonic;
        uint64_t began; /* as of process_began() */
} Process;

struct Service {
        ManagedUnit *unit;
        ServiceState state;
        ServiceResult result, reload_result;

        /* Commands that run one after the other. */
        ServiceCommand kind; /* SERVICE_COMMANDS: none */
        ExecCommandList commands;
        size_t n_begun;
        bool is_spawning; /* the last one that has begun is not there yet */

        Process *main, *control;
        pid_t last_pid, last_main_pid; /* of any of them; of main processes */
        char *program;                 /* that the last one was to execute */
        int main_code, main_status;
        uint64_t main_started, main_started_monotonic, main_ended, main_ended_monotonic;

        char *cgroup; /* NULL: it has none */
        int events_fd;
        sd_event_source *events;
        LogPipe *log;
        ServiceUser *user; /* dynamic; NULL: none */
        SharedTmp *tmp;
        SharedNetwork *network;
        int standard[3];

        /* What the helper said of the user that it has become. */
        bool has_identity, counts_number;
        uid_t uid;
        gid_t gid;
        char *user_name;

        sd_event_source *timer, *watchdog;
        uint64_t deadline; /* monotonic; UINT64_MAX: none */
        uint64_t
                runtime_deadline; /* the one of RuntimeMaxSec=, which goes on in a reload; 0: not known yet */
        uint64_t watchdog_usec;   /* 0: none */
        sd_event_source *pid_file; /* waiting for PIDFile= to come into being in this directory */
        dev_t pid_file_device;
        ino_t pid_file_inode;
        bool pid_file_refused; /* which was said */
        char *status_text;
        char *failure; /* the first error that was told of the last start and what came of it; NULL: none */
        uint64_t cpu_nsec; /* of the run that has ended */
        uint64_t n_restarts;
        bool stop_asked;     /* nothing is to follow but the end */
        bool is_unknown;     /* who is in the group may be a whole service, of which nothing else is known */
        bool comes_back;     /* what is down now is about to be started again */
        bool restart_queued; /* the start that is to come is not the user's */

        int cleaner_fd, cleaner_report_fd; /* of the process that removes what the run left */
        sd_event_source *cleaner;          /* NULL: there is none */
        bool cleans_left_behind;           /* after the end of whom the end of the run had left to itself */
};

/* "start-pre", "none" of SERVICE_COMMANDS; for notes of our own. */
extern const char *const service_command_words[SERVICE_COMMANDS + 1];

/* service.c: to the manager */
int service_new(ManagedUnit *unit, Service **ret);
void service_free(Service *service);
void service_close_standard(Service *service);
/* Whether the commands of a unit that was read can be understood. */
int service_check(const Unit *unit, Reason *reason);
int service_check_reload(const ManagedUnit *unit, Reason *reason);
void service_status(const ManagedUnit *unit, UnitStatus *ret);
void service_count(const Service *service, UnitStatus *status);
void service_reset_failed(ManagedUnit *unit);
bool service_reload_failed(const ManagedUnit *unit);
UnitActiveState service_active_state(ServiceState state);
void service_set_state(Service *service, ServiceState state);
/* The first failure counts. */
void service_fail(Service *service, ServiceResult result);
static inline const UnitSettings *service_settings_of(const Service *service) {
        return &service->unit->unit->settings;
}

/* service-run.c: the way up. 1 when it is under way, 0 when there is nothing to do, -EAGAIN when that has to wait. */
int service_start(ManagedUnit *unit);
int service_stop(ManagedUnit *unit);
int service_reload(ManagedUnit *unit);
void service_enter_start_pre(Service *service);
void service_enter_start(Service *service);
void service_enter_start_post(Service *service);
void service_enter_running(Service *service, ServiceResult result);
/* Begins with the commands of a kind; those of a kind that has more to come. 1 when one runs, 0 when there is none. */
int service_commands_begin(Service *service, ServiceCommand kind);
int service_commands_next(Service *service);
/* Whether the commands that are at work are the service itself. */
bool service_runs_main(const Service *service);

/* service-stop.c: the way down. */
void service_enter_stop(Service *service, ServiceResult result);
void service_enter_signal(Service *service, ServiceState state, ServiceResult result);
void service_enter_stop_post(Service *service, ServiceResult result);
void service_enter_dead(Service *service, ServiceResult result);
void service_timed_out(Service *service);
void service_watchdog_expired(Service *service);

/* service-restart.c: whether and how it comes back */
bool service_wants_restart(const Service *service);
void service_finish(Service *service);
void service_wait_for_restart(Service *service);
void service_restart_now(Service *service);
/* False, and said so, when too many starts were asked for lately. */
bool service_may_start(ManagedUnit *unit);

/* service-end.c: what ends, and what follows */
void service_process_ended(Process *process, int code, int status);
void service_process_executed(Process *process);
void service_group_empty(Service *service);
/* Goes on where a manager before has left off; what ended meanwhile has ended without anybody seeing how. lost: nobody knows
 * what became of the command that was being started. */
void service_resume(Service *service, bool lost);

/* service-process.c */
int service_spawn(Service *service, const ExecCommand *command, bool control, Process **ret);
/* A process that somebody else started; -ESRCH when it is gone. */
int service_watch_process(Service *service, pid_t pid, bool control, Process **ret);
void process_free(Process *process);
/* When a process began, as the kernel counts: what tells two of the same number. 0: it is gone. */
uint64_t process_began(pid_t pid);
/* Of a child of ours: true when it has ended, which has been taken note of then. */
bool process_take_end(Process *process);

/* service-timer.c */
void service_set_timer(Service *service, uint64_t usec);        /* TIME_SPAN_INFINITY: none */
void service_set_deadline(Service *service, uint64_t deadline); /* monotonic; UINT64_MAX: none */
void service_feed_watchdog(Service *service);
void service_stop_watchdog(Service *service);
uint64_t service_start_timeout(const Service *service);
uint64_t service_stop_timeout(const Service *service);

/* service-main-pid.c: of a service that forks */
/* 1 when the main process is known now, 0 when there is none to be found, -EAGAIN when it is to be waited for. */
int service_find_main(Service *service);
void service_forget_pid_file(Service *service);
/* Of a service that runs: true when the file names another main process by now, which is the one from then on. The one before is
 * freed. */
bool service_follow_pid_file(Service *service);
/* Of a run that has ended: it names nobody any more. */
void service_remove_pid_file(const Service *service);
int service_set_main(Service *service, pid_t pid);

/* service-ground.c: what a run stands on */
int service_prepare(Service *service, Reason *reason);
int service_watch_group(Service *service, int cgroup_fd);
/* Of two managers with the same base one alone runs the unit: whoever watches the group. -EBUSY with a reason when that is another
 * one. */
int service_lock_group(Service *service, Reason *reason);
/* The group stays as it is. */
void service_forget_group(Service *service);
bool service_group_is_populated(const Service *service);
bool service_group_has(const Service *service, pid_t pid);
int service_kill_group(const Service *service, int signal, pid_t except);
/* Lets go of what a run stands on. ended: there is nobody left who would need it; else it stays as it is, and only the
 * manager forgets it. */
void service_release(Service *service, bool ended);
void service_set_identity(Service *service, uid_t uid, gid_t gid, const char *name);

/* service-limit.c: what controllers of control groups do */
/* Has the limits of the unit, and of the slices it is in, kept to, and what is to be counted counted, from now on; says so when
 * that cannot be. */
void service_limit(Service *service);
/* The same of all services in a slice. */
int service_limit_slice(ManagedUnit *slice);

/* service-clean.c */
/* Removes what the run left, in a process of its own if that may take long, and calls service_finish(). */
void service_clean(Service *service);
/* What the end of the run had left to itself has ended as well: the same, without a change of the state. Until it is done,
 * nothing starts. */
void service_clean_left_behind(Service *service);
void service_forget_cleaner(Service *service);
