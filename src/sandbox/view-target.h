/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Mount points in a tree that others use as well. */

#include "base/macro.h"

/* Makes what is missing of the path below the root: directories with mode 0755, and at its end a directory or an empty file
 * (0644), whatever the umask is; returns it (O_PATH). The path has no links: one that somebody puts there is -ELOOP. */
int view_target_make(int root_fd, const char *path, bool directory, int *ret_fd);
