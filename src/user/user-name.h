/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Names of users, and which one a service gets that asks for a dynamic user without naming it. */

#include "base/macro.h"

#define USER_NAME_SIZE_MAX 31 /* utmp(5) has 32 bytes with the NUL */

/* Letters, digits, '_' and '-', of which the first is a letter or '_'. */
bool user_name_is_valid(const char *name);

/* The name of a service's dynamic user, of the unit's name: its prefix if that is a valid name of a user, or "_du" and a
 * hash of it. An instance of a template gets a name of its own: its
 * prefix, cut if need be, and a hash of prefix and instance. */
int user_name_of_unit(const char *unit, char **ret);
