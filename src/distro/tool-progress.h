/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* How far a package tool is, by what it says: each package is unpacked and set up, or installed and verified, and how many there are is told before. */

#include "base/progress.h"

typedef struct ToolProgress {
        unsigned n_fetched; /* packages that debootstrap has fetched: it tells no number */
        bool expecting;     /* the amount is known */
} ToolProgress;

/* Follows a line of output. */
void tool_progress_follow(ToolProgress *tool, const char *line, Progress *progress);
