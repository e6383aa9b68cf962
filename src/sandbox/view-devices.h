/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A /dev with nothing in it that reaches hardware: the pseudo devices, and what programs expect beside them. Nodes
 * are the host's, bound one by one: nothing has to be made that a container would not allow, but for one that
 * cannot be bound (ptmx). */

#include "base/macro.h"
#include "base/reason.h"

#define VIEW_DEVICES_MAX 16

typedef struct ViewDevices {
        int tree_fd;                    /* the tmpfs, with mount points and links */
        int node_fds[VIEW_DEVICES_MAX]; /* clones of what is mounted on them; -EBADF: the host has none */
} ViewDevices;

void view_devices_init(ViewDevices *devices);
void view_devices_done(ViewDevices *devices);

/* Takes the nodes from the host's tree, as it is now. */
int view_devices_open(int root_fd, ViewDevices *ret, Reason *reason);
/* Puts it all on the target. */
int view_devices_attach(const ViewDevices *devices, int target_fd, Reason *reason);
