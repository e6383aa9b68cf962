/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Trees become what partitions hold, with the file systems and options that the configuration asks for. All functions log
 * their failures. */

#include "image/image.h"

/* Derives a UUID from the seed, for that purpose of the partition. */
int partition_content_uuid(const Image *image, PartitionType type, const char *purpose, Uuid *ret);

/* Writes the row's file system, which has the tree in it, at the offset of the file, and says how large the partition is. In
 * one that is to be encrypted it lies behind the header's place, in plain. A partition whose size was given and does not do is -ENOSPC, and the message names the size and the biggest directories. */
int partition_content_write(Image *image, const PartitionRow *row, const Tree *tree, int fd, uint64_t offset,
                            uint64_t *ret_size);

/* Writes the format's root file system as a whole file. */
int partition_content_write_alone(Image *image, const Tree *tree, int fd);
