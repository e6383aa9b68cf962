/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* dm-verity for the root partition: what is in it is final once its hash tree is made. */

#include "image/image.h"

/* Writes the hash tree of the root partition, which is in the image's disk already, at the offset of the file, and fills in
 * the size of its partition. The root hash becomes the image's, and its halves the UUIDs of both partitions, by which
 * systemd finds them. Failures are logged. */
int root_verity_write(Image *image, int fd, uint64_t offset, Partition *hash_partition);

/* The kernel command line of the image: what was configured, and the root hash if there is one. */
int root_verity_command_line(const Image *image, char **ret);
