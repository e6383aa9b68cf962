/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Where the runtime keeps what. All of it lies below two directories, so that a second manager (a test, a container, the
 * builder) has a place of its own. */

#include "base/macro.h"

#define RUNTIME_DIRECTORY "/run/mkosi"
#define CONFIG_DIRECTORY  "/etc/mkosi"

/* Below the runtime directory, which is root's with mode 0755:
 *
 *     private          socket of the manager's bus, mode 0600
 *     notify           datagram socket for sd_notify(3), mode 0666
 *     dynamic-uid/     registry of dynamic users (dynamic-user.h), unless systemd has one
 *     units/           one directory for each unit that runs: "state" (JSON), "log" (FIFO)
 *     netns/           a mount of nsfs for each network namespace of PrivateNetwork=, named by the first invocation in it
 *     transient/       unit files of transient units
 *     system.control/  drop-ins of set-property --runtime; those that stay are in the config directory
 *     log/             the log store (log-store.h)
 */
typedef struct RuntimePaths {
        char *runtime; /* RUNTIME_DIRECTORY */
        char *config;  /* CONFIG_DIRECTORY */
        char *registry; /* "/run/systemd/dynamic-uid" where systemd runs, else "dynamic-uid" below the runtime directory */
        char *user_records; /* "/run/userdb" */
} RuntimePaths;

/* NULL: the usual ones. Nothing is made. */
int runtime_paths_new(const char *runtime, const char *config, RuntimePaths *ret);
void runtime_paths_done(RuntimePaths *paths);

/* Makes what is missing, with its owner and modes; what is there with wrong ones is refused. */
int runtime_paths_make(const RuntimePaths *paths);
