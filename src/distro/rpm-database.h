/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The format of rpm's database. The host's rpm writes the one that it was built with, sqlite nearly everywhere; openSUSE's can
 * read nothing but its own, ndb (https://github.com/systemd/mkosi/pull/3081), which no rpm of other hosts can write. */

#include "distro/host-tool.h"

/* Has the tree's own rpm, where there is one and its format is another, write the database at that path below the tree anew,
 * from a list of headers that the host's rpm writes. Failures are logged. */
int rpm_database_convert(const HostRun *run, const char *database);

/* Whether that was done: then the tree's own rpm alone can read it. Negative errno, not logged. */
int rpm_database_is_converted(const HostRun *run, const char *database);
