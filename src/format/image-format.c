/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "base/text.h"
#include "format/image-format.h"

/* gpt_xfs has no row: nothing fills an xfs file system without mounting it. */
/* clang-format off */
static const ImageFormat image_formats[] = {
        { "gpt_ext4",       IMAGE_DISK,       &filesystem_ext4,     false },
        { "gpt_btrfs",      IMAGE_DISK,       &filesystem_btrfs,    true  },
        { "gpt_squashfs",   IMAGE_DISK,       &filesystem_squashfs, false },
        { "plain_squashfs", IMAGE_FILESYSTEM, &filesystem_squashfs, false },
        { "tar",            IMAGE_ARCHIVE,    NULL,                 false },
        { "directory",      IMAGE_TREE,       NULL,                 false },
        { "subvolume",      IMAGE_TREE,       NULL,                 true  },
};
/* clang-format on */

const ImageFormat *image_format_find(const char *name) {
        for (size_t i = 0; i < ELEMENTSOF(image_formats); i++)
                if (text_equal(image_formats[i].name, name))
                        return &image_formats[i];
        return NULL;
}
