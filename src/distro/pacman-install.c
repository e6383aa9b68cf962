/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <fcntl.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/path.h"
#include "base/strv.h"
#include "base/text.h"
#include "distro/distro-files.h"
#include "distro/host-tool.h"
#include "distro/pacman-conf.h"
#include "distro/pacman-install.h"
#include "distro/pacman-keys.h"

/* Hooks that make an initrd whenever a kernel is installed: the image gets its own later, when the tree is
 * complete. */
static const char *const masked_hooks[] = {
        "60-dracut-remove.hook",
        "60-mkinitcpio-remove.hook",
        "90-dracut-install.hook",
        "90-mkinitcpio-install.hook",
};

/* Configuration of the host, which is hidden: gpg's could trust anybody. */
static const char *const hidden[] = { "/etc/gnupg", "/etc/pacman.d", NULL };

static const char *const places[] = { "hooks", PACMAN_KEYS, NULL };
static const char *const tree_places[] = { "var/lib/pacman", NULL };

static const HostTool pacman = {
        .name = PACMAN_NAME,
        .places = places,
        .cache = "cache",
        .hidden = hidden,
        .tree_places = tree_places,
};

/* A link to /dev/null under the same name is how alpm-hooks(5) leaves out a hook. */
static int mask_hooks(int hooks_fd) {
        for (size_t i = 0; i < ELEMENTSOF(masked_hooks); i++)
                if (symlinkat("/dev/null", hooks_fd, masked_hooks[i]) < 0 && errno != EEXIST)
                        return -errno;
        return 0;
}

static int write_configuration(const HostRun *run) {
        const Installation *installation = run->installation;
        const PacmanConf conf = {
                .archive = installation->distro->pacman,
                .mirror = installation->config->mirror,
                .repositories = STRV(installation->config->repositories),
                .architecture = installation->distro->architectures[installation->config->architecture],
                .with_docs = installation->config->with_docs,
        };
        _cleanup_(fd_closep) int hooks_fd =
                path_open_below(run->directory_fd, path_base_name(PACMAN_HOOKS), O_RDONLY | O_DIRECTORY, 0);
        _cleanup_(freep) char *text = NULL;

        int r = hooks_fd < 0 ? hooks_fd : mask_hooks(hooks_fd);
        if (r >= 0)
                r = pacman_conf_format(&conf, &text);
        return r < 0 ? r : file_write_text(run->directory_fd, path_base_name(PACMAN_CONFIG), text, 0600);
}

static int run_pacman(const HostRun *run, PacmanAction action, const char *const *packages,
                      const char *doing) {
        _cleanup_(strv_freep) char **arguments = NULL;

        const int r = pacman_arguments(action, packages, &arguments);
        if (r < 0)
                return log_error(r, "Failed to %s: %m", doing);
        return host_run_command(run, &(HostCommand){ .argv = STRV(arguments),
                                                     .doing = doing,
                                                     .network = action == PACMAN_DOWNLOAD });
}

/* What was cut off, and by now nobody continues. */
static int clean_cache(const Installation *installation) {
        _cleanup_(fd_closep) int cache_fd = -EBADF;

        if (!installation->cache)
                return 0;
        cache_fd = distro_open_root(installation->cache);
        const int r = cache_fd < 0 ? cache_fd : distro_remove_matching(cache_fd, ".", "@(*.part|download-*)");
        return r < 0 ? log_error(r, "Failed to clean the package cache %s: %m", installation->cache) : 0;
}

int pacman_install(const Installation *installation, const char *const *packages,
                   const char *const doing[static PACMAN_ACTION_MAX]) {
        _cleanup_(host_run_done) HostRun run = HOST_RUN_INIT(&pacman, installation);

        assert(installation);

        if (strv_length(packages) == 0)
                return 0;
        int r = host_run_open(&run);
        if (r >= 0)
                r = write_configuration(&run);
        if (r < 0)
                return log_error(r, "Failed to prepare the installation of packages: %m");
        r = pacman_keys_prepare(&run);
        if (r < 0)
                return r;
        r = host_run_mount_tree(&run);
        if (r < 0)
                return log_error(r, "Failed to prepare the installation of packages: %m");
        /* Packages are fetched first and installed without the network: no script can depend on what it finds
         * there. */
        for (PacmanAction action = 0; action < PACMAN_ACTION_MAX && r >= 0; action++)
                r = run_pacman(&run, action, packages, doing[action]);
        return r < 0 ? r : clean_cache(installation);
}
