/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What processes leave in the kernel by way of System V and POSIX interprocess communication: shared memory, semaphores,
 * message queues, and files in /dev/shm. They belong to a user, and outlive all processes. What is seen is what this
 * process's IPC namespace has; queues are found whether or not their file system is mounted. */

#include "base/macro.h"
#include "base/reason.h"

/* Whether anything belongs to the user or to the group of that number. Shared memory of System V counts only while nobody has
 * it attached, as then it is a process's matter. */
int ipc_objects_exist(uid_t uid);

/* Removes all that belongs to the user or the group. Whatever cannot be removed stays, and the first error is returned when the rest is
 * done. Never for number 0. */
int ipc_objects_remove(uid_t uid, Reason *reason);
