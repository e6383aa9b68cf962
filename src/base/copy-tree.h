/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Copying one directory into another. */

#include "base/macro.h"
#include "base/progress.h"
#include "base/reason.h"
#include "base/tree.h"

typedef enum CopyTreeFlags {
        COPY_TREE_OWNERS =
                1 << 0, /* keep uid and gid; otherwise all belongs to who copies: root, in a build */
        COPY_TREE_INTO_LINKS =
                1
                << 1, /* a link of the target that is in the way of a directory, and leads to one, stands for it */
} CopyTreeFlags;

typedef struct CopyTreeOptions {
        CopyTreeFlags flags;
        const TreeFilter *filter; /* what is copied; NULL: all */
        Progress *progress;       /* is told what is copied of files; may be NULL */
} CopyTreeOptions;

/* Merges the directory from into the directory to, both found below dir_fd (or AT_FDCWD). What is missing is made,
 * the directory to itself included; directories are merged, anything else of the same name is replaced. A directory
 * that is there already keeps its own mode, owner and attributes: a private working directory must not make the
 * target's /etc private. All else keeps mode, times, extended attributes (user.*, and with COPY_TREE_OWNERS all) and
 * hard links within the copy; file data is shared where the file system can, and holes stay holes. Attributes user.* are
 * left out where the target's file system knows none. Symbolic links are copied, and those of the target are not
 * followed: one in the way of a directory is -ENOTDIR. With COPY_TREE_INTO_LINKS it is followed as if the target were "/",
 * so that /lib/x gets to /usr/lib/x where /lib is a link, and nothing leaves the target. -EINTR after interrupt_check(). */
int copy_tree(int dir_fd, const char *from, const char *to, const CopyTreeOptions *options, Reason *reason);
