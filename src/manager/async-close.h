/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Closing descriptors of others. The last close(2) of a file may take as long as its owner likes: of a socket that lingers, or in
 * a file system of somebody's own (FUSE). So a process that shares our table of descriptors does it. */

#include "manager/managed-unit.h"

/* How many such processes there may be; until one ends, nobody is to be listened to who sends descriptors. */
#define ASYNC_CLOSE_MAX 32

/* Called in the event loop when one has ended; manager->n_closing is up to date. */
typedef void (*AsyncCloseDone)(Manager *manager);

/* All of them are closed, sooner or later; here and now only when there can be no process. */
void async_close(Manager *manager, const int *fds, size_t n_fds, AsyncCloseDone done);
