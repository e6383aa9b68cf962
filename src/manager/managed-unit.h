/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the files of the manager know of each other: nobody else includes this. A unit is known as soon as another one names
 * it, and loaded when something is wanted of it. */

#include <sys/queue.h>

#include "base/name-table.h"
#include "manager/controller.h"
#include "manager/manager.h"
#include "unit/condition.h"
#include "unit/system-conf.h"
#include "unit/unit-name.h"

typedef struct sd_event_source sd_event_source; /* systemd/sd-event.h */

/* What one unit says about another; what it says of itself ("Before=") is the same the other way round. */
typedef enum EdgeKind {
        EDGE_AFTER,
        EDGE_REQUIRES,
        EDGE_WANTS,
        EDGE_BINDS_TO,
        EDGE_PART_OF,
        EDGE_CONFLICTS,
        EDGE_JOINS,
        EDGE_KINDS
} EdgeKind;

typedef struct Edge Edge;
struct Edge {
        ManagedUnit *from, *to;
        LIST_ENTRY(Edge) out, in, owned;
};
typedef LIST_HEAD(EdgeList, Edge) EdgeList;

/* Something that is to be done with a unit. It waits for one other job at a time; when that is done, it is looked whether
 * there is another. */
typedef struct Job Job;
typedef LIST_HEAD(JobList, Job) JobList;
struct Job {
        uint32_t id;
        JobType type;
        ManagedUnit *unit;
        bool running;
        bool ignores_order; /* it waits for none, and none for it */
        Job *blocker;       /* NULL: none, it is in the queue or runs */
        JobList waiting;    /* those that this one is the blocker of */
        bool queued;
        LIST_ENTRY(Job) beside; /* in the blocker's list */
        STAILQ_ENTRY(Job) queue;
        TAILQ_ENTRY(Job) every;
        JobResult result; /* of one that has ended */
};

typedef struct Service Service;
typedef struct SharedTmp SharedTmp;
typedef struct SharedNetwork SharedNetwork;

struct ManagedUnit {
        Manager *manager;
        char *name;
        NameEntry entry;
        ManagedUnit *alias_of; /* it is another name of that one, which is the unit */
        LIST_HEAD(, ManagedUnit) aliases;
        LIST_ENTRY(ManagedUnit) alias;

        Unit *unit;        /* NULL: only known by name */
        char *description; /* its specifiers are replaced; NULL: it has none */
        EdgeList out[EDGE_KINDS], in[EDGE_KINDS], owned;
        Job *job;
        unsigned n_holds;
        bool stale;              /* they are to be read anew before it is started again */
        bool transient;          /* its file goes when the unit does */
        bool has_settings_noted; /* those that it has now, for a later manager */
        size_t plan;             /* place in the plan of jobs that is being made, from 1 on; 0: in none */

        char *slice;      /* that it is in; NULL: in none */
        Service *service; /* NULL: of another type */
        UnitActiveState active;
        uint64_t state_changed, active_since, inactive_since;
        char invocation[33];  /* "" before the first run */
        uint64_t limit_begin; /* of the starts that StartLimitIntervalSec= counts, monotonic */
        unsigned limit_count;
        ConditionList conditions, assertions; /* as they were when a start was last asked for */

        bool in_changed, in_unused;
        STAILQ_ENTRY(ManagedUnit) changed, unused;
};

struct Manager {
        sd_event *event;
        RuntimePaths paths;
        UnitPaths unit_paths, conf_paths;
        SystemConf *conf; /* never NULL */
        char *base;       /* of cgroups */
        Controller controllers[CONTROLLER_KINDS];
        char *helper;
        LogStore *log; /* NULL: nothing is kept */
        int registry_fd, records_fd;
        int lock_fd; /* of the runtime directory, which is locked */

        NameTable units, users, processes, numbers;
        LIST_HEAD(, SharedTmp) tmps; /* that services share; service-shared.h */
        LIST_HEAD(, SharedNetwork) networks;
        TAILQ_HEAD(, Job) every_job;                /* those of units, by their age */
        STAILQ_HEAD(, Job) jobs;                    /* that may be able to run */
        STAILQ_HEAD(, Job) ended;                   /* to be told of, behind the changes that they made */
        STAILQ_HEAD(, ManagedUnit) changed, unused; /* to be told of; to be forgotten */
        uint32_t last_job;
        bool shares;           /* the runtime directory, with others that have one unit each */
        sd_event_source *work; /* what is in the queues is done when everything else of this turn is done */

