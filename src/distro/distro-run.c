/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/environment.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/path.h"
#include "base/strv.h"
#include "base/text.h"
#include "config/foreign.h"
#include "distro/distro-run.h"
#include "distro/tool-progress.h"

#define SEARCH_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

static const char *const standard_environment[] = {
        "HOME=/root", "LC_ALL=C.UTF-8", "TERM=dumb", "SYSTEMD_OFFLINE=1", NULL,
};

static const char *const proxy_names[] = {
        "http_proxy", "https_proxy", "ftp_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", NULL,
};

/* The minimum that programs expect. The host's root has its /sys already, read-only like all of it. */
static const SandboxMount common_mounts[] = {
        { .type = SANDBOX_DEV, .target = "/dev" },
        { .type = SANDBOX_PROC, .target = "/proc" },
        { .type = SANDBOX_TMPFS, .target = "/run", .options = "mode=0755,nosuid,nodev" },
        { .type = SANDBOX_TMPFS, .target = "/tmp", .options = "mode=1777,nosuid,nodev" },
};

/* A policy with the memory that it points into. */
typedef struct RunPolicy {
        SandboxPolicy policy;
        SandboxMount *mounts;
        char **environment;
        char *resolver;
        char *binfmt;
} RunPolicy;

static void run_policy_done(RunPolicy *run) {
        strv_free(run->environment);
        free(run->mounts);
        free(run->resolver);
        free(run->binfmt);
}

static int add_mounts(RunPolicy *run, const SandboxMount *mounts, size_t n_mounts) {
        const size_t n = run->policy.n_mounts;
        SandboxMount *more = reallocarray(run->mounts, MAX(n + n_mounts, (size_t)1), sizeof(*more));

        if (!more)
                return -ENOMEM;
        run->policy.mounts = run->mounts = more;
        for (size_t i = 0; i < n_mounts; i++)
                more[n + i] = mounts[i];
        run->policy.n_mounts = n + n_mounts;
        return 0;
}

static int set_variable(char ***environment, const char *name, const char *value) {
        _cleanup_(freep) char *variable = NULL;

        if (!value)
                return 0;
        const int r = text_format(&variable, "%s=%s", name, value);
        return r < 0 ? r : environment_set(environment, variable);
}

int distro_search_path(const Config *config, char **ret) {
        _cleanup_(freep) char *extra = NULL;

        const int r = strv_join(STRV(config->extra_search_paths), ":", &extra);
        if (r < 0)
                return r;
        return text_format(ret, "%s%s" SEARCH_PATH, extra, extra[0] ? ":" : "");
}

/* ExtraSearchPaths= is about the host, not about the tree. */
static int set_search_path(const Config *config, bool on_host, char ***environment) {
        _cleanup_(freep) char *path = NULL;

        if (!on_host)
                return environment_set(environment, "PATH=" SEARCH_PATH);
        const int r = distro_search_path(config, &path);
        return r < 0 ? r : set_variable(environment, "PATH", path);
}

int distro_environment(const Config *config, const DistroCommand *command, char ***ret) {
        _cleanup_(strv_freep) char **environment = NULL;

        int r = environment_extend(&environment, standard_environment);
        if (r >= 0)
                r = set_search_path(config, command->on_host, &environment);
        /* What a person works with is shown on the terminal that there is. */
        if (r >= 0 && command->terminal)
                r = set_variable(&environment, "TERM", getenv("TERM"));
        if (r >= 0)
                r = set_variable(&environment, "SOURCE_DATE_EPOCH", getenv("SOURCE_DATE_EPOCH"));
        for (size_t i = 0; r >= 0 && command->network && proxy_names[i]; i++)
                r = set_variable(&environment, proxy_names[i], getenv(proxy_names[i]));
        if (r >= 0)
                r = environment_extend(&environment, command->environment);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(environment);
        return 0;
}

/* The host's resolver configuration is lent to what needs the network, never copied. It is often a link into /run, of which
 * a sandbox has its own: then the file that the link leads to is lent. */
static int add_resolver(RunPolicy *run, bool on_host) {
        char path[PATH_MAX];

        if (!realpath("/etc/resolv.conf", path))
                return 0; /* a host without one resolves names by other means, or not at all */
        const int r = text_copy(path, &run->resolver);
        if (r < 0)
                return r;

        const SandboxMount mount = {
                .type = SANDBOX_BIND_READ_ONLY,
                .source = run->resolver,
                .target = on_host ? run->resolver : "/etc/resolv.conf",
        };
        return add_mounts(run, &mount, 1);
}

static int add_usual_mounts(RunPolicy *run, const Installation *installation, bool on_host) {
        const SandboxMount tree = { .type = SANDBOX_BIND,
                                    .source = installation->root,
                                    .target = DISTRO_TREE },
                           sys = { .type = SANDBOX_SYS, .target = "/sys" };

        const int r = add_mounts(run, common_mounts, ELEMENTSOF(common_mounts));
        return r < 0 ? r : add_mounts(run, on_host ? &tree : &sys, 1);
}

