/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The manager: units and what became of them, jobs, and the loop that everything happens in. It is a library: the daemon
 * serves it on a bus, and `run` without a daemon has one for its one unit. It never blocks, and never asks the name service. */

#include "log/log-store.h"
#include "unit/runtime-paths.h"
#include "unit/unit-load.h"

typedef struct sd_event sd_event; /* systemd/sd-event.h */
typedef struct Manager Manager;
typedef struct ManagedUnit ManagedUnit;

typedef struct ManagerOptions {
        RuntimePaths paths;
        const char *const *unit_paths; /* directories for units instead of the usual ones; NULL */
        const char *root;              /* below which the usual ones are; NULL: "/" */
        const char *cgroup;            /* base, see service-cgroup.h; NULL */
        const char *helper;            /* path of the exec helper; NULL: where it was installed */
        bool no_log_store;             /* `run` alone: nothing is kept */
        bool shares;                   /* the runtime directory, with others that do the same */
} ManagerOptions;

int manager_new(sd_event *event, const ManagerOptions *options, Manager **ret, Reason *reason);
/* Lets everything run on as it is. */
void manager_free(Manager *manager);
DEFINE_CLEANUP(Manager, manager_free)

/* Finds again what an earlier manager left running: state files, cgroups, users. To be called once, before anything else. */
int manager_adopt(Manager *manager, Reason *reason);
/* Forgets files, reads units anew when they are next needed; what runs goes on with the settings it has until then. */
int manager_reload(Manager *manager, Reason *reason);

/* LogLevel= of system.conf, as of syslog(3); -1: it says nothing. */
int manager_log_level(const Manager *manager);

/* For a process that is the parent of all orphans (PR_SET_CHILD_SUBREAPER, prctl(2)), to be called at SIGCHLD: takes note of the
 * ends of those that nobody else waits for. */
int manager_reap_orphans(Manager *manager);
/* Makes this process the manager's: orphans of services become its children and are waited for, as many descriptors may be
 * open as the kernel lets it have, and clients that go away are no reason to die. */
int manager_take_process(Manager *manager, struct sd_event *event);

typedef enum UnitActiveState {
        UNIT_ACTIVE,
        UNIT_RELOADING,
        UNIT_INACTIVE,
        UNIT_FAILED,
        UNIT_ACTIVATING,
        UNIT_DEACTIVATING,
        UNIT_ACTIVE_STATES
} UnitActiveState;

typedef enum ServiceState {
        SERVICE_DEAD,
        SERVICE_IN_CONDITION,
        SERVICE_IN_START_PRE,
        SERVICE_IN_START,
        SERVICE_IN_START_POST,
        SERVICE_RUNNING,
        SERVICE_EXITED,
        SERVICE_IN_RELOAD,
        SERVICE_IN_STOP,
        SERVICE_STOP_WATCHDOG,
        SERVICE_STOP_SIGTERM,
        SERVICE_STOP_SIGKILL,
        SERVICE_IN_STOP_POST,
        SERVICE_FINAL_SIGTERM,
        SERVICE_FINAL_SIGKILL,
        SERVICE_STATE_FAILED,
        SERVICE_AUTO_RESTART,
        SERVICE_CLEANING,
        SERVICE_STATE_MAX
} ServiceState;

typedef enum ServiceResult {
        SERVICE_SUCCESS,
        SERVICE_FAILURE_RESOURCES,
        SERVICE_FAILURE_PROTOCOL,
        SERVICE_FAILURE_TIMEOUT,
        SERVICE_FAILURE_EXIT_CODE,
        SERVICE_FAILURE_SIGNAL,
        SERVICE_FAILURE_CORE_DUMP,
        SERVICE_FAILURE_WATCHDOG,
        SERVICE_FAILURE_START_LIMIT_HIT,
        SERVICE_SKIP_CONDITION, /* ExecCondition= said so, which is no failure */
        SERVICE_RESULT_MAX
} ServiceResult;

