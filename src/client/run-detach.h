/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A client that can let go of its terminal and go on without: whoever has called it comes back then, and what it holds for the
 * service, which would be hung up otherwise, stays until the service ends. */

#include "base/macro.h"

/* What runs; detach_fd is for run_detach(). The answer is an exit status, or a negative errno. */
typedef int (*DetachableRun)(int detach_fd, void *userdata);

/* Runs it in a process of its own, which gets the signals that we get, and dies with us. The answer is what it answered, or 0
 * when it has detached itself. */
int run_detachable(DetachableRun run, void *userdata);

/* In that process: it has a session of its own from now on, no terminal, and nobody who waits for it. */
int run_detach(int detach_fd);
