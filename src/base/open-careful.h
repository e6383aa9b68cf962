/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Files that root opens where others can have put something: a directory of a user, or one that anybody may write to. What they
 * make there must lead root to nothing that they could not get at themselves. */

#include <sys/types.h>

#include "base/macro.h"
#include "base/reason.h"

/* As open(2), for an absolute path, always with O_CLOEXEC, and with these rules:
 *
 *   - a link that is neither root's nor ours leads only to what its owner has: a file of theirs, or one in a directory of
 *     theirs; and such links of two owners lead nowhere;
 *   - a regular file with several names, in a directory that somebody else can write to, is the directory's owner's.
 *
 * -EPERM with a reason is what is against them. The last component may be a link as well. Returns a descriptor. */
int open_careful(const char *path, int flags, mode_t mode, Reason *reason);
