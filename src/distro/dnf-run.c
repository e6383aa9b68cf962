/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <fcntl.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/path.h"
#include "base/strv.h"
#include "base/text.h"
#include "config/foreign.h"
#include "distro/distro-files.h"
#include "distro/dnf-config.h"
#include "distro/dnf-run.h"
#include "distro/host-tool.h"
#include "distro/repository-keys.h"
#include "distro/rpm-list.h"

#define NAME "dnf"
#define RUN  "/run/" NAME /* its directory, inside */

/* The kernel's packages would have kernel-install(8) make an initrd for the machine that builds; the image gets its own
 * later. */
static const char *const environment[] = { "KERNEL_INSTALL_BYPASS=1", NULL };

/* What belongs to no package of ours. Options here win over files, and are not taken to be paths below the tree. */
static const char *const dnf_options[] = {
        "dnf-3",
        "--assumeyes",
        "--noplugins",
        "--allowerasing",
        "--config=" RUN "/dnf.conf",
        "--installroot=" DISTRO_TREE,
        "--setopt=cachedir=" RUN "/cache",
        "--setopt=logdir=" RUN "/log",
        "--setopt=reposdir=" RUN "/repos",
        "--setopt=varsdir=" RUN "/vars",
        NULL,
};

static const char *const stage_options[DNF_STAGE_MAX] = {
        [DNF_FETCH] = "--downloadonly",
        [DNF_INSTALL] = "--cacheonly",
};

/* Configuration of the host, which is hidden. */
static const char *const hidden[] = { "/etc/dnf", "/etc/rpm", "/etc/yum", "/etc/yum.repos.d", NULL };

static const char *const places[] = { "keys", "log", "repos", "vars", NULL };

static const HostTool dnf = {
        .name = NAME,
        .places = places,
        .cache = "cache",
        .hidden = hidden,
        .environment = environment,
};

int dnf_arguments(const Installation *installation, DnfStage stage, const char *const *packages,
                  char ***ret) {
        _cleanup_(strv_freep) char **arguments = NULL;
        const char *const verb[] = { stage_options[stage], "install", "--", NULL };

        assert(installation && packages && ret);

        int r = strv_copy(dnf_options, &arguments);
        if (r >= 0)
                r = strv_append_format(&arguments, "--releasever=%s", installation->config->release);
        if (r >= 0)
                r = strv_extend(&arguments, verb);
        if (r >= 0)
                r = strv_extend(&arguments, packages);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(arguments);
        return 0;
}

/* Writes the macros, which whatever uses librpm needs. */
static int prepare(HostRun *run) {
        const Installation *installation = run->installation;
        _cleanup_(freep) char *macros = NULL;

        int r = host_run_open(run);
        if (r >= 0)
                r = dnf_macros_format(installation->distro->dnf, installation->config->release, &macros);
        return r < 0 ? r : distro_write_text(run->directory_fd, HOST_TOOL_HOME "/.rpmmacros", macros, 0644);
}

static int write_configuration(const HostRun *run) {
        const Config *config = run->installation->config;
        const Distro *distro = run->installation->distro;
        _cleanup_(strv_freep) char **keys = NULL;
        _cleanup_(freep) char *text = NULL;
        _cleanup_(fd_closep) int keys_fd =
                path_open_below(run->directory_fd, "keys", O_RDONLY | O_DIRECTORY, 0);

        int r = keys_fd < 0 ? keys_fd
                            : repository_keys_copy(config, distro, keys_fd, "file://" RUN "/keys", &keys);
        if (r >= 0)
                r = dnf_config_format(
                        &(const DnfConfig){ .archive = distro->dnf,
                                            .release = config->release,
                                            .architecture = distro->architectures[config->architecture],
                                            .mirror = config->mirror,
                                            .repositories = STRV(config->repositories),
                                            .keys = STRV(keys),
                                            .with_docs = config->with_docs,
                                            .foreign = foreign_from_here(config->architecture) },
                        &text);
        return r < 0 ? r : file_write_text(run->directory_fd, "dnf.conf", text, 0644);
}

static int run_dnf(const HostRun *run, DnfStage stage, const char *const *packages, const char *doing) {
        _cleanup_(strv_freep) char **arguments = NULL;

        const int r = dnf_arguments(run->installation, stage, packages, &arguments);
        if (r < 0)
                return log_error(r, "Failed to %s: %m", doing);
        return host_run_command(run, &(HostCommand){ .argv = STRV(arguments),
                                                     .doing = doing,
                                                     .network = stage == DNF_FETCH });
}

int dnf_install(const Installation *installation, const char *const *packages,
                const char *const doing[static DNF_STAGE_MAX]) {
        _cleanup_(host_run_done) HostRun run = HOST_RUN_INIT(&dnf, installation);

        assert(installation);

        if (strv_length(packages) == 0)
                return 0;
        int r = prepare(&run);
        if (r >= 0)
                r = write_configuration(&run);
        if (r >= 0)
                r = host_run_mount_tree(&run);
        if (r < 0)
                return log_error(r, "Failed to prepare the installation of packages: %m");
        for (DnfStage stage = 0; stage < DNF_STAGE_MAX && r >= 0; stage++)
                r = run_dnf(&run, stage, packages, doing[stage]);
        return r;
}

int dnf_list(const Installation *installation, DistroPackages *packages) {
        _cleanup_(host_run_done) HostRun run = HOST_RUN_INIT(&dnf, installation);

        assert(installation && packages);

        const int r = prepare(&run);
        if (r < 0)
                return log_error(r, "Failed to prepare the list of packages: %m");
        return rpm_list_run(&run, dnf_rpmdb(installation->distro->dnf, installation->config->release),
                            packages);
}
