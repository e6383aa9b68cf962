/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Threads, which only compression and hashing use: they work on bytes and know no other state of the program. */

#include <pthread.h>

#include "base/macro.h"

/* Starts a thread that no signal reaches: whoever waits for one in the main thread is the one to be woken. The caller
 * joins it. */
int thread_start(pthread_t *ret, void *(*function)(void *argument), void *argument);

/* How many threads are meant by n_wished: 0 is one for each processor that this process may run on. */
unsigned thread_count(unsigned n_wished);
