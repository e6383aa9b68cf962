/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "base/strv.h"
#include "base/text.h"
#include "distro/debian.h"
#include "distro/distro.h"

static const Distro *const distros[DISTRIBUTION_MAX] = {
        [DISTRIBUTION_DEBIAN] = &distro_debian,
};

const Distro *distro_find(unsigned distribution) {
        return distribution < ELEMENTSOF(distros) ? distros[distribution] : NULL;
}

static const char *const *boot_packages(const Distro *distro, const char *release) {
        for (const DistroRelease *exception = distro->releases; exception && exception->name; exception++)
                if (release && text_equal(exception->name, release))
                        return exception->boot_packages;
        return distro->boot_packages;
}

static int append_once(char ***list, const char *package) {
        return strv_contains(STRV(*list), package) ? 0 : strv_append(list, package);
}

static int append_all_once(char ***list, const char *const *packages) {
        for (size_t i = 0; packages && packages[i]; i++) {
                const int r = append_once(list, packages[i]);
                if (r < 0)
                        return r;
        }
        return 0;
}

static bool names_kernel(const Distro *distro, const char *const *packages) {
        for (size_t i = 0; packages && packages[i] && distro->kernel_prefix; i++)
                if (text_after_prefix(packages[i], distro->kernel_prefix))
                        return true;
        return false;
}

static int append_boot_packages(const Distro *distro, const Config *config, char ***list) {
        const char *kernel = distro->kernel_packages[config->architecture];
        const char *root = distro->root_packages ? distro->root_packages[config->format] : NULL;

        if (kernel && !names_kernel(distro, STRV(config->packages))) {
                const int r = append_once(list, kernel);
                if (r < 0)
                        return r;
        }
        if (root) {
                const int r = append_once(list, root);
                if (r < 0)
                        return r;
        }
        return append_all_once(list, boot_packages(distro, config->release));
}

int distro_packages(const Distro *distro, const Config *config, char ***ret) {
        _cleanup_(strv_freep) char **list = NULL;

        assert(distro && config && ret);
        assert(config->architecture < ARCHITECTURE_MAX && config->format < OUTPUT_FORMAT_MAX);

        int r = append_all_once(&list, distro->base_packages);
        if (r < 0)
                return r;
        if (config->bootable) {
                r = append_boot_packages(distro, config, &list);
                if (r < 0)
                        return r;
        }
        r = append_all_once(&list, STRV(config->packages));
        if (r < 0)
                return r;

        *ret = TAKE_PTR(list);
        return 0;
}
