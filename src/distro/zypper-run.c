/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <fcntl.h>
#include <unistd.h>

#include "base/copy-tree.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/path.h"
#include "base/strv.h"
#include "base/text.h"
#include "config/foreign.h"
#include "distro/distro-check.h"
#include "distro/distro-files.h"
#include "distro/distro-run.h"
#include "distro/repository-keys.h"
#include "distro/rpm-list.h"
#include "distro/zypper-config.h"
#include "distro/zypper-run.h"
#include "distro/zypper.h"

#define MOUNTS_MAX 16
#define RUN        "/run/zypper" /* what lies in the workspace under NAME, inside */
#define NAME       "zypper"
#define DATABASE   "database" /* below both */

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
static const char *const hidden[] = { "/etc/zypp", "/etc/rpm" };

/* Directories below NAME in the workspace. */
static const char *const places[] = { "cache", "home", "keys", "packages", "repos" };

/* What scripts of packages find in the tree, and rpm never touches: see zypper_macros. */
static const struct {
        const char *path;
        mode_t mode;
        SandboxMount mount;
} tree_mounts[] = {
        { "dev", 0755, { .type = SANDBOX_DEV, .target = DISTRO_TREE "/dev" } },
        { "proc", 0555, { .type = SANDBOX_PROC, .target = DISTRO_TREE "/proc" } },
        { "sys", 0555, { .type = SANDBOX_SYS, .target = DISTRO_TREE "/sys" } },
        { "run",
          0755,
          { .type = SANDBOX_TMPFS, .target = DISTRO_TREE "/run", .options = "mode=0755,nosuid,nodev" } },
        { "tmp",
          01777,
          { .type = SANDBOX_TMPFS, .target = DISTRO_TREE "/tmp", .options = "mode=1777,nosuid,nodev" } },
};

typedef struct ZypperRun {
        const Installation *installation;
        int directory_fd;       /* of the workspace */
        char *directory, *home; /* and what is /root inside */
        char **keys;            /* paths inside */
        SandboxMount mounts[MOUNTS_MAX];
        size_t n_mounts;
} ZypperRun;

static void zypper_run_done(ZypperRun *run) {
        (void)fd_close(run->directory_fd);
        free(run->directory);
        free(run->home);
        strv_free(run->keys);
}

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

static void add_mount(ZypperRun *run, SandboxMount mount) {
        assert(run->n_mounts < MOUNTS_MAX);
        run->mounts[run->n_mounts++] = mount;
}

/* Private places instead of the host's: all that configures zypper and rpm, the home directory, and that where libzypp has
 * its temporary files. */
static void add_private_mounts(ZypperRun *run) {
        add_mount(run, (SandboxMount){
                               .type = SANDBOX_TMPFS,
                               .target = "/var/tmp",
                               .options = "mode=1777,nosuid,nodev",
                       });
        add_mount(run, (SandboxMount){ .type = SANDBOX_BIND, .source = run->directory, .target = RUN });
        add_mount(run, (SandboxMount){
                               .type = SANDBOX_BIND_READ_ONLY,
                               .source = run->home,
                               .target = "/root",
                       });
        for (size_t i = 0; i < ELEMENTSOF(hidden); i++)
                if (access(hidden[i], F_OK) == 0)
                        add_mount(run, (SandboxMount){ .type = SANDBOX_TMPFS, .target = hidden[i] });
}

static int make_places(int workspace_fd) {
        for (size_t i = 0; i < ELEMENTSOF(places); i++) {
                _cleanup_(freep) char *path = NULL;

                int r = path_join(NAME, places[i], &path);
                if (r >= 0)
                        r = distro_make_directory(workspace_fd, path, 0755);
                if (r < 0)
                        return r;
                (void)fd_close(r);
        }
        return 0;
}

/* Writes the macros, which whatever uses librpm needs. */
static int prepare(ZypperRun *run) {
        _cleanup_(fd_closep) int workspace_fd = distro_open_root(run->installation->workspace);

        int r = workspace_fd < 0 ? workspace_fd : make_places(workspace_fd);
        if (r >= 0)
                r = run->directory_fd = path_open_below(workspace_fd, NAME, O_RDONLY | O_DIRECTORY, 0);
        if (r >= 0)
                r = path_join(run->installation->workspace, NAME, &run->directory);
        if (r >= 0)
                r = path_join(run->directory, "home", &run->home);
        if (r >= 0)
                r = distro_write_text(run->directory_fd, "home/.rpmmacros", zypper_macros, 0644);
        if (r >= 0)
                add_private_mounts(run);
        return r;
}

