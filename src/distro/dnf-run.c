/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <fcntl.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/path.h"
#include "base/strv.h"
#include "base/text.h"
#include "config/foreign.h"
#include "distro/distro-check.h"
#include "distro/distro-files.h"
#include "distro/distro-run.h"
#include "distro/dnf-config.h"
#include "distro/dnf-keys.h"
#include "distro/dnf-run.h"
#include "distro/rpm-list.h"

#define MOUNTS_MAX 16
#define RUN        "/run/dnf" /* what lies in the workspace under NAME, inside */
#define NAME       "dnf"
#define DATABASE   "rpmdb" /* below both */

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
static const char *const hidden[] = { "/etc/dnf", "/etc/rpm", "/etc/yum", "/etc/yum.repos.d" };

typedef struct DnfRun {
        const Installation *installation;
        int directory_fd;       /* of the workspace */
        char *directory, *home; /* and what is /root inside */
        SandboxMount mounts[MOUNTS_MAX];
        size_t n_mounts;
} DnfRun;

static void dnf_run_done(DnfRun *run) {
        (void)fd_close(run->directory_fd);
        free(run->directory);
        free(run->home);
}

/* Directories below NAME in the workspace. */
static const char *const places[] = { "cache", "home", "keys", "log", "repos", "vars", DATABASE };

/* What scripts of packages find in the tree, and rpm never touches: see dnf_macros_format(). */
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

static void add_mount(DnfRun *run, SandboxMount mount) {
        assert(run->n_mounts < MOUNTS_MAX);
        run->mounts[run->n_mounts++] = mount;
}

/* Private places instead of the host's: all that configures dnf and rpm, and the home directory. */
static void add_private_mounts(DnfRun *run) {
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
                if (r < 0)
                        return r;
                r = distro_make_directory(workspace_fd, path, 0755);
                if (r < 0)
                        return r;
                (void)fd_close(r);
        }
        return 0;
}

/* Writes the macros, which whatever uses librpm needs. */
static int prepare(DnfRun *run) {
        const Installation *installation = run->installation;
        _cleanup_(fd_closep) int workspace_fd = distro_open_root(installation->workspace);
        _cleanup_(freep) char *macros = NULL;

        int r = workspace_fd < 0 ? workspace_fd : make_places(workspace_fd);
        if (r >= 0)
                r = run->directory_fd = path_open_below(workspace_fd, NAME, O_RDONLY | O_DIRECTORY, 0);
        if (r >= 0)
                r = path_join(installation->workspace, NAME, &run->directory);
        if (r >= 0)
                r = path_join(run->directory, "home", &run->home);
        if (r >= 0)
                r = dnf_macros_format(installation->distro->dnf, installation->config->release, &macros);
        if (r >= 0)
                r = distro_write_text(run->directory_fd, "home/.rpmmacros", macros, 0644);
        if (r >= 0)
                add_private_mounts(run);
        return r;
}

