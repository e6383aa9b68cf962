/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Control groups, version 2 (the kernel's Documentation/admin-guide/cgroup-v2.rst): directories for processes that are to be
 * known, and ended, together. Where version 1 is mounted as well, only the unified hierarchy counts. */

#include "base/macro.h"
#include "base/reason.h"

/* The directory of the cgroup that this process is in. -EOPNOTSUPP with a reason when there is no cgroup file system of
 * version 2. */
int cgroup_own(char **ret, Reason *reason);

/* The same out of what /proc/self/cgroup and /proc/self/mountinfo say. */
int cgroup_find(const char *cgroups, const char *mounts, char **ret);

/* The directory of the group that this process has in the hierarchy of version 1 of a controller ("pids"); -EOPNOTSUPP when none
 * is mounted. */
int cgroup_own_of_controller(const char *controller, char **ret);
int cgroup_find_of_controller(const char *cgroups, const char *mounts, const char *controller, char **ret);

/* Makes a cgroup of that name below the directory of another one. One that is there already is fine if nobody is in it. */
int cgroup_make(const char *parent, const char *name, char **ret, Reason *reason);

/* Kills everybody in the cgroup and below, waits until they are gone, and removes it with all below. Nothing there is
 * fine. */
int cgroup_remove(const char *path);
