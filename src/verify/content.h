/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What partitions hold, looked into by readers of ours, one for each kind that has more than a name to check. */

#include "base/reason.h"

/* A part of a file, that may hold something. */
typedef struct ContentPlace {
        int fd;
        uint64_t offset, size; /* bytes */
} ContentPlace;

/* Looks at what is of the kind, by libblkid's name: 1 and what there is to say of it, "ext4, in 4194304 bytes"; 0 and why
 * nothing was looked at. -EBADMSG with a reason when it is not in order. */
int content_read(const char *kind, const ContentPlace *place, char **ret, Reason *reason);
