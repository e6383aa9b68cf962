/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* passwd(5) and shadow(5) as text: both keep the password in the second field of a line. */

#include "base/macro.h"

/* The text with the second field of the user's line replaced. -ESRCH when there is no such line, -EINVAL when the field
 * has a colon or a line break in it. */
int account_set_password(const char *text, const char *user, const char *field, char **ret);
