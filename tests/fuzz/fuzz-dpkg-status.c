/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Whatever a tree's database of packages holds: it is refused, or every package has a name, a version and an architecture. */

#include <string.h>

#include "distro/dpkg-status.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        DistroPackages packages = {};
        char *text = malloc(size + 1);

        if (!text)
                return 0;
        memcpy(text, data, size);
        text[size] = '\0';

        const int r = dpkg_status_parse(text, &packages);
        distro_packages_sort(&packages);
        for (size_t i = 0; r >= 0 && i < packages.n_items; i++) {
                const DistroPackage *package = &packages.items[i];

                if (!package->name[0] || !package->version[0] || !package->architecture[0] ||
                    strchr(package->name, '\n') || strchr(package->version, '\n'))
                        abort();
        }
        distro_packages_done(&packages);
        free(text);
        return 0;
}
