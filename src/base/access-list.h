/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* POSIX access control lists as the kernel keeps them in extended attributes (linux/posix_acl_xattr.h, version 2). */

#include "base/macro.h"

#define ACCESS_LIST_ATTRIBUTE         "system.posix_acl_access"
#define ACCESS_LIST_DEFAULT_ATTRIBUTE "system.posix_acl_default"

/* The mode that a file has when its list is taken away, so that nobody may do more than before: with a list, the group's bits
 * of the mode are the most that any entry grants, and without it they are what the file's group may. -EINVAL for what is
 * no list. */
int access_list_strip(const void *value, size_t size, mode_t mode, mode_t *ret);