        int notify_fd;
        unsigned n_closing; /* processes that close what came along, async-close.h */
        char *notify_path;
        bool removes_notify; /* at the end: services of it do not outlive it */
        sd_event_source *notify;

        ManagerEvents events;
};

/* Order of what happens in one turn of the loop: what a process said before it ended is heard before its end. */
typedef enum EventPriority {
        PRIORITY_NOTIFY = -60,
        PRIORITY_EXEC_STATUS = -50,
        PRIORITY_PROCESS = -40,
        PRIORITY_CGROUP = -30,
        PRIORITY_LOG = 0,
        PRIORITY_WORK = 50,
} EventPriority;

uint64_t time_realtime(void);
uint64_t time_monotonic(void);

/* managed-unit.c */
/* Known by name, whether or not it is loaded. -ENOMEM and -EINVAL. */
int managed_unit_get(Manager *manager, const char *name, ManagedUnit **ret);
/* Reads its files, if they were not read or are stale and nothing of it runs (what runs in a slice is not the slice's own);
 * changes *unit to the one that it is an alias of. */
int managed_unit_load(ManagedUnit **unit);
/* Takes a unit that was read over. */
int managed_unit_adopt(ManagedUnit *unit, Unit *read);
/* Forgets what the files said. */
void managed_unit_unload(ManagedUnit *unit);
void managed_unit_free(ManagedUnit *unit);
/* Whether something of it runs, or is about to. */
bool managed_unit_is_active(const ManagedUnit *unit);
static inline const UnitSettings *managed_unit_settings(const ManagedUnit *unit) {
        return &unit->unit->settings;
}
/* Notes the state, tells everybody, and goes on with jobs and dependencies. */
void managed_unit_set_active(ManagedUnit *unit, UnitActiveState active);
/* Something of UnitStatus has changed. */
void managed_unit_changed(ManagedUnit *unit);
/* Perhaps nobody needs to know of it any more. */
void managed_unit_unused(ManagedUnit *unit);

/* unit-condition.c */
typedef enum UnitPermission { UNIT_MAY_START, UNIT_CONDITION_UNMET, UNIT_ASSERTION_UNMET } UnitPermission;
/* Of a unit that is not active: looks whether what it asks for is so, and notes that. */
UnitPermission managed_unit_look_at_conditions(ManagedUnit *unit);
void managed_unit_forget_conditions(ManagedUnit *unit);
/* Whether something was not so when its start was last asked for. */
bool managed_unit_was_refused(const ManagedUnit *unit);

/* manager-conf.c: system.conf */
int manager_find_conf(Manager *manager, const ManagerOptions *options);
/* Anew; what it says holds for units that are loaded from then on. */
int manager_read_conf(Manager *manager);

/* manager.c */
void manager_schedule(Manager *manager);

/* unit-edge.c */
/* What the loaded settings say of others, and what follows from the type of the unit. */
int unit_edges_add(ManagedUnit *unit);
void unit_edges_remove(ManagedUnit *unit);
/* What others say of the one name holds for the other one. */
void unit_edges_move(ManagedUnit *from, ManagedUnit *to);
bool unit_edges_named(const ManagedUnit *unit);
/* Those at the other ends of edges. They are noted before anything is done with them: reading a unit's files anew frees its
 * edges. Units themselves are freed in no job. The array is the caller's. */
int edge_list_units(const EdgeList *list, bool incoming, ManagedUnit ***ret, size_t *ret_n);

/* unit-slice.c: what units are in */
/* Reads all slices that the unit is in, if that was not done; a reason that names it when one of them may not be started: what
 * it asks for would not be so. */
int unit_check_slices(Manager *manager, const Unit *unit, Reason *reason);
/* What runs is in slices, which are active then. */
void managed_unit_activate_slices(ManagedUnit *unit);
/* Reads those anew that something is in, if they are stale, and has their limits kept to. */
int manager_read_slices(Manager *manager);

/* job.c */
void job_enqueue(Job *job);
/* Runs what can run. */
void job_run_queue(Manager *manager);
/* Ends it, and looks what waited for it. Those who want to know are told by job_tell_ended(). */
void job_finish(Job *job, JobResult result);
/* To be called behind all that the ends of jobs have changed was told. */
void job_tell_ended(Manager *manager);
/* The state of the unit has become another one: perhaps that is what the job is for. */
void job_unit_changed(ManagedUnit *unit, UnitActiveState before);
int job_add(ManagedUnit *unit, JobType type, bool ignores_order, Job **ret);
/* Nobody is told. */
void job_forget(Job *job);
void job_forget_ended(Manager *manager);
