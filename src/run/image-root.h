/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The file tree of a finished image, mounted where only this process sees it: a directory as it is, an archive unpacked, the
 * partitions of a disk by loop devices or programs. By default changes go to memory, and the image stays as it is. */

#include "base/reason.h"
#include "config/config-load.h"
#include "run/fuse-mount.h"
#include "run/scratch.h"

#define IMAGE_ROOT_PARTS_MAX 3

typedef struct ImageRoot {
        char *path; /* the tree, with all that is mounted in it */
        Scratch *scratch;
        char *mounts; /* a directory in there, which has all that is mounted */
        bool mounted; /* a file system in memory is mounted on that */
        FuseMount *fuse[IMAGE_ROOT_PARTS_MAX];
        size_t n_fuse;
        int lock_fd; /* of the image */
} ImageRoot;

/* Appends what stands against running the output that the configuration describes, with --persistent or without, by us or by
 * systemd-nspawn. */
int image_root_check(const LoadedConfig *loaded, char ***problems);

/* Locks and opens the output that is there. Failures are logged. */
int image_root_new(const LoadedConfig *loaded, ImageRoot **ret);

/* Takes all of it away. */
void image_root_free(ImageRoot *root);
DEFINE_CLEANUP(ImageRoot, image_root_free)
