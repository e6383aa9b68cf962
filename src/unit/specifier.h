/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Specifiers in the values of unit files: "%i" and the like, systemd.unit(5), "Specifiers". */

#include "base/macro.h"
#include "base/reason.h"

/* Replaces the specifiers of a text; what stands for a unit is taken from its valid name. "%%" is a percent sign. A letter
 * that has no meaning, and one whose value cannot be had here, is -EINVAL with a reason; -E2BIG when the text gets too
 * long. Values may hold any byte that names of units can escape. */
int specifier_expand(const char *text, const char *unit, char **ret, Reason *reason);
