/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the program mkosi-exec does: everything between the new process and the program that it becomes. The order is that of
 * systemd.exec(5): what needs the host's root comes before what takes it away. */

#include "exec/exec-context.h"

/* Executes the command of the context. Returns only when that fails: the exit status of the step, which was reported. */
int exec_process_run(const ExecContext *context);
