/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Environments of programs: lists of "NAME=value" in which every name is there once. */

#include "base/macro.h"

/* "NAME=value" takes the place of what the list says of NAME, or is appended; "NAME" takes that away. -ENOMEM is the only
 * error. */
int environment_set(char ***list, const char *variable);
/* The same for each variable, in order. */
int environment_extend(char ***list, const char *const *variables);

/* Our own environment, with these changes (NULL: none). */
int environment_inherit(const char *const *changes, char ***ret);
