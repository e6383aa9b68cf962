/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The specifiers %y and %Y, systemd.unit(5): the file of the unit, and the directory that it lies in. All others depend on the
 * name alone, and are replaced when a value is used (specifier.h); who uses one does not know the file. */

#include "unit/unit-load.h"

/* Puts the path, links of it followed, into all values; a unit without a file is left as it is, and then has no value for
 * these. */
int unit_fragment_expand(Unit *unit);
