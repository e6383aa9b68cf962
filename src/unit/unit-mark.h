/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The files of a unit as they were when they were read. One is another by now when it is a different file, or was changed: to
 * an older time as well, as whoever copies or unpacks files sets it. */

#include "unit/unit-load.h"

/* Notes one as it is now, to be called before it is read; one that is not there as well. -ENOMEM is the only error. */
int unit_mark_file(Unit *unit, const UnitPaths *paths, const char *path);
/* What is noted of a file in another unit, if anything is. */
int unit_mark_copy(Unit *unit, const Unit *from, const char *path);
/* Of one of which nothing was noted: whether it is there. */
bool unit_mark_differs(const Unit *unit, const UnitPaths *paths, const char *path);
void unit_marks_done(Unit *unit);
