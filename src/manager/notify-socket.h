/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The socket of sd_notify(3): what services say of themselves, as far as NotifyAccess= lets them. */

#include "manager/managed-unit.h"

/* shares: others have sockets of their own in the same directory. */
int notify_socket_open(Manager *manager, bool shares, Reason *reason);
void notify_socket_close(Manager *manager);

/* What one message says, lines "NAME=VALUE", of a process of the unit. */
void notify_message(ManagedUnit *unit, pid_t pid, char *text);
