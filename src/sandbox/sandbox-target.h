/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Mount points inside a tree that nobody vouches for. */

#include "base/macro.h"

typedef enum SandboxTargetKind {
        SANDBOX_TARGET_DIRECTORY,
        SANDBOX_TARGET_FILE, /* anything but a directory */
} SandboxTargetKind;

/* Opens the path below root_fd (O_PATH) for mounting on it. Symbolic links are followed with root_fd as "/" and never
 * lead out of it. What is missing is made: parents as directories with mode 0755, the last component as the kind says,
 * also where a link points to nothing. Each thing made is announced on the channel first, so that the parent removes it
 * in the end whatever happens in between. */
int sandbox_target_make(int root_fd, const char *path, SandboxTargetKind kind, int channel_fd, int *ret_fd);
