/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* dpkg's database of packages, /var/lib/dpkg/status: paragraphs of fields, as deb822(5) has them. */

#include "distro/distro.h"

/* Appends the packages that are installed, in the order of the text. -EBADMSG for one that lacks its version or architecture,
 * -EFBIG when there are too many. */
int dpkg_status_parse(const char *text, DistroPackages *packages);
