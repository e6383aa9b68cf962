/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/reason.h"
#include "format/partition-table.h"

/* Writes protective MBR, GPT and its backup (UEFI 2.10, chapter 5) by libfdisk into the regular file fd, which already
 * has the layout's disk size. Nothing but these sectors is touched; nothing is synced, no kernel is told. Refused are
 * more than 128 partitions, -E2BIG, and names that are too long, -ENAMETOOLONG, no UTF-8, or have characters beyond
 * U+FFFF, -EILSEQ. */
int gpt_write(int fd, const PartitionTable *table, const PartitionLayout *layout, Reason *reason);
