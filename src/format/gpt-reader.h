/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A partition table that somebody made, read strictly (UEFI 2.10, chapter 5): the protective MBR, both headers and both
 * arrays of entries must be there, whole, and agree. Sectors have 512 bytes. */

#include "base/macro.h"
#include "base/reason.h"
#include "base/uuid.h"

typedef struct GptEntry {
        Uuid type, uuid;
        char *name;            /* in UTF-8 */
        uint64_t offset, size; /* bytes */
        uint64_t attributes;   /* PARTITION_ATTRIBUTE_* and others */
} GptEntry;

typedef struct GptDisk {
        Uuid uuid;
        GptEntry *entries; /* those in use, in the order of the table */
        size_t n_entries;
} GptDisk;

/* Reads the table of a disk of so many bytes. -EBADMSG with a reason when there is none, or anything is wrong with it: check
 * sums, places that are outside of the disk or overlap, UUIDs that are missing or there twice, an MBR that is anything
 * but protective. */
int gpt_read(int fd, uint64_t size, GptDisk *ret, Reason *reason);
void gpt_disk_done(GptDisk *disk);
