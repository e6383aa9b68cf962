/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* pacman's database of packages: a file "desc" for each, in which a line "%NAME%" is followed by the lines of its
 * value, and an empty one. */

#include "distro/distro.h"

/* Appends the package. -EBADMSG when its name, version or architecture is missing. */
int pacman_desc_parse(const char *text, DistroPackages *packages);

/* The text with an installation date that is at most the given one, both in seconds since 1970; NULL when it is that
 * already, or says none. */
int pacman_desc_clamp_date(const char *text, uint64_t date_max, char **ret);
