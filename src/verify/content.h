/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What partitions hold, looked into by readers of ours, one for each kind that has more than a name to check. */

#include "base/reason.h"

/* Looks at what is of the kind, by libblkid's name, and has so many bytes at the offset of the file: 1 and what there is to
 * say of it, "ext4, in 4194304 bytes"; 0 and why nothing was looked at. -EBADMSG with a reason when it is not in order. */
int content_read(const char *kind, int fd, uint64_t offset, uint64_t size, char **ret, Reason *reason);
