/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* One line per step on standard error: "‣ Installing Debian bookworm…" when it starts, and on a terminal the running
 * time and the last line of output behind it, rewritten in place; "✓ … 12.3s" when it is done. */

#include "base/macro.h"

typedef struct Progress Progress;

int progress_begin(const char *doing, Progress **ret);
/* Shows a detail (a line of a tool's output, a file's name) on a terminal; at most ten times a second. */
void progress_detail(Progress *progress, const char *detail);
/* Ends the step and frees it. */
void progress_end(Progress *progress, bool success);
