/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The shapes a finished tree can be given: one row each, named by Format=. */

#include "format/filesystem.h"

typedef struct ImageFormat {
        const char *name;       /* the word of Format= */
        bool partitioned;       /* a disk image with a GPT */
        const Filesystem *root; /* what the tree is turned into; NULL: it stays a directory */
        bool reserves;          /* the file system may be written to later, and gets room for it */
} ImageFormat;

/* NULL when this version does not write the format. */
const ImageFormat *image_format_find(const char *name);
