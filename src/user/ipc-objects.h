/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What processes leave in the kernel by way of System V and POSIX interprocess communication: shared memory, semaphores,
 * message queues, and files in /dev/shm. They belong to a user, and outlive all processes. What is seen is what this
 * process's IPC namespace has; queues are found whether or not their file system is mounted. */

#include "base/macro.h"
#include "base/reason.h"

/* Whether anything belongs to the user or to the group of that number: 1 or 0. Shared memory of System V counts only while
 * nobody has it attached, as else it is a process's matter. */
int ipc_objects_exist(uid_t uid);

/* Removes all that belongs to the user, or to the group if that is not IPC_GROUP_NONE: of a dynamic user both have the same
 * number, but the group of another user may be that of users who are still there. What cannot be removed stays, and
 * the first error is returned when the rest is done. Never for the user 0, -EINVAL; what the group 0 has stays. */
#define IPC_GROUP_NONE ((gid_t)-1)
int ipc_objects_remove(uid_t uid, gid_t gid, Reason *reason);
