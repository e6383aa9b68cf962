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
#include "distro/host-tool.h"
#include "distro/repository-keys.h"
#include "distro/rpm-database.h"
#include "distro/rpm-list.h"
#include "distro/zypper-config.h"
#include "distro/zypper-run.h"
#include "distro/zypper.h"

#define NAME "zypper"
#define RUN  "/run/" NAME /* its directory, inside */

/* zypper-main.h of zypper: codes over 100 say something about an installation that was carried out. */
#define STATUS_REBOOT_NEEDED  102
#define STATUS_RESTART_NEEDED 103
#define STATUS_SCRIPT_FAILED  107

/* The kernel's packages would make an initrd and entries of a boot loader for the machine that builds; they do not while an
 * installer runs that does so itself. */
static const char *const environment[] = {
        "ZYPP_CONF=" RUN "/zypp.conf",
        "ZYPP_LOGFILE=" RUN "/log",
        "YAST_IS_RUNNING=instsys",
        "KERNEL_INSTALL_BYPASS=1",
        NULL,
};

static const char *const zypper_options[] = {
        "zypper",
        "--config=" RUN "/zypper.conf",
        "--non-interactive",
        "--no-color",
        "--no-cd",
        "--root=" DISTRO_TREE,
        "--reposd-dir=" RUN "/repos",
        "--cache-dir=" RUN "/cache",
        "--pkg-cache-dir=" RUN "/packages",
        NULL,
};

static const char *const install_options[] = {
        "--no-refresh", "install", "--no-confirm", "--no-recommends", "--auto-agree-with-licenses", NULL,
};

static const char *const stage_options[ZYPPER_STAGE_MAX] = {
        [ZYPPER_FETCH] = "--download-only",
        [ZYPPER_INSTALL] = "--download-in-advance",
};

/* Configuration of the host, which is hidden. */
static const char *const hidden[] = { "/etc/zypp", "/etc/rpm", NULL };

static const char *const places[] = { "cache", "keys", "repos", NULL };

static const HostTool zypper = {
        .name = NAME,
        .places = places,
        .cache = "packages",
        .hidden = hidden,
        .environment = environment,
};

int zypper_arguments(ZypperStage stage, const char *const *packages, char ***ret) {
        _cleanup_(strv_freep) char **arguments = NULL;

        assert(ret);

        int r = strv_copy(zypper_options, &arguments);
        if (r >= 0 && stage == ZYPPER_REFRESH)
                r = strv_append(&arguments, "refresh");
        else if (r >= 0) {
                r = strv_extend(&arguments, install_options);
                if (r >= 0)
                        r = strv_append(&arguments, stage_options[stage]);
                if (r >= 0)
                        r = strv_append(&arguments, "--");
                if (r >= 0)
                        r = strv_extend(&arguments, packages);
        }
        if (r < 0)
                return r;

        *ret = TAKE_PTR(arguments);
        return 0;
}

int zypper_judge(int status) {
        if (status == 0 || status == STATUS_REBOOT_NEEDED || status == STATUS_RESTART_NEEDED)
                return 0;
        return status == STATUS_SCRIPT_FAILED ? 1 : -EIO;
}

/* Writes the macros, which whatever uses librpm needs. */
static int prepare(HostRun *run) {
        const int r = host_run_open(run);

        return r < 0 ? r
                     : distro_write_text(run->directory_fd, HOST_TOOL_HOME "/.rpmmacros", zypper_macros,
                                         0644);
}

