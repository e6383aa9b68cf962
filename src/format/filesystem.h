/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* File systems that a tree can be turned into. */

#include "base/macro.h"
#include "base/reason.h"
#include "base/tree.h"
#include "base/uuid.h"

typedef struct FilesystemOptions {
        const char *label;
        const char *last_mounted; /* ext4's hint "/", NULL: none */
        Uuid uuid;                /* vfat takes its 32-bit serial from the first four bytes */
        Uuid hash_seed;           /* ext4 directory hashes */
        int64_t time;             /* of creation; no other is later. Seconds since the epoch */
} FilesystemOptions;

/* A file system is written at an offset of a file that reads as zeros there. */
typedef struct FilesystemPlace {
        int fd;
        uint64_t offset, size;
} FilesystemPlace;

typedef struct Filesystem {
        const char *name; /* "ext4" */
        bool read_only;   /* it cannot be written to later, so room for that would be lost */
        /* The smallest size the tree fits into, exact or a little above, plus reserve bytes free for later use. */
        int (*measure)(const Tree *tree, const FilesystemOptions *options, uint64_t reserve_size,
                       uint64_t *ret_size, Reason *reason);
        /* Writes it. -ENOSPC when the place is too small. -EINTR after interrupt_check(). */
        int (*make)(const Tree *tree, const FilesystemOptions *options, const FilesystemPlace *place,
                    Reason *reason);
} Filesystem;

extern const Filesystem filesystem_ext4, filesystem_vfat;

/* NULL-terminated; a name that is not in it is answered with NULL. */
extern const Filesystem *const filesystems[];
const Filesystem *filesystem_find(const char *name);
