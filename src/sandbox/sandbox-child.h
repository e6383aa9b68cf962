/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The processes inside: process 1 of the PID namespace, which sets up, waits and reaps, and the command. */

#include "sandbox/sandbox-operation.h"

typedef struct SandboxChild {
        const struct Sandbox *sandbox;
        const char *const *argv;
        int channel_fd, parent_channel_fd; /* our end, and the parent's, which we only close */
        int stdin_fd, output_fd, error_fd;
} SandboxChild;

/* Process 1, right after clone3(). Exits with the status of the command, or after having sent why not. */
_Noreturn void sandbox_child_run(const SandboxChild *child);
