/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the processes of a unit print, line by line into the log. They write to a FIFO, which outlives the manager: nothing is
 * lost while there is none, unless it is full. */

#include "manager/managed-unit.h"

typedef struct LogPipe LogPipe;

/* Makes the FIFO if it is not there, and reads it from then on. */
int log_pipe_open(ManagedUnit *unit, const char *path, LogPipe **ret);
/* What is in it now; NULL is fine. */
void log_pipe_read(LogPipe *pipe);
/* With what is in it, and a last line that has no end. */
void log_pipe_free(LogPipe *pipe);
