/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "base/text.h"
#include "format/compress.h"

const Compressor *const compressors[] = {
        &compressor_xz,
        &compressor_zstd,
        &compressor_gzip,
        NULL,
};

const Compressor *compressor_find(const char *name) {
        assert(name);

        for (const Compressor *const *compressor = compressors; *compressor; compressor++)
                if (text_equal((*compressor)->name, name))
                        return *compressor;
        return NULL;
}

int compressor_level(const Compressor *compressor, int wished) {
        assert(compressor);

        if (wished == 0)
                return compressor->level_default;
        return wished < compressor->level_min || wished > compressor->level_max ? -ERANGE : wished;
}
