/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <fcntl.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/path.h"
#include "base/strv.h"
#include "base/text.h"
#include "distro/apt-clean.h"
#include "distro/apt-install.h"
#include "distro/apt-sources.h"
#include "distro/apt.h"
#include "distro/debootstrap.h"
#include "distro/distro-check.h"
#include "distro/distro-files.h"
#include "distro/dpkg-status.h"

#define DOCS_PATH            "etc/dpkg/dpkg.cfg.d/01_nodoc"
#define DPKG_STATUS          "var/lib/dpkg/status"
#define DPKG_STATUS_SIZE_MAX (256 * MIB)

static const HostProgram host_programs[] = {
        { "debootstrap", "debootstrap" },
        { "gpgv", "gpgv", { { "fedora", "gnupg2" }, { "suse", "gpg2" }, { "arch", "gnupg" } } },
        { "wget", "wget" },
};

static int check_release(const Config *config, const Distro *distro, char ***problems) {
        if (!apt_suite_is_valid(config->release))
                return strv_append_format(problems, "Release=\"%s\" cannot be the name of a release of %s",
                                          config->release ?: "", distro->title);
        return 0;
}

static int apt_check(const Config *config, const Distro *distro, char ***problems) {
        const int r = distro_check(config, distro, host_programs, ELEMENTSOF(host_programs), problems);
        return r < 0 ? r : check_release(config, distro, problems);
}

static int apt_version(const Config *config, char **ret) {
        return debootstrap_version(config, ret);
}

static int configure(const Installation *installation, int root_fd) {
        _cleanup_(apt_sources_done) AptSources sources = {};
        const Config *config = installation->config;

        int r = apt_sources_choose(installation->distro->apt, config->release,
                                   apt_mirror(installation->distro->apt, config), &sources);
        if (r < 0)
                return r;
        if (sources.security_unknown)
                log_warning("Mirror %s does not tell where its security updates are, the image gets none",
                            config->mirror);
        r = apt_write_sources(installation, root_fd, &sources);
        if (r < 0 || config->with_docs)
                return r;
        r = distro_write_text(root_fd, DOCS_PATH, apt_without_docs, 0644);
        return r < 0 ? r : apt_remove_docs(root_fd);
}

static int apt_bootstrap(const Installation *installation) {
        _cleanup_(fd_closep) int root_fd = -EBADF;

        assert(installation);

        int r = debootstrap_run(installation);
        if (r < 0)
                return r;
        root_fd = distro_open_root(installation->root);
        r = root_fd < 0 ? root_fd : configure(installation, root_fd);
        if (r < 0)
                return log_error(r, "Failed to configure apt in %s: %m", installation->root);
        return 0;
}

/* A directory of the building machine means nothing on another: an image made from one gets the archive's own
 * mirrors. */
static int replace_local_mirror(const Installation *installation, int root_fd) {
        _cleanup_(apt_sources_done) AptSources used = {}, own = {};
        const AptArchive *archive = installation->distro->apt;
        const Config *config = installation->config;

        if (!distro_mirror_directory(config->mirror))
                return 0;
        int r = apt_sources_choose(archive, config->release, config->mirror, &used);
        if (r < 0)
                return r;
        r = apt_sources_name_mirror(installation, root_fd, used.items[0].mirror);
        if (r <= 0)
                return r;
        r = apt_sources_choose(archive, config->release, apt_archive_mirror(archive, config->architecture),
                               &own);
        return r < 0 ? r : apt_write_sources(installation, root_fd, &own);
}

static int apt_clean(const Installation *installation) {
        _cleanup_(fd_closep) int root_fd = -EBADF;

        assert(installation);

        root_fd = distro_open_root(installation->root);
        int r = root_fd < 0 ? root_fd : replace_local_mirror(installation, root_fd);
        if (r >= 0)
                r = apt_remove_leftovers(root_fd);
        return r < 0 ? log_error(r, "Failed to clean %s: %m", installation->root) : 0;
}

static int apt_list(const Installation *installation, DistroPackages *packages) {
        _cleanup_(fd_closep) int root_fd = distro_open_root(installation->root), fd = -EBADF;
        _cleanup_(freep) char *text = NULL;

        int r = fd = root_fd < 0 ? root_fd : path_open_below(root_fd, DPKG_STATUS, O_RDONLY, 0);
        if (r >= 0)
                r = fd_read_file(fd, DPKG_STATUS_SIZE_MAX, &text, NULL);
        if (r >= 0)
                r = dpkg_status_parse(text, packages);
        if (r < 0)
                return log_error(r, "Cannot read " DPKG_STATUS " of %s: %m", installation->root);
        return 0;
}

const PackageManager package_manager_apt = {
        .name = "apt",
        .programs = (const char *const[]){ "debootstrap", NULL },
        .check = apt_check,
        .key_form = KEY_FORM_RING,
        .version = apt_version,
        .bootstrap = apt_bootstrap,
        .install = apt_install,
        .clean = apt_clean,
        .list = apt_list,
};
