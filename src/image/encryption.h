/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What Encrypt= means for the sizes of partitions and the volumes in them. */

#include "format/luks.h"
#include "image/partition-row.h"

/* What lies before the file system: 0 where the partition is not encrypted. */
uint64_t encryption_header_size(const Config *config, const PartitionRow *row);

/* How large the partition is that holds a file system of that size: with the header, and, when it is encrypted, of whole
 * large sectors, unless a size was given, which it has then. */
uint64_t encryption_partition_size(const Config *config, const PartitionRow *row, uint64_t filesystem_size);

/* The key derivation that was asked for; the rest of the options is the caller's. */
LuksOptions encryption_options(const Config *config);
