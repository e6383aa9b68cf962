/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Whatever the text is: it is refused with a reason, or all members are there, and names lead nowhere else. */

#include <string.h>

#include "image/manifest-reader.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool condition) {
        if (!condition)
                abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_(manifest_done) Manifest manifest = {};
        _cleanup_(reason_done) Reason reason = {};

        if (manifest_read((const char *)data, size, &manifest, &reason) < 0) {
                check(reason.text != NULL);
                return 0;
        }
        check(manifest.version == MANIFEST_VERSION || (manifest.n_files == 0 && !manifest.has_disk));
        for (size_t i = 0; i < manifest.n_files; i++)
                check(manifest.files[i].kind && manifest.files[i].name[0] &&
                      !strchr(manifest.files[i].name, '/'));
        for (size_t i = 0; i < manifest.n_partitions; i++)
                check(manifest.has_disk && manifest.partitions[i].name);
        return 0;
}