/* What systemctl(1) and the bus call them: "start-pre", "exit-code". */
extern const char *const service_state_words[SERVICE_STATE_MAX],
        *const service_result_words[SERVICE_RESULT_MAX];
extern const char *const unit_active_state_words[], *const unit_load_state_words[];

typedef struct UnitStatus UnitStatus;
/* The state in the words of the unit's type: "running" of a service, "active" of a slice. */
const char *unit_sub_state(const UnitStatus *status);

/* What is known about a unit; pointers last until the loop goes on. Times are microseconds since 1970, 0 for never; what was
 * not counted is UINT64_MAX. */
struct UnitStatus {
        const Unit *unit;
        UnitActiveState active;
        ServiceState state;
        ServiceResult result;
        const char *slice, *cgroup; /* "system.slice", path below the base; NULL: it has none */
        const char *status_text;    /* STATUS= of sd_notify(3) */
        const char *failure;        /* what the manager said first of what went wrong; NULL: nothing did */
        const char *invocation_id;  /* 32 digits; NULL: it never ran */
        const char *user;           /* name, of a dynamic user too; NULL: none known */
        uid_t uid;
        gid_t gid;
        pid_t main_pid, control_pid; /* 0: none */
        pid_t last_main_pid;         /* the main process, or the one that was it last */
        int main_code, main_status;  /* as of waitid(2), of the last main process; code 0: none has ended */
        uint64_t main_started, main_ended; /* of the last main process */
        uint64_t main_started_monotonic, main_ended_monotonic;
        uint64_t state_changed, active_since, inactive_since;
        uint64_t cpu_nsec, tasks, memory; /* see managed_unit_count() */
        uint64_t ip_counters[4];          /* ingress bytes, packets, egress bytes, packets */
        uint64_t n_restarts;
        const struct ConditionList *conditions, *assertions;
        const char *file_state; /* of managed_unit_file_state(); NULL: nobody has asked */
        bool needs_reload;      /* see managed_unit_needs_reload() */
        bool transient;
};

/* Of one that shares the runtime directory: whether a manager is being started that would take over what it runs, as soon as
 * this one has gone. What changes then is a file in the directory. */
bool manager_is_asked_for(const Manager *manager);

/* By its name, loaded if it is not known yet; -ENOMEM, or -EINVAL for a bad name, are the only errors: what could not be
 * loaded says so in its state. */
int manager_find_unit(Manager *manager, const char *name, ManagedUnit **ret);
/* Only if it is known. */
ManagedUnit *manager_known_unit(Manager *manager, const char *name);
ManagedUnit *manager_unit_of_process(Manager *manager, pid_t pid);
/* All that are known, by name; the array is the caller's. */
int manager_list_units(Manager *manager, ManagedUnit ***ret, size_t *ret_n);
/* All that takes no look at the system: no counters, and nothing of files. */
void managed_unit_status(ManagedUnit *unit, UnitStatus *ret);
/* Adds what is counted, as it is now. */
void managed_unit_count(const ManagedUnit *unit, UnitStatus *status);
/* How many starts there may be in which time; 0 of either: any number. */
typedef struct StartLimit {
        uint64_t interval_usec;
        unsigned burst;
} StartLimit;
StartLimit start_limit_of(const UnitSettings *settings);

/* Whether its files have changed on disk since they were read, or are others: drop-ins that came, and such that went. */
bool managed_unit_needs_reload(const ManagedUnit *unit);

/* For humans: what it is called, with its specifiers replaced, or its name. */
const char *managed_unit_description(const ManagedUnit *unit);

/* As of unit_file_state(); looks at links in all directories of units. */
const char *managed_unit_file_state(const ManagedUnit *unit);

/* Its name, and all others that lead to it. */
int managed_unit_names(const ManagedUnit *unit, char ***ret);
/* The units that a property of that name is about, sorted: "Requires", "RequiredBy", "After", "Before" and so on. Of those that
 * say something of the unit, the ones that are known. */
int managed_unit_related(const ManagedUnit *unit, const char *property, char ***ret);

/* Whose notifications are taken, in the words of NotifyAccess=; of a service. */
const char *managed_unit_notify_access(const ManagedUnit *unit);

