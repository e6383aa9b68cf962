/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/path.h"
#include "base/strv.h"
#include "base/text.h"
#include "distro/apt-clean.h"
#include "distro/apt-sources.h"
#include "distro/debootstrap.h"
#include "distro/distro-check.h"
#include "distro/distro-files.h"
#include "distro/distro-run.h"

#define SCRIPTS      "/usr/share/debootstrap/scripts"
#define ARCHIVES     "var/cache/apt/archives"
#define LOG_SIZE_MAX (16 * MIB)

/* "lxc" is debootstrap's word for: there are devices already, make none. They are the sandbox's, mounted over the tree's
 * /dev, so that none ever lies in the tree and nothing needs the right to make them. */
static const char *const environment[] = {
        "container=lxc",
        "DEBIAN_FRONTEND=noninteractive",
        "DEBCONF_NONINTERACTIVE_SEEN=true",
        "INITRD=No",
        NULL,
};

bool debootstrap_knows(const char *suite) {
        char path[PATH_MAX];

        return snprintf(path, sizeof(path), "%s/%s", SCRIPTS, suite) < (int)sizeof(path) &&
               access(path, R_OK) == 0;
}

int debootstrap_version(const Config *config, char **ret) {
        return distro_program_version(config, (const char *const[]){ "debootstrap", "--version", NULL }, ret);
}

static int append_list(char ***arguments, const char *option, const char *const *list) {
        _cleanup_(freep) char *joined = NULL;

        const int r = strv_join(list, ",", &joined);
        return r < 0 ? r : strv_append_format(arguments, "%s=%s", option, joined);
}

static int append_options(const Installation *installation, char ***arguments) {
        const Distro *distro = installation->distro;
        const char *const standard[] = { distro->apt->component, NULL };
        /* The log stays for us to read after a failure, and a tree that is not empty is not refused. */
        const char *const fixed[] = { "debootstrap",       "--variant=minbase",      "--merged-usr",
                                      "--force-check-gpg", "--keep-debootstrap-dir", NULL };

        int r = strv_extend(arguments, fixed);
        if (r < 0)
                return r;
        r = strv_append_format(arguments, "--keyring=%s", distro->key_files[0]);
        if (r < 0)
                return r;
        r = strv_append_format(arguments, "--arch=%s",
                               distro->architectures[installation->config->architecture]);
        if (r < 0)
                return r;
        r = append_list(arguments, "--components",
                        installation->config->repositories ? STRV(installation->config->repositories)
                                                           : standard);
        if (r < 0)
                return r;
        return append_list(arguments, "--include", distro->base_packages);
}

int debootstrap_arguments(const Installation *installation, char ***ret) {
        _cleanup_(strv_freep) char **arguments = NULL;
        const AptArchive *archive = installation->distro->apt;
        const char *release = installation->config->release;
        const char *const positional[] = {
                release,
                DISTRO_TREE,
                apt_mirror(archive, installation->config),
                debootstrap_knows(release) ? NULL : archive->script,
                NULL,
        };

        int r = append_options(installation, &arguments);
        if (r < 0)
                return r;
        r = strv_extend(&arguments, positional);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(arguments);
        return 0;
}

/* Everything but its own progress debootstrap writes to a file in the tree; the cause of a failure is there only. */
static int read_log(const Installation *installation, ToolLog *log) {
        _cleanup_(freep) char *path = NULL, *text = NULL;
        _cleanup_(strv_freep) char **lines = NULL;

        int r = path_join(installation->root, "debootstrap/debootstrap.log", &path);
        if (r < 0)
                return r;
        if (file_read(AT_FDCWD, path, LOG_SIZE_MAX, &text, NULL) < 0)
                return 0; /* it did not get that far, or wrote what is not text: then its own words have to do */
        r = strv_split(text, "\n", &lines);
        for (size_t i = 0; r >= 0 && lines && lines[i]; i++)
                r = tool_log_add(log, lines[i]);
        return r;
}

static int run(const Installation *installation, const char *doing) {
        _cleanup_(tool_log_done) ToolLog log = {};
        _cleanup_(strv_freep) char **arguments = NULL;
        const char *mirror_directory = distro_mirror_directory(installation->config->mirror);
        SandboxMount mounts[3] = { { .type = SANDBOX_DEV, .target = DISTRO_TREE "/dev" } };
        size_t n_mounts = 1;

        int r = debootstrap_arguments(installation, &arguments);
        if (r < 0)
                return log_error(r, "Failed to %s: %m", doing);
        /* It takes what lies there already when the checksum is right, and leaves there what it fetched: no --cache-dir, which
         * copies every package twice. */
        if (installation->cache)
                mounts[n_mounts++] = (SandboxMount){
                        .type = SANDBOX_BIND,
                        .source = installation->cache,
                        .target = DISTRO_TREE "/" ARCHIVES,
                };
        if (mirror_directory)
                mounts[n_mounts++] = (SandboxMount){
                        .type = SANDBOX_BIND_READ_ONLY,
                        .source = mirror_directory,
                        .target = mirror_directory,
                };

        r = distro_execute(installation,
                           &(DistroCommand){
                                   .argv = STRV(arguments),
                                   .doing = doing,
                                   .on_host = true,
                                   .network = !mirror_directory,
                                   .environment = environment,
                                   .mounts = mounts,
                                   .n_mounts = n_mounts,
                           },
                           &log);
        if (r <= 0)
                return r;

        const int status = r;
        r = read_log(installation, &log);
        return r < 0 ? log_error(r, "Failed to %s: %m", doing) : tool_log_fail(&log, doing, status);
}

/* What is mounted on has to be there, and to stay. */
static int make_mount_points(int root_fd) {
        static const struct {
                const char *path;
                mode_t mode;
        } points[] = { { "dev", 0755 }, { ARCHIVES, 0755 } };

        for (size_t i = 0; i < ELEMENTSOF(points); i++) {
                const int fd = distro_make_directory(root_fd, points[i].path, points[i].mode);
                if (fd < 0)
                        return fd;
                (void)fd_close(fd);
        }
        return 0;
}

int debootstrap_run(const Installation *installation) {
        _cleanup_(fd_closep) int root_fd = distro_open_root(installation->root);
        _cleanup_(freep) char *doing = NULL;

        int r = distro_format_bootstrap(installation,
                                        apt_mirror(installation->distro->apt, installation->config), &doing);
        if (r < 0)
                return log_error(r, "Failed to install %s: %m", installation->distro->title);
        if (root_fd < 0)
                return log_error(root_fd, "Failed to open %s: %m", installation->root);
        r = make_mount_points(root_fd);
        if (r < 0)
                return log_error(r, "Failed to make directories in %s: %m", installation->root);
        r = run(installation, doing);
        if (r < 0)
                return r;
        r = apt_remove_host_traces(root_fd);
        if (r < 0)
                return log_error(r, "Failed to remove what debootstrap left in %s: %m", installation->root);
        return 0;
}
