/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a manager that takes over has to know of a unit, in RUNTIME/units/NAME:
 *
 *     state      where it is, as JSON; replaced at every step, before and after a process is started
 *     settings   what it runs with, as JSON: its files may be others by then, or gone
 *     log        the FIFO that its processes write to
 *     tmp        the paths of PrivateTmp=, a line each: noted before they are made, when there may be no state yet
 *
 * All but the FIFO are replaced as a whole, settings first. A directory without a state is of a start that was given up
 * before anything ran, or of an end. */

#include "base/reason.h"
#include "exec/private-tmp.h"
#include "manager/service.h"

/* "RUNTIME/units/NAME/FILE"; file "": the directory. */
int unit_state_path(const ManagedUnit *unit, const char *file, char **ret);
/* Notes everything as it is; a failure is said in the log, and is no reason not to go on. */
int unit_state_write(ManagedUnit *unit);
void unit_state_remove(ManagedUnit *unit);
int unit_state_note_tmp(const ManagedUnit *unit, const PrivateTmp *tmp);
/* Notes it if a later manager has to know: of what runs, has failed, has left processes behind, or has a job. Removes it else. */
void unit_state_update(ManagedUnit *unit);

/* What a state says, read. */
typedef struct UnitFound {
        char *invocation, *active_word, *cgroup, *user, *dynamic_user, *tmp, *var_tmp, *program, *status;
        char *state_word, *result_word, *kind_word, *job_word;
        char *network_id; /* of shared_network_id() */
        uint64_t state_changed, active_since, inactive_since;
        uint64_t begun, main_pid, main_began, control_pid, last_main_pid, main_code, main_status;
        uint64_t main_started, main_started_monotonic, main_ended, main_ended_monotonic;
        uint64_t deadline, runtime_deadline, watchdog, restarts, uid, gid;
        bool main_ignores_failure, stop_asked, has_identity, network, is_service;
        bool is_unknown;  /* something runs, and how it came to that nobody can say */
        bool is_spawning; /* somebody was just about to be started, and may have been */
        UnitActiveState active;
        ServiceState state;
        ServiceResult result;
        ServiceCommand kind;
        JobType job; /* JOB_TYPES: none */
        bool job_runs;
} UnitFound;

/* Of the unit of this name; -ENOENT when there is no state. -EBADMSG with a reason for what is no state of ours. */
int unit_state_read(int units_fd, const char *name, UnitFound *ret, Reason *reason);
void unit_found_done(UnitFound *found);
/* What unit_state_note_tmp() noted, if it is whole. */
int unit_state_read_tmp(int units_fd, const char *name, PrivateTmp *ret);
/* unit-unknown.c: of one whose state cannot be read, if processes are in its group: as one that has failed, and has left these
 * behind, with their user and their temporary files. 0: nobody is. */
int unit_state_guess(const Manager *manager, int units_fd, const char *name, UnitFound *ret);
/* The settings, as a unit that is loaded. */
int unit_state_read_settings(int units_fd, const char *name, Unit **ret, Reason *reason);
