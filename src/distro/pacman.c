/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <fcntl.h>
#include <stdlib.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/parse.h"
#include "base/path.h"
#include "base/strv.h"
#include "base/text.h"
#include "distro/distro-check.h"
#include "distro/distro-files.h"
#include "distro/pacman-clean.h"
#include "distro/pacman-conf.h"
#include "distro/pacman-desc.h"
#include "distro/pacman-install.h"
#include "distro/pacman-keys.h"
#include "distro/pacman.h"

#define LOCAL_DATABASE "var/lib/pacman/local"
#define DESC_SIZE_MAX  (4 * MIB)

static const HostProgram host_programs[] = {
        { "pacman", "pacman-package-manager", { { "arch", "pacman" }, { "fedora", "pacman" } } },
        { "gpg", "gpg", { { "arch", "gnupg" }, { "fedora", "gnupg2" }, { "suse", "gpg2" } } },
        { "gpg-agent", "gpg-agent", { { "arch", "gnupg" }, { "fedora", "gnupg2" }, { "suse", "gpg2" } } },
};

static int check_repositories(const Config *config, char ***problems) {
        int r = 0;

        for (char **name = config->repositories; r >= 0 && name && *name; name++)
                if (!pacman_repository_is_valid(*name))
                        r = strv_append_format(problems, "Repositories=%s cannot be the name of a repository",
                                               *name);
        return r;
}

static int pacman_check(const Config *config, const Distro *distro, char ***problems) {
        const int r = distro_check(config, distro, host_programs, ELEMENTSOF(host_programs), problems);
        return r < 0 ? r : check_repositories(config, problems);
}

/* "Pacman v6.0.2 - libalpm v13.0.2" stands in the middle of a picture. */
static int pacman_version(const Config *config, char **ret) {
        _cleanup_(freep) char *text = NULL;

        const int r =
                distro_program_version(config, (const char *const[]){ "pacman", "--version", NULL }, &text);
        const char *version = text ? strstr(text, "Pacman v") : NULL;
        if (r < 0 || !version)
                return r;
        return text_format(ret, "%.*s", (int)strcspn(version, "\n"), version);
}

static int pacman_bootstrap(const Installation *installation) {
        const Distro *distro = installation->distro;
        _cleanup_(freep) char *doing = NULL;

        const int r = distro_format_bootstrap(installation, distro->pacman->mirror, &doing);
        if (r < 0)
                return log_error(r, "Failed to install %s: %m", distro->title);
        return pacman_install(installation, distro->base_packages, (const char *const[]){ doing, doing });
}

static int pacman_add(const Installation *installation, const char *const *packages) {
        return pacman_install(installation, packages,
                              (const char *const[]){ "download packages", "install packages" });
}

static int clean(const Installation *installation, int root_fd) {
        const char *epoch = getenv("SOURCE_DATE_EPOCH");
        const Config *config = installation->config;
        _cleanup_(freep) char *server = NULL;
        uint64_t date_max;

        int r = pacman_remove_leftovers(root_fd);
        if (r >= 0 && epoch && parse_uint64(epoch, &date_max) == 0)
                r = pacman_clamp_dates(root_fd, date_max);
        /* A directory of the building machine means nothing on another. */
        if (r >= 0)
                r = pacman_conf_server(installation->distro->pacman,
                                       distro_mirror_directory(config->mirror) ? NULL : config->mirror,
                                       &server);
        return r < 0 ? r : pacman_add_server(root_fd, server);
}

static int pacman_clean(const Installation *installation) {
        _cleanup_(fd_closep) int root_fd = -EBADF;

        assert(installation);

        root_fd = distro_open_root(installation->root);
        const int r = root_fd < 0 ? root_fd : clean(installation, root_fd);
        return r < 0 ? log_error(r, "Failed to clean %s: %m", installation->root) : 0;
}

static int list_one(int root_fd, const char *name, DistroPackages *packages) {
        _cleanup_(freep) char *path = NULL, *text = NULL;
        _cleanup_(fd_closep) int fd = -EBADF;

        int r = text_format(&path, LOCAL_DATABASE "/%s/desc", name);
        if (r < 0)
                return r;
        fd = path_open_below(root_fd, path, O_RDONLY, 0);
        if (fd < 0)
                return fd == -ENOTDIR ? 0 : fd; /* ALPM_DB_VERSION */
        r = fd_read_file(fd, DESC_SIZE_MAX, &text, NULL);
        return r < 0 ? r : pacman_desc_parse(text, packages);
}

static int pacman_list(const Installation *installation, DistroPackages *packages) {
        _cleanup_(fd_closep) int root_fd = distro_open_root(installation->root);
        _cleanup_(strv_freep) char **names = NULL;

        if (root_fd < 0)
                return log_error(root_fd, "Failed to open %s: %m", installation->root);
        int r = distro_list(root_fd, LOCAL_DATABASE, &names);
        if (r < 0)
                return log_error(r, "Cannot read " LOCAL_DATABASE " of %s: %m", installation->root);
        for (size_t i = 0; names && names[i]; i++) {
                r = list_one(root_fd, names[i], packages);
                if (r < 0)
                        return log_error(r, "Cannot read " LOCAL_DATABASE "/%s/desc of %s: %m", names[i],
                                         installation->root);
        }
        return 0;
}

const PackageManager package_manager_pacman = {
        .name = "pacman",
        .programs = (const char *const[]){ "pacman", NULL },
        .key_form = KEY_FORM_ANY,
        .key_lists = pacman_key_lists,
        .check = pacman_check,
        .version = pacman_version,
        .bootstrap = pacman_bootstrap,
        .install = pacman_add,
        .clean = pacman_clean,
        .list = pacman_list,
};
