/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Names of users, and which one a service gets that asks for a dynamic user without naming it. */

#include "unit/unit-settings.h"

#define USER_NAME_SIZE_MAX 31 /* utmp(5) has 32 bytes with the NUL */

/* Letters, digits, '_' and '-', of which the first is a letter or '_'. */
bool user_name_is_valid(const char *name);

/* The name of a service's dynamic user, of the unit's name: its prefix if that is a valid name of a user, or "_du" and a
 * hash of it. An instance of a template gets a name of its own: its
 * prefix, cut if need be, and a hash of prefix and instance. */
int user_name_of_unit(const char *unit, char **ret);

/* 1 with the name of the dynamic user that the service of the unit is to have: that of User=, or of the unit. 0 when it is to
 * have none: without DynamicUser=, and when User= is a number. Whether there is somebody of that name on the host, who then
 * takes the place of the dynamic user, the helper finds out. */
int user_name_of_service(const UnitSettings *settings, const char *unit, char **ret, Reason *reason);

/* Numbers that somebody can have: not -1, of 32 or of 16 bits, which mean "none" to system calls. */
bool user_number_read(const char *text, uint32_t *ret);
