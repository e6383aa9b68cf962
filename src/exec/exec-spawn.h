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

/* helper: path of the program; cgroup_fd: the directory of the cgroup. context->descriptors has descriptors of this process,
 * which stay open here; status is made here. Returns at once: what goes wrong from then on is reported by the child. */
int exec_spawn(const char *helper, int cgroup_fd, const ExecContext *context, ExecChild *ret, Reason *reason);
