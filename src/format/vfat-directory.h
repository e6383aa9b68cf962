/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The bytes of a FAT directory. */

#include "format/vfat-content.h"

typedef struct VfatTime {
        uint16_t date, time;
        uint8_t hundredths; /* what the two-second steps of time leave out, in 1/100 s */
} VfatTime;

/* Seconds since the epoch in FAT's form. FAT keeps local time without a zone; we mean UTC, as firmware and containers
 * mostly do, for the bytes must not depend on the machine's zone. Before 1980 or after 2107 there is none: the nearest
 * is taken. */
VfatTime vfat_time_encode(int64_t seconds);

/* Writes the entries of directory, a node of the content, whose clusters are placed, into a buffer of zeros that has room
 * for all of them. */
void vfat_directory_encode(const VfatContent *content, const TreeNode *directory, void *buffer);
