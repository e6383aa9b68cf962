/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Files that the manager writes itself: units that clients describe, and what they change of others. */

#include "manager/managed-unit.h"

/* Whether that is where files of transient units lie; not of NULL. */
bool unit_transient_is_file(const Manager *manager, const char *fragment);
/* The file of a transient unit, with what was changed of it. */
void unit_transient_remove(ManagedUnit *unit);
/* The same of all that no unit has any more: of those that ended while nobody looked. */
void unit_transient_sweep(Manager *manager);

/* The section of a setting in files of such a unit; NULL: it has none of that name. */
const char *unit_setting_section(UnitType type, const char *name, size_t length);

/* Assignments as a file: each section once, in order. -EINVAL with a reason for what no file can say. */
int unit_file_format(UnitType type, const char *comment, const char *const *assignments, char **ret,
                     Reason *reason);
