/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Control groups of units: "system.slice/NAME" below the manager's base, which stands for "-.slice". Version 2 only: tasks are
 * counted by walking, and processor time comes from cpu.stat, which needs no controller. What does is in controller.h. */

#include "base/macro.h"
#include "base/reason.h"

/* The base: the manager's own cgroup when it is process 1 or when that was delegated to it (or the one above, if it is in "manager"
 * there: DelegateSubgroup=, systemd.resource-control(5)), else "mkosi.slice" at the root.
 * `wanted` (NULL: none) is a path below the file system's root instead. */
int service_cgroup_base(const char *wanted, char **ret, Reason *reason);

/* Its path in the hierarchy; "" for the root. */
int service_cgroup_base_path(const char *base, char **ret);

/* The path of a unit's cgroup below the base: "system.slice/system-foo.slice/foo@x.service". slice NULL: as the name says. */
int service_cgroup_path(const char *unit, const char *slice, char **ret);

/* The slice that a unit is in: NULL for "-.slice" itself. */
int service_cgroup_slice(const char *unit, const char *slice, char **ret);

/* Opens the directory of one that is there. */
int service_cgroup_open(const char *base, const char *path);

/* Makes it with its parents. */
int service_cgroup_make(const char *base, const char *path, int *ret_fd, Reason *reason);

/* Whether processes are in it or below: by cgroup.events. The descriptor of that file becomes ready for POLLPRI when it
 * changes. */
int service_cgroup_events_open(int cgroup_fd);
int service_cgroup_is_populated(int events_fd);

/* Sends a signal to all in it and below. except: not to this one (0: to all). Those that come meanwhile get it too. */
int service_cgroup_kill(int cgroup_fd, int signal, pid_t except);

/* Processes in it and below, sorted. */
int service_cgroup_processes(int cgroup_fd, pid_t **ret, size_t *ret_n);
/* Threads in it and below. */
int service_cgroup_count_tasks(int cgroup_fd, uint64_t *ret);
int service_cgroup_cpu_nsec(int cgroup_fd, uint64_t *ret);

/* The unit's path of a process, relative to the base; -ENOENT when it is in none below it. */
int service_cgroup_of_process(const char *base, pid_t pid, char **ret);

/* Paths of all services below the base that have a cgroup. */
int service_cgroup_list(const char *base, char ***ret);

/* How it is used by others than whoever asks, who has not locked it. */
typedef enum CgroupUse {
        CGROUP_EMPTY,     /* nobody is in it, and nobody is about to be */
        CGROUP_HELD,      /* another manager has it */
        CGROUP_ABANDONED, /* there are processes, and no manager */
} CgroupUse;
CgroupUse service_cgroup_use(const char *base, const char *path);

/* Removes it with all below (nobody may be in them), and parents that are empty then, up to the base. */
int service_cgroup_remove(const char *base, const char *path);
