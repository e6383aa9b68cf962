/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Programs of the host that are run as they are, without a sandbox: those that need what the user has (keys, agents). */

#include "base/macro.h"

typedef struct ProcessOptions {
        const char *const *argv; /* the first word is a path, or is looked for in search_path */
        const char *search_path; /* NULL: $PATH */
        int stdin_fd, stdout_fd; /* -EBADF: nothing to read, output goes nowhere. Errors go where ours go */
        bool quiet;              /* errors go nowhere as well */
        int grace_ms; /* how long it has to end after an interrupt, unless there is another one; 0: two seconds */
        const char *const *environment; /* all there is, see base/environment.h; NULL: ours */
} ProcessOptions;

/* Runs the program to its end. Returns its exit status, or 128 and the signal that killed it; -ENOENT when there is no such
 * program, and another negative errno when it cannot be executed, -ENOEXEC also where its interpreter is missing. -EINTR
 * after an interrupt: it was sent on as SIGTERM, and the program has ended then as well. */
int process_run(const ProcessOptions *options);
