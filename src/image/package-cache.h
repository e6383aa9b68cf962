/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The package cache, which the builds of several projects may share. Package managers expect to be alone with theirs,
 * so one build at a time has it. */

#include "base/macro.h"

/* Makes the directory if need be and locks it: no other build has it until the descriptor is closed. Waits for one that
 * does, saying so; -EINTR when a signal came meanwhile. Where the file system knows no locks there is none. Failures are
 * logged. */
int package_cache_lock(const char *path, int *ret_fd);

/* Removes all that is in it, as soon as no other build uses it. There need not be one. Failures are logged. */
int package_cache_empty(const char *path);
