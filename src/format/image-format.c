/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "base/text.h"
#include "format/image-format.h"

static const ImageFormat image_formats[] = {
        { .name = "gpt_ext4", .root = &filesystem_ext4 },
        { .name = "directory" },
};

const ImageFormat *image_format_find(const char *name) {
        for (size_t i = 0; i < ELEMENTSOF(image_formats); i++)
                if (text_equal(image_formats[i].name, name))
                        return &image_formats[i];
        return NULL;
}
