/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Whatever a file of pacman's database holds: it is refused, or the package has a name, a version and an architecture;
 * and a date that was clamped is not clamped again. */

#include <string.h>

#include "distro/pacman-desc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void parse(const char *text) {
        DistroPackages packages = {};

        const int r = pacman_desc_parse(text, &packages);
        if ((r >= 0) != (packages.n_items == 1))
                abort();
        for (size_t i = 0; i < packages.n_items; i++) {
                const DistroPackage *package = &packages.items[i];

                if (!package->name[0] || !package->version[0] || !package->architecture[0] ||
                    strchr(package->name, '\n') || strchr(package->version, '\n'))
                        abort();
        }
        distro_packages_done(&packages);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        char *text = malloc(size + 1), *changed = NULL, *again = NULL;

        if (!text)
                return 0;
        memcpy(text, data, size);
        text[size] = '\0';

        parse(text);
        if (pacman_desc_clamp_date(text, 1600000000, &changed) >= 0 && changed &&
            (pacman_desc_clamp_date(changed, 1600000000, &again) < 0 || again))
                abort();
        free(changed);
        free(text);
        return 0;
}
