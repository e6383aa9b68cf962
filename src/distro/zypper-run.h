/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Runs of zypper and rpm of the host on a tree. What they need to know is written to the workspace, and nothing of the host
 * is read but the programs themselves: neither configuration nor keys nor databases. */

#include "distro/distro.h"

/* Lists of packages are read, packages are fetched to the cache, and installed out of it without the network. */
typedef enum ZypperStage { ZYPPER_REFRESH, ZYPPER_FETCH, ZYPPER_INSTALL, ZYPPER_STAGE_MAX } ZypperStage;

/* The command line. */
int zypper_arguments(ZypperStage stage, const char *const *packages, char ***ret);

/* What zypper's exit status says: 0 when all went well, 1 when all is installed but a script of a package failed, -EIO for
 * everything else. */
int zypper_judge(int status);

/* All stages; doing is for messages, one for each. Failures are logged. */
int zypper_install(const Installation *installation, const char *const *packages,
                   const char *const doing[static ZYPPER_STAGE_MAX]);

/* Writes rpm's database anew, when all is installed: zypper leaves part of it in a journal that is no file of an image. */
int zypper_rebuild_database(const Installation *installation);

/* Appends what the tree's database has. Failures are logged. */
int zypper_list(const Installation *installation, DistroPackages *packages);
