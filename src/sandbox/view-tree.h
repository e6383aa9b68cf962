/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Mounts that are in no tree yet, or that are in one: descriptors of what open_tree(2) and fsmount(2) make. */

#include "base/macro.h"
#include "base/reason.h"

/* A clone of what is at the path, with what is mounted below if it is recursive. */
int view_tree_clone(int dir_fd, const char *path, bool recursive, int *ret_fd);

/* The same, of a path below a directory. Links are followed in the directory's path only, and are -ELOOP below. */
int view_tree_clone_below(const char *directory, const char *path, bool recursive, int *ret_fd);

/* A clone of what a descriptor of this namespace's tree refers to. */
int view_tree_clone_fd(int fd, bool recursive, int *ret_fd);

/* A new file system of the type, with options as for mount(8). Bad options are -EINVAL with a reason. */
int view_tree_new(const char *type, const char *options, int *ret_fd, Reason *reason);

/* A new tmpfs with options as for mount(8); "ro" among them is left to who has put something into it. Bad options are
 * -EINVAL with a reason. */
int view_tree_tmpfs(const char *options, int *ret_fd, Reason *reason);

/* Puts the tree on top of what the descriptor refers to. -ENOTDIR when but one of them is a directory. */
int view_tree_attach(int tree_fd, int target_fd);

/* Sets attributes of mounts (MOUNT_ATTR_RDONLY …). -EINVAL when the descriptor is not the root of a mount. */
int view_tree_set(int fd, uint64_t attributes, bool recursive);

/* Makes a mount point in an empty tmpfs: the directories above it, and it as a directory or as a file. What is
 * there is fine. */
int view_tree_make_target(int tree_fd, const char *path, bool directory);
