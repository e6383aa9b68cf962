/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What can be told of a unit's settings when it is loaded, before anything is run. */

#include "unit/unit-load.h"

/* Warns, with file and line, of words of SystemCallFilter= and SystemCallLog= that are no system calls: they are passed over
 * when the service is set up. Other words that can be nothing are mistakes: users, slices, capabilities, address families …,
 * since the service would not start, or with less than was asked. */
int unit_settings_check(Unit *unit);
