/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The lock of an image that is there. Whoever runs it (run/image-lock.h) has it meanwhile, so that it is neither replaced nor
 * removed under him. */

#include "base/macro.h"

/* Takes it, for as long as the descriptor is open; -EBADF as the descriptor when nothing is there. If somebody has it this
 * fails, and says who; with wait it says so and waits. Failures are logged, but for -EINTR
 * after interrupt_check(). */
int output_lock(const char *output, bool wait, int *ret_fd);
