/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Standard input, output and error of a service, systemd.exec(5), "Logging and standard input/output". */

#include "exec/exec-context.h"
#include "exec/exec-user.h"

/* Puts them into place. Files are opened as the helper, whatever the service's user may do; the log and terminals are given
 * to the user. This process has no controlling terminal yet, but is the leader of a session. ret_terminal: standard input is
 * a terminal, which is the controlling one then. 208, 209 or 222 is in *ret_exit when this fails. */
int exec_stdio_set(const ExecContext *context, const UnitSettings *settings, const ExecIdentity *identity,
                   bool *ret_terminal, int *ret_exit, Reason *reason);
