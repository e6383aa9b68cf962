/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The directories of a FAT file system, for vfat_reader_new(). */

#include "format/vfat-reader.h"

/* Numbers of clusters with a meaning of their own, whatever the bits of the table's numbers. */
#define VFAT_CLUSTER_FREE 0
#define VFAT_CLUSTER_BAD  UINT32_C(0x0ffffff7)
#define VFAT_CLUSTER_END  UINT32_C(0x0fffffff)

/* Reads all directories, and follows all chains. -EBADMSG with a reason as vfat_reader_new() has it. */
int vfat_reader_read_tree(VfatReader *reader, Reason *reason);
