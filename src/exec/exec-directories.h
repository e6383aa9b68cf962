/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* RuntimeDirectory=, StateDirectory=, CacheDirectory=, LogsDirectory= and ConfigurationDirectory=: where they are, and that
 * they are there. What lies in them belongs to services, which may have planted anything: nothing here follows a link
 * below them, or crosses a mount. */

#include "unit/unit-settings.h"

typedef struct ExecDirectory {
        ExecDirectoryType type;
        char *name;   /* "foobar/one", specifiers replaced, normalised */
        char *public; /* where it is seen: "/var/lib/foobar/one" */
        char *private; /* where it is, of dynamic users: "/var/lib/private/foobar/one"; NULL: at the public place */
        mode_t mode;
        uid_t disk_uid; /* after exec_directories_make(): whose it is on disk, where it is shown with another number; else the
                         * service's */
} ExecDirectory;

typedef struct ExecDirectories {
        ExecDirectory *items; /* sorted by type and name, none twice */
        size_t n_items;
} ExecDirectories;

void exec_directories_done(ExecDirectories *directories);

/* The exit status for whatever is wrong with a directory of the type: 233, 238 to 241. */
int exec_directory_exit(ExecDirectoryType type);

/* What the settings of a unit ask for. dynamic: its user is one. -EINVAL with a reason for a name that leaves the prefix. ret_exit: of
 * the type of the one that fails. */
int exec_directories_plan(const UnitSettings *settings, const char *unit, bool dynamic, ExecDirectories *ret,
                          int *ret_exit, Reason *reason);

/* Numbers that own what is already there of private directories, for dynamic_user_acquire(), in the order of the
 * specification (2.6). */
int exec_directories_owners(const ExecDirectories *directories, uid_t *ret, size_t n_max, size_t *ret_n);

/* Makes them for the user: parents, boundary, links, owners, modes; moves them between the public and the private place
 * when the user has become dynamic, or is no longer. Where all of a tree belongs to another number and the file system can
 * show it otherwise (id-mapped mounts), disk_uid says so and nothing is changed; else owners are changed, file by file.
 * ret_exit: of the type of the one that fails. */
int exec_directories_make(ExecDirectories *directories, uid_t uid, gid_t gid, bool dynamic, int *ret_exit,
                          Reason *reason);

/* "STATE_DIRECTORY=/var/lib/a:/var/lib/b", added. */
int exec_directories_environment(const ExecDirectories *directories, char ***environment);

/* Removes what is in the runtime directories, and them. The service has no processes any more. */
int exec_directories_remove_runtime(const ExecDirectories *directories, Reason *reason);