/* Processes in its cgroup, sorted; none when it has no cgroup. */
int managed_unit_processes(ManagedUnit *unit, pid_t **ret, size_t *ret_n);

/* Keeps a unit known when it has ended, until it is let go: for clients that want to see how it went. */
void managed_unit_hold(ManagedUnit *unit);
void managed_unit_let_go(ManagedUnit *unit);

/* A transient unit: the file is written to `transient`, the descriptors (-EBADF: none) are kept for its main process.
 * -EEXIST when the name is taken by a unit that runs, has failed or has a file. */
int manager_add_transient(Manager *manager, const char *name, const char *const *assignments,
                          const int standard[3], ManagedUnit **ret, Reason *reason);

typedef enum JobType { JOB_START, JOB_STOP, JOB_RESTART, JOB_TRY_RESTART, JOB_RELOAD } JobType;
#define JOB_TYPES (JOB_RELOAD + 1)
typedef enum JobResult { JOB_DONE, JOB_CANCELED, JOB_FAILED, JOB_DEPENDENCY, JOB_ASSERT } JobResult;
extern const char *const job_type_words[], *const job_result_words[];

typedef enum JobMode {
        JOB_REPLACE,             /* takes the place of jobs that contradict it */
        JOB_FAIL,                /* is refused where it would have to: -EBUSY */
        JOB_IGNORE_REQUIREMENTS, /* the unit alone, in its order */
        JOB_IGNORE_DEPENDENCIES, /* the unit alone, at once */
        JOB_MODES
} JobMode;
extern const char *const job_mode_words[JOB_MODES];

/* With what it requires. The number is never 0. -ENOENT, -EBADMSG (a mistake in its files), -EPERM (masked, or it asks for
 * confinement that cannot be given) with a reason when the unit cannot be started at all. */
int manager_start_job(Manager *manager, ManagedUnit *unit, JobType type, JobMode mode, uint32_t *ret,
                      Reason *reason);

typedef struct JobStatus {
        uint32_t id;
        JobType type;
        bool running; /* it does not wait for another one */
        ManagedUnit *unit;
} JobStatus;
extern const char *const job_state_words[]; /* of "running": "waiting", "running" */

/* All that are to be done, in the order in which they were asked for. */
int manager_list_jobs(Manager *manager, JobStatus **ret, size_t *ret_n);
/* Of this number; false when there is none. */
bool manager_find_job(Manager *manager, uint32_t id, JobStatus *ret);
/* Of the unit; false when nothing is to be done with it. */
bool managed_unit_job(const ManagedUnit *unit, JobStatus *ret);
/* Takes it back, and with a start those that need it; the unit goes on with what has begun. */
void managed_unit_cancel_job(ManagedUnit *unit);

/* who: "main", "control", "all"; -EINVAL for others, and for what is no signal. */
int managed_unit_kill(ManagedUnit *unit, const char *who, int signal, Reason *reason);
void managed_unit_reset_failed(ManagedUnit *unit);
/* "NAME=VALUE" each, an empty value takes back; runtime: only until the next boot. */
int managed_unit_set_properties(ManagedUnit *unit, bool runtime, const char *const *assignments,
                                Reason *reason);

/* What others want to know. Every function may be NULL. */
typedef struct ManagerEvents {
        void (*job_new)(uint32_t id, ManagedUnit *unit, void *userdata);
        /* Everything else that came of the job was told, and written to the log, before. */
        void (*job_removed)(uint32_t id, ManagedUnit *unit, JobResult result, void *userdata);
        void (*unit_changed)(ManagedUnit *unit,
                             void *userdata); /* any of UnitStatus; once for each turn of the loop */
        void (*unit_removed)(const char *name, void *userdata);
        void *userdata;
} ManagerEvents;
/* NULL: nobody wants to know any more. */
void manager_set_events(Manager *manager, const ManagerEvents *events);

LogStore *manager_log(Manager *manager);
/* Where its units' files are. */
const UnitPaths *manager_unit_paths(const Manager *manager);
