/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The tree's own apt-get, run in a sandbox on the tree. */

#include "distro/apt-sources.h"
#include "distro/distro.h"

/* Brings the tree up to date and installs the packages, in one go. */
int apt_install(const Installation *installation, const char *const *packages);

/* Writes the tree's list of sources. */
int apt_write_sources(const Installation *installation, int root_fd, const AptSources *sources);

/* Whether the tree's list of sources has that mirror in it. */
int apt_sources_name_mirror(const Installation *installation, int root_fd, const char *mirror);

/* Takes out of the sources every suite that was looked for in vain and that a mirror need not have; names them in a warning.
 * Returns how many there were; 0 when a suite is missing that must not be. */
int apt_drop_missing_suites(AptSources *sources, const char *release, const char *const *missing);
