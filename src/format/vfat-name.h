/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Names in a FAT directory: each has a short one of 8 + 3 characters, its alias, and, unless that says it all, a long
 * one in UTF-16 (Microsoft "FAT: General Overview of On-Disk Format" 1.03, "FAT Long Directory Entries"). */

#include "base/macro.h"
#include "base/reason.h"
#include "base/tree.h"

#define VFAT_ALIAS_SIZE     11
#define VFAT_NAME_UNITS_MAX 255
#define VFAT_LONG_UNITS     13 /* units of a long name that one directory entry holds */

/* A directory has at most 2 MiB. */
#define VFAT_DIRECTORY_ENTRIES_MAX 65536

typedef struct VfatName {
        const TreeNode *node;
        uint16_t *units; /* the long name */
        size_t n_units;
        uint8_t alias[VFAT_ALIAS_SIZE]; /* padded with blanks, without the dot */
        bool alias_is_name;             /* no long name is stored */
} VfatName;

/* Names the children of a directory: ret[i] names children[i]. Aliases depend on names only. Names that FAT cannot store
 * or tell apart are refused, -EINVAL, -EILSEQ, -ENAMETOOLONG or -EEXIST, and so are too many of them, -EFBIG. */
int vfat_names_new(const TreeNode *directory, VfatName **ret, Reason *reason);
void vfat_names_free(VfatName *names, size_t n);

/* The number of directory entries that the name takes, the short one included. */
size_t vfat_name_count_entries(const VfatName *name);

/* What every entry of a long name carries to show that it belongs to the short one behind it. */
uint8_t vfat_alias_checksum(const uint8_t alias[static VFAT_ALIAS_SIZE]);

/* Turns a volume label into its form on disk: up to eleven letters, which become capitals, digits, blanks and a few
 * signs. -EINVAL for any other. */
int vfat_label_encode(const char *label, uint8_t ret[static VFAT_ALIAS_SIZE]);
