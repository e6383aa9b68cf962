/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "base/strv.h"
#include "base/text.h"
#include "config/config-resolve.h"
#include "distro/arch.h"
#include "distro/debian.h"
#include "distro/distro.h"
#include "distro/fedora.h"
#include "distro/opensuse.h"
#include "distro/ubuntu.h"

static const Distro *const distros[DISTRIBUTION_MAX] = {
        [DISTRIBUTION_FEDORA] = &distro_fedora, [DISTRIBUTION_DEBIAN] = &distro_debian,
        [DISTRIBUTION_UBUNTU] = &distro_ubuntu, [DISTRIBUTION_OPENSUSE] = &distro_opensuse,
        [DISTRIBUTION_MAGEIA] = &distro_mageia, [DISTRIBUTION_CENTOS] = &distro_centos,
        [DISTRIBUTION_ALMA] = &distro_alma,     [DISTRIBUTION_ROCKY] = &distro_rocky,
        [DISTRIBUTION_ARCH] = &distro_arch,
};

const Distro *distro_find(unsigned distribution) {
        return distribution < ELEMENTSOF(distros) ? distros[distribution] : NULL;
}

int distro_format_title(const Distro *distro, const Config *config, char **ret) {
        if (!config_has_releases(config))
                return text_copy(distro->title, ret);
        return text_format(ret, "%s \"%s\"", distro->title, config->release ?: "");
}

int distro_format_bootstrap(const Installation *installation, const char *mirror, char **ret) {
        const Config *config = installation->config;
        _cleanup_(freep) char *title = NULL;

        const int r = distro_format_title(installation->distro, config, &title);
        return r < 0 ? r
                     : text_format(ret, "install %s from %s", title,
                                   text_is_empty(config->mirror) ? mirror : config->mirror);
}

static const DistroRelease *find_exception(const Distro *distro, const char *release) {
        static const DistroRelease none;

        for (const DistroRelease *exception = distro->releases; exception && exception->name; exception++)
                if (release && text_equal(exception->name, release))
                        return exception;
        return &none;
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
        for (size_t i = 0; packages && packages[i]; i++)
                if ((distro->kernel_prefix && text_after_prefix(packages[i], distro->kernel_prefix)) ||
                    strv_contains(distro->kernel_names, packages[i]))
                        return true;
        return false;
}

static int append_boot_packages(const Distro *distro, const Config *config, char ***list) {
        const char *kernel = distro->kernel_packages[config->architecture];
        const DistroRelease *exception = find_exception(distro, config->release);
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
        int r = append_all_once(list, exception->boot_packages ?: distro->boot_packages);
        if (r >= 0 && config->encrypt != ENCRYPT_OFF)
                r = append_all_once(list, exception->encrypt_packages ?: distro->encrypt_packages);
        if (r >= 0 && config->verity)
                r = append_all_once(list, exception->verity_packages ?: distro->verity_packages);
        return r;
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

static void package_done(DistroPackage *package) {
        free(package->name);
        free(package->version);
        free(package->architecture);
}

int distro_packages_take(DistroPackages *packages, DistroPackage package) {
        DistroPackage *more = packages->items;
        int r = 0;

        /* An array that doubles whenever its length is a power of two. */
        if (packages->n_items >= DISTRO_PACKAGES_MAX)
                r = -EFBIG;
        else if ((packages->n_items & (packages->n_items - 1)) == 0) {
                more = reallocarray(packages->items, MAX(2 * packages->n_items, (size_t)1), sizeof(*more));
                r = more ? 0 : -ENOMEM;
        }
        if (r < 0) {
                package_done(&package);
                return r;
        }
        packages->items = more;
        packages->items[packages->n_items++] = package;
        return 0;
}

static int compare_packages(const void *a, const void *b) {
        const DistroPackage *x = a, *y = b;
        int order = strcmp(x->name, y->name);

        if (order == 0)
                order = strcmp(x->architecture, y->architecture);
        return order != 0 ? order : strcmp(x->version, y->version);
}

void distro_packages_sort(DistroPackages *packages) {
        if (packages->n_items > 1)
                qsort(packages->items, packages->n_items, sizeof(DistroPackage), compare_packages);
}

void distro_packages_done(DistroPackages *packages) {
        for (size_t i = 0; i < packages->n_items; i++)
                package_done(&packages->items[i]);
        free(packages->items);
        *packages = (DistroPackages){};
}
