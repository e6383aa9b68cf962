/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a negative errno cannot say: which object failed, and how. The layers that do not log take a Reason, which may
 * be NULL, and fill it when they fail; whoever logs prints it. */

#include "base/macro.h"

typedef struct Reason {
        char *text;
} Reason;

/* Notes the text, unless one is noted already (the innermost place knows best), and returns r. In the format, %m stands
 * for the text of r, a negative errno. The text is one line: names of files may hold newlines, and become tame. */
int reason_set(Reason *reason, int r, const char *format, ...) _printf_(3, 4);

/* The noted text, or the text of r. The result lives as long as the reason and until the next strerror(). */
const char *reason_text(const Reason *reason, int r);

void reason_done(Reason *reason);
