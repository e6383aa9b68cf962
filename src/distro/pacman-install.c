/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/path.h"
#include "base/strv.h"
#include "base/text.h"
#include "distro/distro-check.h"
#include "distro/distro-files.h"
#include "distro/distro-run.h"
#include "distro/pacman-conf.h"
#include "distro/pacman-install.h"
#include "distro/pacman-keys.h"

#define MOUNTS_MAX 12

/* What is mounted on has to be there, as package filesystem has it, and to stay. */
static const struct {
        const char *path;
        mode_t mode;
} tree_directories[] = {
        { "dev", 0755 }, { "proc", 0555 }, { "run", 0755 },
        { "sys", 0555 }, { "tmp", 01777 }, { "var/lib/pacman", 0755 },
};

/* What scripts and hooks of packages find in the tree. */
static const SandboxMount tree_mounts[] = {
        { .type = SANDBOX_DEV, .target = DISTRO_TREE "/dev" },
        { .type = SANDBOX_PROC, .target = DISTRO_TREE "/proc" },
        { .type = SANDBOX_SYS, .target = DISTRO_TREE "/sys" },
        { .type = SANDBOX_TMPFS, .target = DISTRO_TREE "/run", .options = "mode=0755,nosuid,nodev" },
        { .type = SANDBOX_TMPFS, .target = DISTRO_TREE "/tmp", .options = "mode=1777,nosuid,nodev" },
};

/* Hooks that make an initrd whenever a kernel is installed: the image gets its own later, when the tree is complete. */
static const char *const masked_hooks[] = {
        "60-dracut-remove.hook",
        "60-mkinitcpio-remove.hook",
        "90-dracut-install.hook",
        "90-mkinitcpio-install.hook",
};

/* The installation under way: what all runs of pacman share. */
typedef struct PacmanRun {
        const Installation *installation;
        char *home, *cache; /* on the host */
        const char *mirror_directory;
        SandboxMount mounts[MOUNTS_MAX];
        size_t n_mounts;
} PacmanRun;

static void pacman_run_done(PacmanRun *run) {
        free(run->home);
        free(run->cache);
}

static void add_mount(PacmanRun *run, SandboxMount mount) {
        assert(run->n_mounts < ELEMENTSOF(run->mounts));
        run->mounts[run->n_mounts++] = mount;
}

static int make_tree_directories(const Installation *installation) {
        _cleanup_(fd_closep) int root_fd = distro_open_root(installation->root);

        if (root_fd < 0)
                return root_fd;
        for (size_t i = 0; i < ELEMENTSOF(tree_directories); i++) {
                const int fd =
                        distro_make_directory(root_fd, tree_directories[i].path, tree_directories[i].mode);
                if (fd < 0)
                        return fd;
                (void)fd_close(fd);
        }
        return 0;
}

/* A link to /dev/null under the same name is how alpm-hooks(5) leaves out a hook. */
static int mask_hooks(int hooks_fd) {
        for (size_t i = 0; i < ELEMENTSOF(masked_hooks); i++)
                if (symlinkat("/dev/null", hooks_fd, masked_hooks[i]) < 0 && errno != EEXIST)
                        return -errno;
        return 0;
}

static int write_home(const PacmanRun *run) {
        const Installation *installation = run->installation;
        const PacmanConf conf = {
                .archive = installation->distro->pacman,
                .mirror = installation->config->mirror,
                .repositories = STRV(installation->config->repositories),
                .architecture = installation->distro->architectures[installation->config->architecture],
                .with_docs = installation->config->with_docs,
        };
        _cleanup_(fd_closep) int home_fd = -EBADF, hooks_fd = -EBADF;
        _cleanup_(freep) char *text = NULL;

        int r = path_make_directories(AT_FDCWD, run->home, 0700);
        if (r < 0)
                return r;
        home_fd = distro_open_root(run->home);
        if (home_fd < 0)
                return home_fd;
        hooks_fd = distro_make_directory(home_fd, path_base_name(PACMAN_HOOKS), 0700);
        r = hooks_fd < 0 ? hooks_fd : mask_hooks(hooks_fd);
        if (r >= 0)
                r = pacman_conf_format(&conf, &text);
        return r < 0 ? r : file_write_text(home_fd, path_base_name(PACMAN_CONFIG), text, 0600);
}

static void add_mounts(PacmanRun *run) {
        SandboxMount hiding[PACMAN_HIDING_MOUNTS_MAX];
        const size_t n_hiding = pacman_hiding_mounts(hiding);

        for (size_t i = 0; i < n_hiding; i++)
                add_mount(run, hiding[i]);
        for (size_t i = 0; i < ELEMENTSOF(tree_mounts); i++)
                add_mount(run, tree_mounts[i]);
        add_mount(run, (SandboxMount){ .type = SANDBOX_BIND, .source = run->home, .target = PACMAN_HOME });
        add_mount(run, (SandboxMount){ .type = SANDBOX_BIND,
                                       .source = run->installation->cache ?: run->cache,
                                       .target = PACMAN_CACHE });
        if (run->mirror_directory)
                add_mount(run, (SandboxMount){ .type = SANDBOX_BIND_READ_ONLY,
                                               .source = run->mirror_directory,
                                               .target = run->mirror_directory });
}

static int prepare(PacmanRun *run) {
        const Installation *installation = run->installation;

        int r = path_join(installation->workspace, "pacman", &run->home);
        if (r >= 0)
                r = path_join(installation->workspace, "pacman-cache", &run->cache);
        if (r >= 0 && !installation->cache)
                r = path_make_directories(AT_FDCWD, run->cache, 0700);
        if (r >= 0)
                r = make_tree_directories(installation);
        if (r >= 0)
                r = write_home(run);
        if (r < 0)
                return log_error(r, "Failed to prepare the installation of packages: %m");

        run->mirror_directory = distro_mirror_directory(installation->config->mirror);
        add_mounts(run);
        return pacman_keys_prepare(installation, run->home);
}

static int run_pacman(const PacmanRun *run, PacmanAction action, const char *const *packages,
                      const char *doing) {
        _cleanup_(strv_freep) char **arguments = NULL;
        _cleanup_(tool_log_done) ToolLog log = {};

        int r = pacman_arguments(action, packages, &arguments);
        if (r < 0)
                return log_error(r, "Failed to %s: %m", doing);
        r = distro_execute(run->installation,
                           &(DistroCommand){
                                   .argv = STRV(arguments),
                                   .doing = doing,
                                   .on_host = true,
                                   .network = action == PACMAN_DOWNLOAD && !run->mirror_directory,
                                   .mounts = run->mounts,
                                   .n_mounts = run->n_mounts,
                           },
                           &log);
        if (r < 0)
                return r;
        return r > 0 || tool_log_is_grave(&log) ? tool_log_fail(&log, doing, r) : 0;
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

int pacman_install(const Installation *installation, const char *const *packages) {
        _cleanup_(pacman_run_done) PacmanRun run = { .installation = installation };

        assert(installation);

        int r = prepare(&run);
        /* Packages are fetched first and installed without the network: no script can depend on what it finds there. */
        if (r >= 0)
                r = run_pacman(&run, PACMAN_DOWNLOAD, packages, "download packages");
        if (r >= 0)
                r = run_pacman(&run, PACMAN_INSTALL, packages, "install packages");
        return r < 0 ? r : clean_cache(installation);
}
