/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A file system in a part of a file, mounted: by a loop device, or where there is none by a program (FUSE). */

#include "base/macro.h"
#include "base/reason.h"
#include "run/fuse-mount.h"

typedef struct PartitionMount {
        int fd; /* of the image */
        uint64_t offset, size;
        bool writable;
        const char *search_path; /* where programs are looked for first: a list with colons */
} PartitionMount;

/* Mounts it on the directory. The reason names every way that was tried. ret_fuse is the program, or NULL. */
int partition_mount(const PartitionMount *part, const char *target, FuseMount **ret_fuse, Reason *reason);
