/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What rpm(8) answers when it is asked which packages are installed, in a format of ours. */

#include "distro/host-tool.h"

/* Argument of --queryformat. */
extern const char *const rpm_list_format;

/* Takes one line. What rpm itself has to say between them is left alone (0), and so are public keys, which its
 * database has as if they were packages; 1 when it was a package. -EBADMSG for one of which something is missing. */
int rpm_list_take(const char *line, DistroPackages *packages);

/* Has rpm(8) tell what the database has that is at the path below the tree, and appends it all: the host's, or the tree's
 * own where it alone knows the format. rpm writes where it only reads, so it works on a copy, and the tree stays as it
 * is. Failures are logged. */
int rpm_list_run(const HostRun *run, const char *database, DistroPackages *packages);
