/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* How processes end: what counts as a success, and what it is called. */

#include "base/macro.h"

/* Whether the list (SuccessExitStatus= and the like) has an end as of waitid(2): numbers and names of exit statuses, names
 * of signals. A word that means nothing matches nothing. */
bool exit_status_set_has(const char *const *list, int code, int status);

/* Whether it is a success by itself: status 0, and of daemons the signals that usually end them. */
bool exit_is_clean(int code, int status, bool daemon);

/* "exited", "killed", "dumped". */
const char *exit_code_word(int code);

#define EXIT_STATUS_TEXT_MAX 48
/* "1/FAILURE", "203/EXEC", "9/KILL", "3/n/a". */
void exit_status_format(int code, int status, char text[static EXIT_STATUS_TEXT_MAX]);
