/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Showing what is on disk with another owner: id-mapped mounts, mount_setattr(2). */

#include "base/macro.h"

/* Maps the user and the group of one number to those of another in a tree that is in no namespace yet, for its
 * topmost mount only. Everything of others is nobody's then, and nobody else can make anything there. -EINVAL where
 * the file system cannot be mapped. */
int view_owners_map(int tree_fd, uid_t from, uid_t to);
