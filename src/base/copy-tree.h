/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Copying one directory into another. */

#include "base/macro.h"
#include "base/progress.h"
#include "base/reason.h"

typedef enum CopyTreeFlags {
        COPY_TREE_OWNERS =
                1 << 0, /* keep uid and gid; otherwise all belongs to who copies: root, in a build */
} CopyTreeFlags;

typedef struct CopyTreeOptions {
        CopyTreeFlags flags;
        Progress *progress; /* is told what is copied of files; may be NULL */
} CopyTreeOptions;

/* Merges the directory from into the directory to, both found below dir_fd (or AT_FDCWD). What is missing is made,
 * the directory to itself included; directories are merged, anything else of the same name is replaced. A directory
 * that is there already keeps its own mode, owner and attributes: a private working directory must not make the
 * target's /etc private. All else keeps mode, times, extended attributes (user.*, and with COPY_TREE_OWNERS all) and
 * hard links within the copy; file data is shared where the file system can, and holes stay holes. Attributes user.* are
 * left out where the target's file system knows none. Symbolic links are copied, and those of the target are never
 * followed: one in the way of a directory is -ENOTDIR. -EINTR after interrupt_check(). */
int copy_tree(int dir_fd, const char *from, const char *to, const CopyTreeOptions *options, Reason *reason);
