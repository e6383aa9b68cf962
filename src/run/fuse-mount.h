/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* File systems in files, shown by a program (FUSE) and not by the kernel, which would need a block device. Read-only. */

#include "base/macro.h"
#include "base/reason.h"

/* One that takes "-f -o ro,offset=BYTES FILE DIRECTORY", as all of them do. */
typedef struct FuseProgram {
        const char *name, *package;
} FuseProgram;

typedef struct FuseMount {
        pid_t pid;
        int pid_fd;
} FuseMount;

/* Mounts what begins at the offset of the file, for everybody, on the directory; returns when it is there. search_path is a
 * list of directories with colons. The program is a child of ours, that dies with us. */
int fuse_mount_new(const FuseProgram *program, const char *search_path, int fd, uint64_t offset,
                   const char *target, FuseMount **ret, Reason *reason);

/* Ends the program. What is mounted is to be unmounted before that. */
void fuse_mount_free(FuseMount *fuse);
DEFINE_CLEANUP(FuseMount, fuse_mount_free)
