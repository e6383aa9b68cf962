/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/path.h"
#include "base/strv.h"
#include "base/text.h"
#include "distro/apt-install.h"
#include "distro/distro-check.h"
#include "distro/distro-files.h"
#include "distro/distro-run.h"

#define SOURCES_DIR  "etc/apt/sources.list.d"
#define SOURCES_MAX  (64 * KIB)
#define POLICY_NAME  "policy-rc.d"
#define POLICY_TEXT  "#!/bin/sh\nexit 101\n"
#define MOUNTS_MAX   4
#define ATTEMPTS_MAX 3

/* INITRD=No keeps the kernel's hooks (initramfs-tools', dracut's) from building an initrd in the middle of the
 * installation: the image gets its own later, when the tree is complete. */
static const char *const environment[] = {
        "DEBIAN_FRONTEND=noninteractive",
        "DEBCONF_NONINTERACTIVE_SEEN=true",
        "INITRD=No",
        NULL,
};

/* Configuration files that are in the tree already, from a skeleton, are kept without a question. */
static const char *const apt_get[] = {
        "apt-get",
        "--assume-yes",
        "--no-install-recommends",
        "-oAcquire::Languages=none",
        "-oAcquire::Retries=3",
        "-oAPT::Update::Error-Mode=any",
        "-oAPT::Keep-Downloaded-Packages=true",
        "-oAPT::Get::Always-Include-Phased-Updates=true",
        "-oDpkg::Use-Pty=false",
        "-oDpkg::Options::=--force-confdef",
        "-oDpkg::Options::=--force-confold",
        NULL,
};

/* The installation under way: what all runs of apt-get share. */
typedef struct AptRun {
        const Installation *installation;
        AptSources sources;
        SandboxMount mounts[MOUNTS_MAX];
        size_t n_mounts;
        char *policy_path;
} AptRun;

static void apt_run_done(AptRun *run) {
        apt_sources_done(&run->sources);
        free(run->policy_path);
}

static int sources_path(const Installation *installation, char **ret) {
        return path_join(SOURCES_DIR, installation->distro->apt->sources_name, ret);
}

static int sources_text(const Installation *installation, const AptSources *sources, char **ret) {
        return apt_sources_format(installation->distro->apt, sources,
                                  STRV(installation->config->repositories), ret);
}

int apt_write_sources(const Installation *installation, int root_fd, const AptSources *sources) {
        _cleanup_(freep) char *text = NULL, *path = NULL;

        int r = sources_text(installation, sources, &text);
        if (r < 0)
                return r;
        r = sources_path(installation, &path);
        return r < 0 ? r : distro_write_text(root_fd, path, text, 0644);
}

/* The tree's list; *ret is NULL when there is none. */
static int read_sources(const Installation *installation, int root_fd, char **ret) {
        _cleanup_(fd_closep) int directory_fd =
                path_open_below(root_fd, SOURCES_DIR, O_RDONLY | O_DIRECTORY, 0);

        *ret = NULL;
        if (directory_fd < 0)
                return directory_fd == -ENOENT ? 0 : directory_fd;
        const int r =
                file_read(directory_fd, installation->distro->apt->sources_name, SOURCES_MAX, ret, NULL);
        return r == -ENOENT ? 0 : r;
}

int apt_sources_name_mirror(const Installation *installation, int root_fd, const char *mirror) {
        _cleanup_(freep) char *text = NULL, *line = NULL;

        int r = text_format(&line, "URIs: %s\n", mirror);
        if (r < 0)
                return r;
        r = read_sources(installation, root_fd, &text);
        return r < 0 ? r : text && strstr(text, line);
}

/* Whether the tree's list is still the one we wrote; a skeleton may have brought another. */
static int sources_are_ours(const AptRun *run, int root_fd) {
        _cleanup_(freep) char *expected = NULL, *found = NULL;

        int r = sources_text(run->installation, &run->sources, &expected);
        if (r < 0)
                return r;
        r = read_sources(run->installation, root_fd, &found);
        return r < 0 ? r : found && text_equal(found, expected);
}

static void add_mount(AptRun *run, SandboxMountType type, const char *source, const char *target) {
        assert(run->n_mounts < ELEMENTSOF(run->mounts));
        run->mounts[run->n_mounts++] = (SandboxMount){ .type = type, .source = source, .target = target };
}

/* Daemons are not to start; what says so is lent to the tree rather than written into it, so it cannot stay behind. */
static int prepare_policy(AptRun *run) {
        int r = path_join(run->installation->workspace, POLICY_NAME, &run->policy_path);
        if (r < 0)
                return r;
        r = file_write_text(AT_FDCWD, run->policy_path, POLICY_TEXT, 0755);
        if (r < 0)
                return r;
        add_mount(run, SANDBOX_BIND_READ_ONLY, run->policy_path, "/usr/sbin/" POLICY_NAME);
        return 0;
}

