/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What rpm(8) answers when it is asked which packages are installed, in a format of ours. */

#include "distro/distro-run.h"

/* Argument of --queryformat. */
extern const char *const rpm_list_format;

/* Takes one line. What rpm itself has to say between them is left alone (0), and so are public keys, which its database
 * has as if they were packages; 1 when it was a package. -EBADMSG for one of which something is missing. */
int rpm_list_take(const char *line, DistroPackages *packages);

/* Runs rpm(8) of the host on the database at the path inside of the sandbox, which has these mounts, and appends all packages
 * of it. Failures are logged. */
int rpm_list_run(const Installation *installation, const char *database, const SandboxMount *mounts,
                 size_t n_mounts, DistroPackages *packages, const char *doing);
