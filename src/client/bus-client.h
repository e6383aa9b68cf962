/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the client programs have in common: talking to the manager, and looking at a unit from outside. */

#include "bus/bus.h"
#include "unit/condition.h"

struct sd_bus;
struct sd_bus_message;

/* Connects to the manager that serves the runtime directory (NULL: the usual one). -ENOENT and -ECONNREFUSED when there is none. */
int bus_client_connect(const char *runtime, struct sd_bus **ret);
/* The same over a connection that is there; the descriptor is taken over. */
int bus_client_connect_fd(int fd, struct sd_bus **ret);

/* Calls a method of the manager; logs what is wrong. types, … as for sd_bus_call_method(). */
int bus_client_call(struct sd_bus *bus, const char *method, struct sd_bus_message **ret_reply,
                    const char *types, ...);
/* The same with a message that is filled already. */
int bus_client_send(struct sd_bus *bus, struct sd_bus_message *message, struct sd_bus_message **ret_reply);

/* Begins to wait for jobs: to be called before the first one is asked for. */
typedef struct JobWait JobWait;
int job_wait_new(struct sd_bus *bus, JobWait **ret);
void job_wait_free(JobWait *wait);
DEFINE_CLEANUP(JobWait, job_wait_free)
/* The job of this object, of that unit. */
int job_wait_add(JobWait *wait, const char *path, const char *unit);
/* Until all have ended. 0, or 1 when one of them did not end well, which was logged then. */
int job_wait_all(JobWait *wait);

/* Reads the value of a property, whose type is `contents`, out of the reply. */
typedef int (*RemoteProperty)(struct sd_bus_message *reply, const char *name, const char *contents,
                              void *userdata);
/* All properties of a unit, in the manager's order; logs what is wrong. */
int remote_unit_ask(struct sd_bus *bus, const char *name, RemoteProperty on_property, void *userdata);

/* A unit as its properties describe it. All that the pointers of the status point to lives as long as this. */
typedef struct RemoteUnit {
        UnitStatus status;
        Unit unit; /* as far as the manager says: names, paths, the state of loading, and some settings */
        ConditionList conditions, assertions;
        char *texts[8];
} RemoteUnit;
int remote_unit_get(struct sd_bus *bus, const char *name, RemoteUnit *ret);
void remote_unit_done(RemoteUnit *unit);

/* Its processes; the command lines are owned by the array. */
typedef struct RemoteProcess {
        pid_t pid;
        char *command_line;
} RemoteProcess;
int remote_unit_processes(struct sd_bus *bus, const char *name, RemoteProcess **ret, size_t *ret_n);
void remote_processes_free(RemoteProcess *processes, size_t n_processes);
