/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What limits or counts what the processes of a unit have together: controllers of control groups. Where the base has a controller,
 * the groups of units are given it. Else, a hierarchy of version 1 that has it gets groups of the same paths, below the one that
 * the manager itself is in there, so that what limits the manager limits units too; who is to be in those has to be put there. */

#include "base/macro.h"
#include "base/reason.h"

typedef enum ControllerKind { CONTROLLER_PIDS, CONTROLLER_MEMORY, CONTROLLER_KINDS } ControllerKind;

typedef struct Controller {
        ControllerKind kind;
        char *base;       /* the directory for units; NULL: nothing has the controller */
        bool is_unified;  /* it is that of version 2 */
        bool is_occupied; /* that one would have it, if there were no processes in it */
} Controller;

/* "pids": as the kernel calls it. */
const char *controller_name(ControllerKind kind);

/* base: of the groups of version 2. own: the manager's group in the hierarchy of version 1 of the controller (NULL: there is
 * none), relative: the path below it that stands for the base. */
int controller_find(ControllerKind kind, const char *base, const char *own, const char *relative,
                    Controller *ret);
void controller_done(Controller *controller);

/* Has a group at the path below the base that has the controller; in version 2 the group is there. -EOPNOTSUPP with the reason
 * and the cure when there is no controller. */
int controller_give(const Controller *controller, const char *path, Reason *reason);
/* Opens its directory; -ENOENT when there is none that has the controller. */
int controller_open(const Controller *controller, const char *path);
/* Takes the group of version 1 away, in which nobody is any more. */
void controller_take(const Controller *controller, const char *path);

/* Version 1: opens what has to be written for a process to be in the group; -ENOENT when there is no need. */
int controller_open_entrance(const Controller *controller, const char *path);
/* Version 1: puts all processes there that are in a group of version 2, or below. */
int controller_move(const Controller *controller, const char *path, int cgroup_fd);

/* Of an open group. UINT64_MAX: no limit. */
int controller_limit(const Controller *controller, int fd, uint64_t limit);
/* What the processes have now. */
int controller_current(const Controller *controller, int fd, uint64_t *ret);
