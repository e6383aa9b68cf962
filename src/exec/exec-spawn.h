/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Starts the exec helper in a cgroup, with its context and its descriptors. */

#include "exec/exec-context.h"

typedef struct ExecChild {
        pid_t pid;
        int pid_fd;
        int status_fd; /* non-blocking, see exec-status.h */
} ExecChild;

void exec_child_done(ExecChild *child);

#define EXEC_GROUPS_JOINED_MAX 2

/* Where the process is to be. -EBADF: in no other group than this process. */
typedef struct ExecGroups {
        int cgroup; /* the directory of a group of version 2, in which it is made */
        int joined
                [EXEC_GROUPS_JOINED_MAX]; /* cgroup.procs of groups of version 1, which it goes into before it is the helper */
} ExecGroups;

#define EXEC_GROUPS_NONE ((ExecGroups){ .cgroup = -EBADF, .joined = { -EBADF, -EBADF } })

/* helper: path of the program. context->descriptors has descriptors of this process, which stay open here; status is made
 * here. Returns at once: what goes wrong from then on is reported by the child. */
int exec_spawn(const char *helper, const ExecGroups *groups, const ExecContext *context, ExecChild *ret,
               Reason *reason);
