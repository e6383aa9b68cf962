/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Runs of dnf and rpm of the host on a tree. What they need to know is written to the workspace, and nothing of the host is
 * read but the programs themselves: neither configuration nor keys nor databases. */

#include "distro/distro.h"

/* Whether packages are only fetched to the cache, or installed out of it. */
typedef enum DnfStage { DNF_FETCH, DNF_INSTALL, DNF_STAGE_MAX } DnfStage;

/* The command line. */
int dnf_arguments(const Installation *installation, DnfStage stage, const char *const *packages, char ***ret);

/* Fetches the packages and all that they need, and then installs them without the network. Doing is for messages, one for
 * each stage. Failures are logged. */
int dnf_install(const Installation *installation, const char *const *packages,
                const char *const doing[static DNF_STAGE_MAX]);

/* Appends what the tree's database has. Failures are logged. */
int dnf_list(const Installation *installation, DistroPackages *packages);