static int write_repositories(const ZypperRun *run) {
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

static int write_configuration(ZypperRun *run) {
        const Installation *installation = run->installation;
        const Config *config = installation->config;
        const bool foreign = foreign_from_here(config->architecture);
        _cleanup_(freep) char *text = NULL;
        _cleanup_(fd_closep) int keys_fd =
                path_open_below(run->directory_fd, "keys", O_RDONLY | O_DIRECTORY, 0);

        int r = keys_fd < 0
                        ? keys_fd
                        : repository_keys_copy(installation->config, installation->distro->zypper->key_files,
                                               keys_fd, RUN "/keys", &run->keys);
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

/* What is mounted on has to be there, and to stay. */
static int mount_tree(ZypperRun *run) {
        _cleanup_(fd_closep) int root_fd = distro_open_root(run->installation->root);

        if (root_fd < 0)
                return root_fd;
        for (size_t i = 0; i < ELEMENTSOF(tree_mounts); i++) {
                const int fd = distro_make_directory(root_fd, tree_mounts[i].path, tree_mounts[i].mode);
                if (fd < 0)
                        return fd;
                (void)fd_close(fd);
                add_mount(run, tree_mounts[i].mount);
        }
        return 0;
}

static int prepare_zypper(ZypperRun *run) {
        const char *cache = run->installation->cache;
        const char *mirror = distro_mirror_directory(run->installation->config->mirror);

        int r = prepare(run);
        if (r >= 0)
                r = write_configuration(run);
        if (r >= 0)
                r = mount_tree(run);
        if (r < 0)
                return r;
        if (cache)
                add_mount(run, (SandboxMount){
                                       .type = SANDBOX_BIND,
                                       .source = cache,
                                       .target = RUN "/packages",
                               });
        if (mirror)
                add_mount(run, (SandboxMount){
                                       .type = SANDBOX_BIND_READ_ONLY,
                                       .source = mirror,
                                       .target = mirror,
                               });
        return 0;
}

/* In rpm's database they are trusted; no other key is, whatever the mirror offers. */
static int import_keys(const ZypperRun *run) {
        static const char *const words[] = { "rpm", "--root=" DISTRO_TREE, "--import", NULL };
        _cleanup_(strv_freep) char **arguments = NULL;
        static const char doing[] = "import the keys of repositories";

        int r = strv_copy(words, &arguments);
        if (r >= 0)
                r = strv_extend(&arguments, STRV(run->keys));
        if (r < 0)
                return log_error(r, "Failed to %s: %m", doing);
        return distro_run(run->installation, &(DistroCommand){ .argv = STRV(arguments),
                                                               .doing = doing,
                                                               .on_host = true,
                                                               .mounts = run->mounts,
                                                               .n_mounts = run->n_mounts });
}

/* A script that fails behind the installation of its package is for people to judge: many of them mean little. */
static int run_zypper(const ZypperRun *run, ZypperStage stage, const char *const *packages,
                      const char *doing) {
        _cleanup_(tool_log_done) ToolLog log = {};
        _cleanup_(strv_freep) char **arguments = NULL;
        const bool local = distro_mirror_directory(run->installation->config->mirror);

        int r = zypper_arguments(stage, packages, &arguments);
        if (r < 0)
                return log_error(r, "Failed to %s: %m", doing);
        const int status = distro_execute(run->installation,
                                          &(DistroCommand){
                                                  .argv = STRV(arguments),
                                                  .doing = doing,
                                                  .on_host = true,
                                                  .network = stage != ZYPPER_INSTALL && !local,
                                                  .environment = environment,
                                                  .mounts = run->mounts,
                                                  .n_mounts = run->n_mounts,
                                          },
                                          &log);
        if (status < 0)
                return status;
        r = zypper_judge(status);
        if (r < 0)
                return tool_log_fail(&log, doing, status);
        if (r > 0)
                log_warning("A script of a package failed: %s",
                            log.answer_line ?: "zypper did not say which");
        return 0;
}

int zypper_install(const Installation *installation, const char *const *packages,
                   const char *const doing[static ZYPPER_STAGE_MAX]) {
        _cleanup_(zypper_run_done) ZypperRun run = { .installation = installation, .directory_fd = -EBADF };

        assert(installation);

        if (strv_length(packages) == 0)
                return 0;
        int r = prepare_zypper(&run);
        if (r < 0)
                return log_error(r, "Failed to prepare the installation of packages: %m");
        r = import_keys(&run);
        for (ZypperStage stage = 0; stage < ZYPPER_STAGE_MAX && r >= 0; stage++)
                r = run_zypper(&run, stage, packages, doing[stage]);
        return r;
}

int zypper_rebuild_database(const Installation *installation) {
        static const char *const arguments[] = { "rpm", "--root=" DISTRO_TREE, "--rebuilddb", NULL };
        static const char doing[] = "complete the database of packages";
        _cleanup_(zypper_run_done) ZypperRun run = { .installation = installation, .directory_fd = -EBADF };

        assert(installation);

        const int r = prepare(&run);
        if (r < 0)
                return log_error(r, "Failed to %s: %m", doing);
        return distro_run(installation, &(DistroCommand){ .argv = arguments,
                                                          .doing = doing,
                                                          .on_host = true,
                                                          .mounts = run.mounts,
                                                          .n_mounts = run.n_mounts });
}

/* rpm writes where it only reads: it works on a copy, so that the tree stays as it is. */
static int copy_database(const ZypperRun *run) {
        const CopyTreeOptions options = {};
        _cleanup_(freep) char *from = NULL, *to = NULL;
        _cleanup_(reason_done) Reason reason = {};

        int r = path_join(run->installation->root, ZYPPER_RPM_DATABASE, &from);
        if (r >= 0)
                r = path_join(run->directory, DATABASE, &to);
        if (r >= 0)
                r = distro_remove_matching(run->directory_fd, ".", DATABASE);
        return r < 0 ? r : copy_tree(AT_FDCWD, from, to, &options, &reason);
}

int zypper_list(const Installation *installation, DistroPackages *packages) {
        _cleanup_(zypper_run_done) ZypperRun run = { .installation = installation, .directory_fd = -EBADF };

        assert(installation && packages);

        int r = prepare(&run);
        if (r >= 0)
                r = copy_database(&run);
        if (r == -EINTR)
                return r;
        if (r < 0)
                return log_error(r, "Cannot read the database of packages of %s: %m", installation->root);
        return rpm_list_run(run.installation, RUN "/" DATABASE, run.mounts, run.n_mounts, packages,
                            "list the packages");
}