static int write_configuration(const DnfRun *run) {
        const Config *config = run->installation->config;
        const Distro *distro = run->installation->distro;
        _cleanup_(strv_freep) char **keys = NULL;
        _cleanup_(freep) char *text = NULL;
        _cleanup_(fd_closep) int keys_fd =
                path_open_below(run->directory_fd, "keys", O_RDONLY | O_DIRECTORY, 0);

        int r = keys_fd < 0 ? keys_fd : dnf_keys_copy(config, distro, keys_fd, "file://" RUN "/keys", &keys);
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

/* What is mounted on has to be there, and to stay. */
static int mount_tree(DnfRun *run) {
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

static int prepare_dnf(DnfRun *run) {
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
                add_mount(run,
                          (SandboxMount){ .type = SANDBOX_BIND, .source = cache, .target = RUN "/cache" });
        if (mirror)
                add_mount(run, (SandboxMount){
                                       .type = SANDBOX_BIND_READ_ONLY,
                                       .source = mirror,
                                       .target = mirror,
                               });
        return 0;
}

/* A script that fails behind the installation of its package does not make dnf fail, and many of them mean little: it is
 * for people to judge. */
static int judge(const ToolLog *log, const char *doing, int status) {
        if (status > 0)
                return tool_log_fail(log, doing, status);
        if (log->answer && log->answer->warning)
                log_warning("Installed, but %s: %s", log->answer->meaning, log->answer_line);
        return 0;
}

static int run_dnf(const DnfRun *run, DnfStage stage, const char *const *packages, const char *doing) {
        _cleanup_(tool_log_done) ToolLog log = {};
        _cleanup_(strv_freep) char **arguments = NULL;
        const bool local = distro_mirror_directory(run->installation->config->mirror);

        int r = dnf_arguments(run->installation, stage, packages, &arguments);
        if (r < 0)
                return log_error(r, "Failed to %s: %m", doing);
        r = distro_execute(run->installation,
                           &(DistroCommand){
                                   .argv = STRV(arguments),
                                   .doing = doing,
                                   .on_host = true,
                                   .network = stage == DNF_FETCH && !local,
                                   .environment = environment,
                                   .mounts = run->mounts,
                                   .n_mounts = run->n_mounts,
                           },
                           &log);
        return r < 0 ? r : judge(&log, doing, r);
}

int dnf_install(const Installation *installation, const char *const *packages,
                const char *const doing[static DNF_STAGE_MAX]) {
        _cleanup_(dnf_run_done) DnfRun run = { .installation = installation, .directory_fd = -EBADF };

        assert(installation);

        if (strv_length(packages) == 0)
                return 0;
        int r = prepare_dnf(&run);
        if (r < 0)
                return log_error(r, "Failed to prepare the installation of packages: %m");
        for (DnfStage stage = 0; stage < DNF_STAGE_MAX && r >= 0; stage++)
                r = run_dnf(&run, stage, packages, doing[stage]);
        return r;
}

static int copy_file(int from_directory_fd, int to_directory_fd, const char *name) {
        _cleanup_(fd_closep) int from = openat(from_directory_fd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC),
                                 to = -EBADF;
        struct stat status;

        if (from < 0)
                return -errno;
        if (fstat(from, &status) < 0)
                return -errno;
        if (!S_ISREG(status.st_mode))
                return 0;
        to = openat(to_directory_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
        return to < 0 ? -errno : fd_copy_range(from, 0, to, 0, (uint64_t)status.st_size);
}

/* rpm writes where it only reads: it works on a copy, so that the tree stays as it is. */
static int copy_database(const DnfRun *run) {
        const char *path = dnf_rpmdb(run->installation->distro->dnf, run->installation->config->release);
        _cleanup_(fd_closep) int root_fd = distro_open_root(run->installation->root), from_fd = -EBADF,
                                 to_fd = -EBADF;
        _cleanup_(strv_freep) char **names = NULL;

        int r = root_fd < 0 ? root_fd : distro_list(root_fd, path, &names);
        if (r >= 0)
                r = distro_remove_matching(run->directory_fd, DATABASE, "*");
        if (r >= 0)
                r = from_fd = path_open_below(root_fd, path, O_RDONLY | O_DIRECTORY, 0);
        if (r >= 0)
                r = to_fd = path_open_below(run->directory_fd, DATABASE, O_RDONLY | O_DIRECTORY, 0);
        for (size_t i = 0; r >= 0 && names && names[i]; i++)
                r = copy_file(from_fd, to_fd, names[i]);
        return r;
}

int dnf_list(const Installation *installation, DistroPackages *packages) {
        _cleanup_(dnf_run_done) DnfRun run = { .installation = installation, .directory_fd = -EBADF };

        assert(installation && packages);

        int r = prepare(&run);
        if (r >= 0)
                r = copy_database(&run);
        if (r < 0)
                return log_error(r, "Cannot read the database of packages of %s: %m", installation->root);
        return rpm_list_run(run.installation, RUN "/" DATABASE, run.mounts, run.n_mounts, packages,
                            "list the packages");
}
