/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Network namespaces of PrivateNetwork=, shared by the units that JoinsNamespaceOf= ties together. The storage is
 * one datagram socket that is connected to itself, in which a descriptor of the namespace lies as soon as somebody
 * has made it. The manager has it, and gives it to each helper; the namespace lives as long as the storage, a process in it,
 * or its pin: a file that it is mounted on, so that the next manager finds it when this one is killed. Where its processes are
 * by then says nothing: they may have gone elsewhere. */

#include "base/macro.h"
#include "base/reason.h"

/* An empty storage. */
int network_namespace_storage_new(int *ret_fd);

/* Puts this process into the stored namespace, or into a new one with lo up, which is stored, and pinned where the path of the
 * pin says (NULL: nowhere). Waits for others that are about to do the same. Where mounts are refused the pin is a file alone. */
int network_namespace_enter(int storage_fd, const char *pin, Reason *reason);

/* Stores what is pinned there (NULL: there was no pin); 0 when nobody has made it yet. -ENXIO when it is lost: whoever wants to
 * get into it fails from then on. */
int network_namespace_find(int storage_fd, const char *pin);
/* Removes the pin, and wherever it has been seen. What is in the namespace stays in it. */
void network_namespace_unpin(const char *pin);
