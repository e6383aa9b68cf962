/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <fcntl.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/path.h"
#include "base/strv.h"
#include "base/text.h"
#include "distro/distro-check.h"
#include "distro/distro-files.h"
#include "distro/dnf-config.h"
#include "distro/dnf-run.h"
#include "distro/dnf.h"

/* dnf-3 is version 4 of dnf under the name that version 5, which knows other options, never has. */
static const HostProgram host_programs[] = {
        { "dnf-3", "dnf", { { "fedora", "python3-dnf" }, { "suse", "python3-dnf" } } },
        { "rpm", "rpm", { { "arch", "rpm-tools" } } },
};

/* clang-format off */
static const DistroLeftover leftovers[] = {
        { "dev",                   "*" },
        { "run",                   "*" },
        { "tmp",                   "*" },
        { "var/tmp",               "*" },
        { "var/cache/dnf",         "*" },
        { "var/cache/libdnf5",     "*" },
        { "var/cache/ldconfig",    "*" },
        { "var/cache/man",         "*" },
        { "var/lib/systemd",       "random-seed" },
        { "var/log",               "@(dnf*|hawkey|yum).log*" },
        { "usr/lib/sysimage/rpm",  "@(__db.*|.rpm.lock|.dbenv.lock)" },
        { "var/lib/rpm",           "@(__db.*|.rpm.lock|.dbenv.lock)" },
        { "etc",                   "@(passwd|shadow|group|gshadow|subuid|subgid)-" },
};

/* The history of transactions, for nobody where the program is not. */
static const DistroLeftover history[] = {
        { "var/lib",               "dnf" },
};
/* clang-format on */

static int check_release(const Config *config, const Distro *distro, char ***problems) {
        const DnfArchive *archive = distro->dnf;

        if (dnf_release_is_valid(archive, config->release))
                return 0;
        return strv_append_format(problems, "Release=\"%s\" cannot be a release of %s: it is a number%s%s",
                                  config->release ?: "", distro->title, archive->rolling ? ", or " : "",
                                  archive->rolling ?: "");
}

static int list_repositories(const DnfArchive *archive, const char *release, char **ret) {
        _cleanup_(strv_freep) char **ids = NULL;

        for (const DnfRepository *repository = archive->repositories; repository->id; repository++) {
                if (!dnf_repository_find(archive, release, repository->id))
                        continue;
                const int r = strv_append(&ids, repository->id);
                if (r < 0)
                        return r;
        }
        return strv_join(STRV(ids), ", ", ret);
}

static int check_repositories(const Config *config, const Distro *distro, char ***problems) {
        _cleanup_(freep) char *ids = NULL;

        if (!dnf_release_is_valid(distro->dnf, config->release))
                return 0;
        int r = list_repositories(distro->dnf, config->release, &ids);
        for (char **id = config->repositories; id && *id && r >= 0; id++)
                if (!dnf_repository_find(distro->dnf, config->release, *id))
                        r = strv_append_format(problems,
                                               "Repositories=%s is no repository of %s \"%s\", which has: %s",
                                               *id, distro->title, config->release, ids);
        return r;
}

static int dnf_check(const Config *config, const Distro *distro, char ***problems) {
        int r = distro_check(config, distro, host_programs, ELEMENTSOF(host_programs), problems);
        if (r >= 0)
                r = check_release(config, distro, problems);
        return r < 0 ? r : check_repositories(config, distro, problems);
}

static int dnf_bootstrap(const Installation *installation) {
        const Distro *distro = installation->distro;
        _cleanup_(freep) char *doing = NULL;

        const int r = distro_format_bootstrap(installation, "its mirrors", &doing);
        if (r < 0)
                return log_error(r, "Failed to install %s: %m", distro->title);
        return dnf_install(installation, distro->base_packages, (const char *const[]){ doing, doing });
}

static int dnf_add(const Installation *installation, const char *const *packages) {
        return dnf_install(installation, packages,
                           (const char *const[]){ "download packages", "install packages" });
}

static int remove_history(int root_fd) {
        _cleanup_(fd_closep) int fd = path_open_below(root_fd, "usr/bin/dnf-3", O_PATH, 0);

        if (fd != -ENOENT)
                return MIN(fd, 0);
        return distro_remove_all(root_fd, history, ELEMENTSOF(history));
}

static int dnf_clean(const Installation *installation) {
        _cleanup_(fd_closep) int root_fd = -EBADF;

        assert(installation);

        root_fd = distro_open_root(installation->root);
        int r = root_fd < 0 ? root_fd : distro_remove_all(root_fd, leftovers, ELEMENTSOF(leftovers));
        if (r >= 0)
                r = remove_history(root_fd);
        return r < 0 ? log_error(r, "Failed to clean %s: %m", installation->root) : 0;
}

/* There is no version: dnf asked for it makes a database in the home directory, as Debian has it. */
const PackageManager package_manager_dnf = {
        .name = "dnf",
        .programs = (const char *const[]){ "dnf-3", "rpm", NULL },
        .check = dnf_check,
        .key_form = KEY_FORM_ARMOURED,
        .bootstrap = dnf_bootstrap,
        .install = dnf_add,
        .clean = dnf_clean,
        .list = dnf_list,
};
