/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Network namespaces of PrivateNetwork=, shared by the units that JoinsNamespaceOf= ties together. The storage is a pair of
 * datagram sockets as of dynamic users (exec-user.h), in which a descriptor of the namespace lies as soon as somebody has
 * made it. */

#include "base/macro.h"
#include "base/reason.h"

/* Puts this process into the stored namespace, or into a new one with lo up, which is stored. */
int network_namespace_enter(int storage_fd, Reason *reason);
