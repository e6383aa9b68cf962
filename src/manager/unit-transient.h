/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Files that the manager writes itself: units that clients describe, and what they change of others. */

#include "manager/managed-unit.h"

/* The file of a transient unit, with what was changed of it. */
void unit_transient_remove(ManagedUnit *unit);

/* The section of a setting in files of such a unit; NULL: it has none of that name. */
const char *unit_setting_section(UnitType type, const char *name, size_t length);

/* Assignments as a file: each section once, in order. -EINVAL with a reason for what no file can say. */
int unit_file_format(UnitType type, const char *comment, const char *const *assignments, char **ret,
                     Reason *reason);
