/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* StandardInputText= and StandardInputData=, systemd.exec(5). */

#include "exec/exec-context.h"

/* The text with escapes and specifiers replaced, a line each, and behind it the bytes that the Base64 is of, as a file of
 * memory to read from. -EINVAL with a reason for what is neither, -E2BIG for too much. */
int exec_data_open(const ExecContext *context, const UnitSettings *settings, Reason *reason);

/* The text with the escapes of C replaced ("\n", "\x41", "\101" …), in place; its length. -EINVAL for what is no escape, and for
 * a NUL. */
int exec_data_unescape(char *text);