static int prepare(AptRun *run) {
        const Installation *installation = run->installation;

        int r = apt_sources_choose(installation->distro->apt, installation->config->release,
                                   apt_mirror(installation->distro->apt, installation->config),
                                   &run->sources);
        if (r < 0)
                return r;
        r = prepare_policy(run);
        if (r < 0)
                return r;
        if (installation->cache)
                add_mount(run, SANDBOX_BIND, installation->cache, "/var/cache/apt/archives");
        for (size_t i = 0; i < run->sources.n_items; i++) {
                const char *directory = distro_mirror_directory(run->sources.items[i].mirror);

                /* The security archive beside a local mirror was only guessed. */
                if (directory && access(directory, F_OK) == 0)
                        add_mount(run, SANDBOX_BIND_READ_ONLY, directory, directory);
        }
        return 0;
}

static int run_apt_get(const AptRun *run, const char *const *words, bool network, const char *doing,
                       ToolLog *log) {
        _cleanup_(strv_freep) char **arguments = NULL;

        int r = strv_copy(apt_get, &arguments);
        if (r >= 0)
                r = strv_extend(&arguments, words);
        if (r < 0)
                return log_error(r, "Failed to %s: %m", doing);

        return distro_execute(run->installation,
                              &(DistroCommand){
                                      .argv = STRV(arguments),
                                      .doing = doing,
                                      .network = network,
                                      .environment = environment,
                                      .mounts = run->mounts,
                                      .n_mounts = run->n_mounts,
                              },
                              log);
}

int apt_drop_missing_suites(AptSources *sources, const char *release, const char *const *missing) {
        int n_dropped = 0;

        for (size_t i = 0; missing && missing[i]; i++)
                if (!apt_sources_suite_is_optional(missing[i], release))
                        return 0;
        for (size_t i = 0; missing && missing[i]; i++) {
                log_warning("The mirror has no suite %s, the image gets no updates from it", missing[i]);
                apt_sources_drop(sources, missing[i]);
                n_dropped++;
        }
        return n_dropped;
}

/* A mirror need not have more than the release itself: what is missing beside it is left out, with a warning. */
static int update(AptRun *run) {
        static const char *const words[] = { "update", NULL };
        static const char doing[] = "read the lists of packages";
        _cleanup_(fd_closep) int root_fd = distro_open_root(run->installation->root);

        if (root_fd < 0)
                return log_error(root_fd, "Failed to open %s: %m", run->installation->root);

        for (unsigned attempt = 1;; attempt++) {
                _cleanup_(tool_log_done) ToolLog log = {};

                const int status = run_apt_get(run, words, true, doing, &log);
                if (status < 0)
                        return status;
                if (status == 0)
                        return tool_log_is_grave(&log) ? tool_log_fail(&log, doing, status) : 0;

                /* Only when that is all that went wrong: a mirror that cannot be reached has no suites at all. */
                const bool only_missing = tool_log_only_missing_suites(&log);
                int r = only_missing && attempt < ATTEMPTS_MAX ? sources_are_ours(run, root_fd) : 0;
                if (r > 0)
                        r = apt_drop_missing_suites(&run->sources, run->installation->config->release,
                                                    STRV(log.missing_suites));
                if (r == 0)
                        return tool_log_fail(&log, doing, status);
                if (r > 0)
                        r = apt_write_sources(run->installation, root_fd, &run->sources);
                if (r < 0)
                        return log_error(r, "Failed to %s: %m", doing);
        }
}

static int upgrade(AptRun *run, const char *const *packages, bool download, const char *doing) {
        static const char *const only_download[] = { "--download-only", NULL };
        static const char *const verb[] = { "dist-upgrade", "--", NULL };
        _cleanup_(strv_freep) char **words = NULL;
        _cleanup_(tool_log_done) ToolLog log = {};

        int r = download ? strv_copy(only_download, &words) : 0;
        if (r >= 0)
                r = strv_extend(&words, verb);
        if (r >= 0)
                r = strv_extend(&words, packages);
        if (r < 0)
                return log_error(r, "Failed to %s: %m", doing);
        r = run_apt_get(run, STRV(words), download, doing, &log);
        return r > 0 ? tool_log_fail(&log, doing, r) : r;
}

/* What apt keeps for itself beside the packages is nothing for the next build that uses the cache. */
static int clean_cache(const Installation *installation) {
        _cleanup_(fd_closep) int cache_fd = -EBADF;

        if (!installation->cache)
                return 0;
        cache_fd = distro_open_root(installation->cache);
        const int r = cache_fd < 0 ? cache_fd : distro_remove_matching(cache_fd, ".", "@(lock|partial)");
        return r < 0 ? log_error(r, "Failed to clean the package cache %s: %m", installation->cache) : 0;
}

int apt_install(const Installation *installation, const char *const *packages) {
        _cleanup_(apt_run_done) AptRun run = { .installation = installation };

        assert(installation);

        int r = prepare(&run);
        if (r < 0)
                return log_error(r, "Failed to prepare the installation of packages: %m");
        r = update(&run);
        if (r < 0)
                return r;
        /* Packages are fetched first and installed without the network: no maintainer script can depend on what it finds there,
         * and the host's resolver configuration is not in the way of a package that brings its own. */
        r = upgrade(&run, packages, true, "download packages");
        if (r < 0)
                return r;
        r = upgrade(&run, packages, false, "install packages");
        return r < 0 ? r : clean_cache(installation);
}
