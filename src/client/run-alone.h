/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A manager for one unit: a process of its own that serves the client over a socket, so that the client need not know the
 * difference, and what the client leaves behind when it dies is ended. */

#include "base/macro.h"
#include "base/reason.h"

typedef struct RunAlone {
        const char *runtime, *helper; /* as ManagerOptions has them; NULL: the usual ones */
        bool stop_with_client; /* the unit ends when the client does; else the manager stays until the unit ends */
} RunAlone;

/* Starts it; *ret_fd is the client's end of the bus. When it cannot serve, the reason is what it says. */
int run_alone_start(const RunAlone *options, int *ret_fd, Reason *reason);
