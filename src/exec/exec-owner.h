/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Whose a tree is that a service has written, and giving it to somebody else. Who has written it may have planted anything:
 * links are not followed, what is mounted is left alone, and a file that has a name outside of the tree is given away only
 * if it was the former owner's, who was not root. */

#include <sys/stat.h>

#include "base/macro.h"

typedef struct OwnerChange {
        uid_t uid;
        gid_t gid;
        mode_t mode_mask; /* permission bits that files may keep: 01777 takes the set-id bits away */
} OwnerChange;

/* Whether all of the tree, without what is mounted below, belongs to the same user and the group of the same number as the
 * directory itself, and has neither set-id bits nor access control lists: 1 or 0. */
int owner_is_one(int directory_fd);

/* Gives all of it to the user and the group, the directory itself last, so that what was interrupted is noticed. Access
 * control lists are taken away, in such a way that nobody may do more than before. */
int owner_change(int directory_fd, const OwnerChange *change);
