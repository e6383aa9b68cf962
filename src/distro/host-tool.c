/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <fcntl.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/path.h"
#include "base/text.h"
#include "distro/distro-check.h"
#include "distro/distro-files.h"
#include "distro/host-tool.h"

#define DIRECTORY_FLAGS (O_RDONLY | O_DIRECTORY)

/* What scripts of packages find in the tree. No package writes to what is below these, by what configures its
 * manager. */
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

void host_run_done(HostRun *run) {
        (void)fd_close(run->directory_fd);
        free(run->directory);
        free(run->inside);
        free(run->home);
        free(run->cache_inside);
}

static void add_mount(HostRun *run, SandboxMount mount) {
        assert(run->n_mounts < HOST_TOOL_MOUNTS_MAX);
        run->mounts[run->n_mounts++] = mount;
}

static int make_place(int directory_fd, const char *path, mode_t mode) {
        const int fd = distro_make_directory(directory_fd, path, mode);

        return fd < 0 ? fd : (void)fd_close(fd), 0;
}

static int make_places(const HostRun *run) {
        const HostTool *tool = run->tool;

        int r = make_place(run->directory_fd, HOST_TOOL_HOME, 0755);
        if (r >= 0)
                r = make_place(run->directory_fd, tool->cache, 0755);
        for (size_t i = 0; r >= 0 && tool->places[i]; i++)
                r = make_place(run->directory_fd, tool->places[i], 0755);
        return r;
}

static int open_directory(HostRun *run) {
        const Installation *installation = run->installation;
        _cleanup_(fd_closep) int workspace_fd = distro_open_root(installation->workspace);

        if (workspace_fd < 0)
                return workspace_fd;
        run->directory_fd = distro_make_directory(workspace_fd, run->tool->name, 0755);
        if (run->directory_fd < 0)
                return run->directory_fd;
        int r = path_join(installation->workspace, run->tool->name, &run->directory);
        if (r >= 0)
                r = text_format(&run->inside, "/run/%s", run->tool->name);
        if (r >= 0)
                r = path_join(run->directory, HOST_TOOL_HOME, &run->home);
        if (r >= 0)
                r = path_join(run->inside, run->tool->cache, &run->cache_inside);
        return r;
}

/* Private places instead of the host's: configuration, the home directory, and that of temporary files that last. */
static void add_private_mounts(HostRun *run) {
        const char *const *hidden = run->tool->hidden;

        add_mount(run, (SandboxMount){
                               .type = SANDBOX_TMPFS,
                               .target = "/var/tmp",
                               .options = "mode=1777,nosuid,nodev",
                       });
        add_mount(run,
                  (SandboxMount){ .type = SANDBOX_BIND, .source = run->directory, .target = run->inside });
        add_mount(run, (SandboxMount){
                               .type = SANDBOX_BIND_READ_ONLY,
                               .source = run->home,
                               .target = "/root",
                       });
        for (size_t i = 0; hidden[i]; i++)
                if (access(hidden[i], F_OK) == 0)
                        add_mount(run, (SandboxMount){ .type = SANDBOX_TMPFS, .target = hidden[i] });
}

int host_run_open(HostRun *run) {
        assert(run && run->directory_fd < 0);

        int r = open_directory(run);
        if (r >= 0)
                r = make_places(run);
        if (r < 0)
                return r;
        run->mirror_directory = distro_mirror_directory(run->installation->config->mirror);
        add_private_mounts(run);
        return 0;
}

/* What is mounted on has to be there, and to stay. */
static int make_tree_places(const HostRun *run, int root_fd) {
        const char *const *more = run->tool->tree_places;
        int r = 0;

        for (size_t i = 0; r >= 0 && i < ELEMENTSOF(tree_mounts); i++)
                r = make_place(root_fd, tree_mounts[i].path, tree_mounts[i].mode);
        for (size_t i = 0; r >= 0 && more && more[i]; i++)
                r = make_place(root_fd, more[i], 0755);
        return r;
}

int host_run_mount_tree(HostRun *run) {
        _cleanup_(fd_closep) int root_fd = distro_open_root(run->installation->root);

        const int r = root_fd < 0 ? root_fd : make_tree_places(run, root_fd);
        if (r < 0)
                return r;
        for (size_t i = 0; i < ELEMENTSOF(tree_mounts); i++)
                add_mount(run, tree_mounts[i].mount);
        if (run->installation->cache)
                add_mount(run, (SandboxMount){
                                       .type = SANDBOX_BIND,
                                       .source = run->installation->cache,
                                       .target = run->cache_inside,
                               });
        if (run->mirror_directory)
                add_mount(run, (SandboxMount){
                                       .type = SANDBOX_BIND_READ_ONLY,
                                       .source = run->mirror_directory,
                                       .target = run->mirror_directory,
                               });
        return 0;
}

int host_run_execute(const HostRun *run, const HostCommand *command, ToolLog *log) {
        return distro_execute(run->installation,
                              &(DistroCommand){
                                      .argv = command->argv,
                                      .doing = command->doing,
                                      .on_host = true,
                                      .network = command->network && !run->mirror_directory,
                                      .environment = run->tool->environment,
                                      .mounts = run->mounts,
                                      .n_mounts = run->n_mounts,
                                      .data = command->data,
                                      .on_line = command->on_line,
                                      .userdata = command->userdata,
                              },
                              log);
}

int host_run_command(const HostRun *run, const HostCommand *command) {
        _cleanup_(tool_log_done) ToolLog log = {};

        const int status = host_run_execute(run, command, &log);
        if (status < 0)
                return status;
        const int judged = command->judge ? command->judge(status) : status == 0 ? 0 : -EIO;
        if (judged < 0 || tool_log_is_grave(&log))
                return tool_log_fail(&log, command->doing, status);
        if (judged > 0 || (log.answer && log.answer->warning))
                log_warning("Installed, but a script of a package failed: %s",
                            log.answer_line ?: "the package manager did not say which");
        return 0;
}