static int run_policy_make(RunPolicy *run, const Installation *installation, const DistroCommand *command) {
        int r = distro_environment(installation->config, command, &run->environment);
        if (r < 0)
                return r;

        run->policy = (SandboxPolicy){
                .root = command->on_host ? "/" : installation->root,
                .root_read_only = command->on_host,
                .network = command->network,
                .suppress_sync = !command->lasting,
                .environment = STRV(run->environment),
                .working_directory = command->working_directory,
                .new_session = !command->terminal,
        };
        r = foreign_registration(installation->config->architecture, &run->binfmt);
        if (r < 0)
                return r;
        run->policy.binfmt = run->binfmt;
        r = add_usual_mounts(run, installation, command->on_host);
        if (r >= 0 && command->network)
                r = add_resolver(run, command->on_host);
        return r < 0 ? r : add_mounts(run, command->mounts, command->n_mounts);
}

typedef struct Follower {
        ToolLog *log;
        Progress *progress;
        ToolProgress tool;
        int error; /* of adding a line; the tool is not stopped for it */
} Follower;

static void follow_line(const char *line, void *userdata) {
        Follower *follower = userdata;
        const char *detail = tool_log_detail(line);

        log_debug("%s", line);
        tool_progress_follow(&follower->tool, line, follower->progress);
        if (detail)
                progress_detail(follower->progress, detail);
        const int r = tool_log_add(follower->log, line);
        if (r < 0)
                follower->error = r;
}

static int open_log(const Installation *installation) {
        _cleanup_(freep) char *path = NULL;

        const int r = path_join(installation->workspace, "log", &path);
        if (r < 0)
                return r;
        const int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
        return fd < 0 ? -errno : fd;
}

/* With --debug: the command, and what it will see. */
static int show(const Sandbox *sandbox, const DistroCommand *command) {
        _cleanup_(freep) char *words = NULL;

        if (log_get_level() < LOG_LEVEL_DEBUG)
                return 0;
        const int r = strv_join(command->argv, " ", &words);
        if (r < 0)
                return r;
        log_debug("Running %s", words);
        sandbox_print(sandbox, stderr);
        return 0;
}

/* What a person works with is neither followed nor logged. */
static int run_command(const Installation *installation, const DistroCommand *command, const Sandbox *sandbox,
                       ToolLog *log, Reason *reason) {
        _cleanup_(fd_closep) int log_fd = -EBADF;
        Follower follower = { .log = log, .progress = installation->progress };
        SandboxCommand inside = {
                .argv = command->argv,
                .stdin_fd = STDIN_FILENO,
                .output_fd = STDERR_FILENO,
                .data_fd = -EBADF,
        };
        int r;

        if (!command->terminal) {
                log_fd = open_log(installation);
                if (log_fd < 0)
                        return log_fd;
                inside.stdin_fd = command->data ? command->data->stdin_fd : -EBADF;
                inside.data_fd = command->data ? command->data->stdout_fd : -EBADF;
                inside.output_fd = log_fd;
                inside.on_line = command->on_line ? command->on_line : follow_line;
                inside.userdata = command->on_line ? command->userdata : &follower;
        }
        r = sandbox_run(sandbox, &inside, reason);
        return r < 0 ? r : follower.error < 0 ? follower.error : r;
}

static int execute(const Installation *installation, const DistroCommand *command, ToolLog *log,
                   Reason *reason) {
        _cleanup_(run_policy_done) RunPolicy run = {};
        _cleanup_(sandbox_freep) Sandbox *sandbox = NULL;

        int r = run_policy_make(&run, installation, command);
        if (r < 0)
                return r;
        r = sandbox_new(&run.policy, &sandbox, reason);
        if (r < 0)
                return r;
        r = show(sandbox, command);
        if (r < 0)
                return r;
        return run_command(installation, command, sandbox, log, reason);
}

int distro_execute(const Installation *installation, const DistroCommand *command, ToolLog *log) {
        _cleanup_(reason_done) Reason reason = {};

        assert(installation && command && log);

        const int r = execute(installation, command, log, &reason);
        if (r < 0 && r != -EINTR)
                return log_error(r, "Failed to %s: %s", command->doing, reason_text(&reason, r));
        return r;
}

int distro_run(const Installation *installation, const DistroCommand *command) {
        _cleanup_(tool_log_done) ToolLog log = {};

        const int r = distro_execute(installation, command, &log);
        return r > 0 ? tool_log_fail(&log, command->doing, r) : r;
}

int distro_run_inside(const Installation *installation, const char *const *argv, bool network,
                      const char *doing) {
        const DistroCommand command = { .argv = argv, .doing = doing, .network = network };

        return distro_run(installation, &command);
}
