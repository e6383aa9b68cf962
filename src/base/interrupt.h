/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* SIGINT, SIGTERM and SIGHUP as a question that long work asks now and then, so that every cleanup on the way out runs.
 * Until interrupt_catch() is called the signals do what they always do. */

#include "base/macro.h"

/* From now on the signals set a flag only, however often they come. Blocking system calls return EINTR. One that was
 * ignored before (nohup) stays ignored. */
int interrupt_catch(void);

/* -EINTR once a signal came, 0 before. Cheap enough for every file of a tree. */
int interrupt_check(void);

/* The signal that came, 0 if none. */
int interrupt_signal(void);

/* Becomes readable when a signal came, for poll(); -EBADF before interrupt_catch(). Never read from it, never close it. */
int interrupt_fd(void);

/* The descriptor becomes readable again only when the next signal comes, for whoever does something else at the first than at
 * the second. All that asks interrupt_check() still knows of the first one. */
void interrupt_rearm(void);

/* From now on, writing to a pipe that nobody reads fails with EPIPE, and does not end the process. */
void interrupt_ignore_pipe(void);

/* In a child after fork(): signals do again what they always do, and none is blocked. */
void interrupt_reset(void);
