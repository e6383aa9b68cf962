/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The shapes a finished tree can be given: one row each, named by Format=. */

#include "format/filesystem.h"

typedef struct ImageFormat {
        const char *name;       /* the word of Format= */
        const Filesystem *root; /* of the disk image's root partition; NULL: the tree stays a directory */
} ImageFormat;

/* NULL when this version does not write the format. */
const ImageFormat *image_format_find(const char *name);
