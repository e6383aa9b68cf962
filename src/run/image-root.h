/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The file tree of a finished image, mounted where only this process sees it: a directory as it is, an archive unpacked, the
 * partitions of a disk by loop devices. By default changes go to memory, and the image stays as it is. */

#include "base/reason.h"
#include "config/config-load.h"

typedef struct ImageRoot {
        char *path;     /* the tree, with all that is mounted in it */
        char *scratch;  /* a directory of ours, which has all of it */
        bool mounted;   /* a file system in memory is mounted on that */
        char *unpacked; /* a directory that has an archive's content; NULL: none */
} ImageRoot;

/* Appends what stands against running the output that the configuration describes, with --persistent or without. */
int image_root_check(const LoadedConfig *loaded, char ***problems);

/* Opens the output that is there. Failures are logged. */
int image_root_new(const LoadedConfig *loaded, ImageRoot **ret);

/* Takes all of it away. */
void image_root_free(ImageRoot *root);
DEFINE_CLEANUP(ImageRoot, image_root_free)
