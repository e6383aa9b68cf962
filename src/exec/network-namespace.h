/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Network namespaces of PrivateNetwork=, shared by the units that JoinsNamespaceOf= ties together. The storage is
 * one datagram socket that is connected to itself, in which a descriptor of the namespace lies as soon as somebody
 * has made it. The manager has it, and gives it to each helper; the namespace lives as long as the storage, or a
 * process in it. */

#include "base/macro.h"
#include "base/reason.h"

/* An empty storage. */
int network_namespace_storage_new(int *ret_fd);

/* Puts this process into the stored namespace, or into a new one with lo up, which is stored. Waits for others that
 * are about to do the same. */
int network_namespace_enter(int storage_fd, Reason *reason);