static int write_repositories(const HostRun *run) {
        ZypperConfig config;

        zypper_config_make(run->installation->config, run->installation->distro, &config);
        for (const ZypperRepository *repository = config.archive->repositories; repository->id;
             repository++) {
                _cleanup_(freep) char *text = NULL, *path = NULL;

                if (!zypper_repository_is_chosen(&config, repository))
                        continue;
                int r = zypper_repository_format(&config, repository, &text);
                if (r >= 0)
                        r = text_format(&path, "repos/%s.repo", repository->id);
                if (r >= 0)
                        r = distro_write_text(run->directory_fd, path, text, 0644);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int write_configuration(const HostRun *run, char ***keys) {
        const Installation *installation = run->installation;
        const Config *config = installation->config;
        const bool foreign = foreign_from_here(config->architecture);
        _cleanup_(freep) char *text = NULL;
        _cleanup_(fd_closep) int keys_fd =
                path_open_below(run->directory_fd, "keys", O_RDONLY | O_DIRECTORY, 0);

        int r = keys_fd < 0 ? keys_fd
                            : repository_keys_copy(installation->config, installation->distro, keys_fd,
                                                   RUN "/keys", keys);
        if (r >= 0)
                r = write_repositories(run);
        if (r >= 0)
                r = zypper_library_configuration(
                        config->with_docs,
                        foreign ? installation->distro->architectures[config->architecture] : NULL, &text);
        if (r >= 0)
                r = file_write_text(run->directory_fd, "zypp.conf", text, 0644);
        return r < 0 ? r : file_write_text(run->directory_fd, "zypper.conf", "[main]\n", 0644);
}

/* In rpm's database they are trusted; no other key is, whatever the mirror offers. */
static int import_keys(const HostRun *run, char *const *keys) {
        static const char *const words[] = { "rpm", "--root=" DISTRO_TREE, "--import", NULL };
        static const char doing[] = "import the keys of repositories";
        _cleanup_(strv_freep) char **arguments = NULL;

        int r = strv_copy(words, &arguments);
        if (r >= 0)
                r = strv_extend(&arguments, STRV(keys));
        if (r < 0)
                return log_error(r, "Failed to %s: %m", doing);
        return host_run_command(run, &(HostCommand){ .argv = STRV(arguments), .doing = doing });
}

static int run_zypper(const HostRun *run, ZypperStage stage, const char *const *packages, const char *doing) {
        _cleanup_(strv_freep) char **arguments = NULL;

        const int r = zypper_arguments(stage, packages, &arguments);
        if (r < 0)
                return log_error(r, "Failed to %s: %m", doing);
        return host_run_command(run, &(HostCommand){ .argv = STRV(arguments),
                                                     .doing = doing,
                                                     .network = stage != ZYPPER_INSTALL,
                                                     .judge = zypper_judge });
}

int zypper_install(const Installation *installation, const char *const *packages,
                   const char *const doing[static ZYPPER_STAGE_MAX]) {
        _cleanup_(host_run_done) HostRun run = HOST_RUN_INIT(&zypper, installation);
        _cleanup_(strv_freep) char **keys = NULL;

        assert(installation);

        if (strv_length(packages) == 0)
                return 0;
        int r = prepare(&run);
        if (r >= 0)
                r = write_configuration(&run, &keys);
        if (r >= 0)
                r = host_run_mount_tree(&run);
        if (r < 0)
                return log_error(r, "Failed to prepare the installation of packages: %m");
        r = import_keys(&run, keys);
        for (ZypperStage stage = 0; stage < ZYPPER_STAGE_MAX && r >= 0; stage++)
                r = run_zypper(&run, stage, packages, doing[stage]);
        return r;
}

int zypper_rebuild_database(const Installation *installation) {
        static const char *const arguments[] = { "rpm", "--root=" DISTRO_TREE, "--rebuilddb", NULL };
        static const char doing[] = "complete the database of packages";
        _cleanup_(host_run_done) HostRun run = HOST_RUN_INIT(&zypper, installation);

        assert(installation);

        int r = prepare(&run);
        if (r < 0)
                return log_error(r, "Failed to %s: %m", doing);
        r = host_run_command(&run, &(HostCommand){ .argv = arguments, .doing = doing });
        return r < 0 ? r : rpm_database_convert(&run, ZYPPER_RPM_DATABASE);
}

int zypper_list(const Installation *installation, DistroPackages *packages) {
        _cleanup_(host_run_done) HostRun run = HOST_RUN_INIT(&zypper, installation);

        assert(installation && packages);

        const int r = prepare(&run);
        if (r < 0)
                return log_error(r, "Failed to prepare the list of packages: %m");
        return rpm_list_run(&run, ZYPPER_RPM_DATABASE, packages);
}
