/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "base/text.h"
#include "format/filesystem.h"

const Filesystem *const filesystems[] = {
        &filesystem_ext4,
        &filesystem_vfat,
        NULL,
};

const Filesystem *filesystem_find(const char *name) {
        assert(name);

        for (const Filesystem *const *filesystem = filesystems; *filesystem; filesystem++)
                if (text_equal((*filesystem)->name, name))
                        return *filesystem;
        return NULL;
}
