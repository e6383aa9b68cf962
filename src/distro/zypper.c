/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "base/fd.h"
#include "base/log.h"
#include "base/strv.h"
#include "base/text.h"
#include "distro/distro-check.h"
#include "distro/distro-files.h"
#include "distro/zypper-config.h"
#include "distro/zypper-run.h"
#include "distro/zypper.h"

#define REPOSITORIES_DIR "etc/zypp/repos.d"

static const HostProgram host_programs[] = {
        { "zypper", "zypper", {} },
        { "rpm", "rpm", { { "arch", "rpm-tools" } } },
};

/* clang-format off */
static const DistroLeftover leftovers[] = {
        { "dev",                "*" },
        { "run",                "*" },
        { "tmp",                "*" },
        { "var/tmp",            "*" },
        { "var/cache/ldconfig", "*" },
        { "var/cache/zypp",     "*" },
        { "var/log",            "zypper.log" },
        { "var/log/zypp",       "*" },
        { "var/lib/zypp",       "@(AnonymousUniqueId|LastDistributionFlavor)" },
        { "var/lib/systemd",    "random-seed" },
        { "etc",                "@(passwd|shadow|group|gshadow|subuid|subgid)-" },
        { ZYPPER_RPM_DATABASE,  "@(.rpm.lock|rpmdb.sqlite-@(shm|wal))" }, /* the journal is empty when the database is new */
};
/* clang-format on */

void zypper_config_make(const Config *config, const Distro *distro, ZypperConfig *ret) {
        *ret = (ZypperConfig){
                .archive = distro->zypper,
                .release = config->release ?: distro->zypper->rolling,
                .architecture = distro->architectures[config->architecture] ?: "",
                .port = distro->zypper->ports[config->architecture],
                .mirror = config->mirror,
                .repositories = STRV(config->repositories),
        };
}

static int check_repositories(const Config *config, const Distro *distro, char ***problems) {
        ZypperConfig zypper;

        if (!zypper_release_is_valid(distro->zypper, config->release))
                return strv_append_format(
                        problems, "Release=\"%s\" cannot be the name of a release of %s: %s or a number",
                        config->release ?: "", distro->title, distro->zypper->rolling);
        zypper_config_make(config, distro, &zypper);
        const char *unknown = zypper_unknown_repository(&zypper);
        if (unknown)
                return strv_append_format(problems, "Repositories=%s is no repository of %s \"%s\"", unknown,
                                          distro->title, config->release);
        return 0;
}

static int zypper_check(const Config *config, const Distro *distro, char ***problems) {
        const int r = distro_check(config, distro, host_programs, ELEMENTSOF(host_programs), problems);
        return r < 0 ? r : check_repositories(config, distro, problems);
}

/* The image gets its repositories from the mirror that it was made from, unless that is a directory of the building
 * machine, which means nothing elsewhere. */
static int write_repositories(const Installation *installation, int root_fd) {
        ZypperConfig config;

        zypper_config_make(installation->config, installation->distro, &config);
        if (distro_mirror_directory(config.mirror))
                config.mirror = NULL;
        for (const ZypperRepository *repository = config.archive->repositories; repository->id;
             repository++) {
                _cleanup_(freep) char *text = NULL, *path = NULL;

                if (!zypper_repository_is_chosen(&config, repository))
                        continue;
                int r = zypper_image_repository_format(&config, repository, &text);
                if (r >= 0)
                        r = text_format(&path, REPOSITORIES_DIR "/repo-%s.repo", repository->id);
                if (r >= 0)
                        r = distro_write_text(root_fd, path, text, 0644);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int zypper_bootstrap(const Installation *installation) {
        const Distro *distro = installation->distro;
        _cleanup_(freep) char *doing = NULL;
        _cleanup_(fd_closep) int root_fd = -EBADF;

        assert(installation);

        int r = distro_format_bootstrap(installation, distro->zypper->mirror, &doing);
        if (r < 0)
                return log_error(r, "Failed to install %s: %m", distro->title);
        r = zypper_install(installation, distro->base_packages, (const char *const[]){ doing, doing, doing });
        if (r < 0)
                return r;
        root_fd = distro_open_root(installation->root);
        r = root_fd < 0 ? root_fd : write_repositories(installation, root_fd);
        return r < 0 ? log_error(r, "Failed to configure zypper in %s: %m", installation->root) : 0;
}

static int zypper_add(const Installation *installation, const char *const *packages) {
        static const char *const doing[ZYPPER_STAGE_MAX] = {
                [ZYPPER_REFRESH] = "read the lists of packages",
                [ZYPPER_FETCH] = "download packages",
                [ZYPPER_INSTALL] = "install packages",
        };

        return zypper_install(installation, packages, doing);
}

static int zypper_clean(const Installation *installation) {
        _cleanup_(fd_closep) int root_fd = -EBADF;

        assert(installation);

        int r = zypper_rebuild_database(installation);
        if (r < 0)
                return r;
        root_fd = distro_open_root(installation->root);
        r = root_fd < 0 ? root_fd : distro_remove_all(root_fd, leftovers, ELEMENTSOF(leftovers));
        return r < 0 ? log_error(r, "Failed to clean %s: %m", installation->root) : 0;
}

const PackageManager package_manager_zypper = {
        .name = "zypper",
        .programs = (const char *const[]){ "zypper", "rpm", NULL },
        .check = zypper_check,
        .key_form = KEY_FORM_ARMOURED,
        .bootstrap = zypper_bootstrap,
        .install = zypper_add,
        .clean = zypper_clean,
        .list = zypper_list,
};
