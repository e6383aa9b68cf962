/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The shapes a finished tree can be given: one row each, named by Format=. */

#include "format/filesystem.h"

typedef enum ImageShape {
        IMAGE_DISK,       /* partitions, with the tree on the root partition */
        IMAGE_FILESYSTEM, /* a file system alone in a file */
        IMAGE_ARCHIVE,    /* a tar archive */
        IMAGE_TREE,       /* it stays a directory */
} ImageShape;

typedef struct ImageFormat {
        const char *name; /* the word of Format= */
        ImageShape shape;
        const Filesystem *root; /* of disks and file systems */
        bool subvolumes;        /* /home, /srv, /var … are subvolumes of btrfs */
} ImageFormat;

/* NULL when this version does not write the format. */
const ImageFormat *image_format_find(const char *name);
