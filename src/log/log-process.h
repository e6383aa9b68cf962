/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What is known about a process that a record of the log is from: the trusted fields, systemd.journal-fields(7). */

#include <stdio.h>

#include "base/macro.h"

/* Writes _PID, _UID, _GID, _COMM, _EXE, _CMDLINE and _CAP_EFFECTIVE as lines, what of it can be had; 0: of this process. */
int log_process_write(FILE *file, pid_t pid);
