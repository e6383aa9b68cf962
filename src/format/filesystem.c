/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "base/text.h"
#include "format/filesystem.h"

const char *const compression_names[] = {
        [COMPRESSION_NONE] = "none", [COMPRESSION_ZLIB] = "zlib", [COMPRESSION_LZO] = "lzo",
        [COMPRESSION_LZ4] = "lz4",   [COMPRESSION_XZ] = "xz",     [COMPRESSION_ZSTD] = "zstd",
        [COMPRESSION_MAX] = NULL,
};
static_assert(ELEMENTSOF(compression_names) == COMPRESSION_MAX + 1, "A compression has no name");

const Filesystem *const filesystems[] = {
        &filesystem_btrfs, &filesystem_ext4, &filesystem_swap, &filesystem_squashfs, &filesystem_vfat, NULL,
};

const Filesystem *filesystem_find(const char *name) {
        assert(name);

        for (const Filesystem *const *filesystem = filesystems; *filesystem; filesystem++)
                if (text_equal((*filesystem)->name, name))
                        return *filesystem;
        return NULL;
}

bool filesystem_compresses(const Filesystem *filesystem, Compression compression) {
        assert(filesystem && compression < COMPRESSION_MAX);

        return compression == COMPRESSION_NONE || (filesystem->compressions & 1U << compression) != 0;
}

uint64_t filesystem_reserve(const FilesystemOptions *options, uint64_t content_size) {
        return MAX(options->reserve_size, content_size / 100 * options->reserve_percent);
}

uint64_t filesystem_size(const FilesystemOptions *options, uint64_t content_size) {
        const uint64_t size = content_size + filesystem_reserve(options, content_size);

        return options->size_grain > 0 ? align_up(size, options->size_grain) : size;
}
