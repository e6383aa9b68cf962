/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* How a manager gets the services of those who run one each without a manager, and share the lock of the runtime directory
 * (ManagerOptions.shares): it asks by a file in that directory, and whoever can do without goes. What ran runs on, and is found
 * again as if one manager had ended (manager_adopt). */

#include "base/macro.h"

/* Asks for what runs in control groups below the base, and waits a while: 1 when the lock is ours alone, 0 when one of those
 * with a lock, of whom ret_holder is one, did not go: a client waits for its service, or its base is another one. */
int hand_over_ask(int runtime_fd, const char *base, pid_t *ret_holder);

/* Whether somebody asks for what is below the base. */
bool hand_over_is_asked(int runtime_fd, const char *base);

#define HAND_OVER_FILE "hand-over"
