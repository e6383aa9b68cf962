/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The parent's answers to open(), openat() and openat2() with O_SYNC or O_DSYNC, which a filter can see but not change. */

#include "base/macro.h"

/* Answers one question at the listener. A regular file that root inside opens or creates is opened without the flags and
 * the descriptor handed over; everything else, and whatever fails, goes on in the kernel as it was asked, slow but right.
 * Errors are those of the listener itself; a caller that went away meanwhile is none. */
int sandbox_sync_answer(int listener_fd);
