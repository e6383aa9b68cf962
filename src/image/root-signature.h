/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The signature of the root hash, in a partition of its own. */

#include "image/image.h"

/* Signs the image's root hash, writes the content of the partition at the offset of the file, and fills in its size. The key
 * is freed: nothing else is signed with it. What is signed elsewhere is zeros for now. Failures are logged. */
int root_signature_write(Image *image, int fd, uint64_t offset, Partition *partition);
