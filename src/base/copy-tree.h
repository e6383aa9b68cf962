/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Copying one directory into another. */

#include "base/macro.h"
#include "base/reason.h"

typedef enum CopyTreeFlags {
        COPY_TREE_OWNERS = 1 << 0, /* keep uid and gid; otherwise what is copied belongs to root */
} CopyTreeFlags;

/* Merges the directory from into the directory to, both found below dir_fd (or AT_FDCWD): directories are merged,
 * anything else of the same name is replaced; modes, times, extended attributes (user.*, and with COPY_TREE_OWNERS all)
 * and hard links within the copy are kept, file data is shared where the file system can. Symbolic links are copied,
 * and those of the target are never followed: a link in the way of a directory is -ENOTDIR. */
int copy_tree(int dir_fd, const char *from, const char *to, CopyTreeFlags flags, Reason *reason);
