/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/interrupt.h"
#include "base/log.h"
#include "base/path.h"
#include "base/strv.h"
#include "base/text.h"
#include "config/config-resolve.h"
#include "config/foreign.h"
#include "run/console.h"
#include "run/container.h"
#include "sandbox/cgroup.h"
#include "sandbox/sandbox.h"

#define SEARCH_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
#define MOUNTS_MAX  8
#define HOME        "/root"

/* A policy with what it points to. */
typedef struct Container {
        const LoadedConfig *loaded;
        const ImageRoot *root;
        bool boot;
        SandboxPolicy policy;
        SandboxMount mounts[MOUNTS_MAX];
        char **environment;
        char *hostname, *resolver, *cgroup, *binfmt;
        Console *console; /* NULL: our own standard input and output */
} Container;

static void container_done(Container *container) {
        console_free(container->console);
        if (container->cgroup)
                (void)cgroup_remove(container->cgroup);
        strv_free(container->environment);
        free(container->hostname);
        free(container->resolver);
        free(container->cgroup);
        free(container->binfmt);
}

static void add_mount(Container *container, SandboxMount mount) {
        assert(container->policy.n_mounts < MOUNTS_MAX);
        container->mounts[container->policy.n_mounts++] = mount;
        container->policy.mounts = container->mounts;
}

/* What is there of the list, in the tree; NULL: nothing. */
static const char *find_inside(const ImageRoot *root, const char *const *paths) {
        _cleanup_(fd_closep) int root_fd = open(root->path, O_PATH | O_DIRECTORY | O_CLOEXEC);

        for (; root_fd >= 0 && *paths; paths++) {
                _cleanup_(fd_closep) int fd = path_open_below(root_fd, *paths, O_PATH, 0);

                if (fd >= 0)
                        return *paths;
        }
        return NULL;
}

/* That of the configuration, or the image's name as far as it can be one. */
static int choose_hostname(Container *container) {
        const Config *config = &container->loaded->config;
        _cleanup_(freep) char *stem = NULL;

        if (config->hostname)
                return text_copy(config->hostname, &container->hostname);
        const int r = config_output_stem(config, &stem);
        if (r < 0)
                return r;
        const char *name = path_base_name(stem);
        return text_format(&container->hostname, "%.*s", HOST_NAME_MAX, name[0] ? name : "image");
}

static int make_environment(Container *container) {
        const char *term = getenv("TERM");

        int r = strv_append(&container->environment, "PATH=" SEARCH_PATH);
        if (r >= 0)
                r = strv_append(&container->environment, "container=mkosi");
        if (r >= 0 && container->console)
                r = strv_append_format(&container->environment, "TERM=%s", term ? term : "dumb");
        if (r >= 0 && !container->boot)
                r = strv_append(&container->environment, "HOME=" HOME);
        if (r >= 0 && !container->boot)
                r = strv_append(&container->environment, "LANG=C.UTF-8");
        return r;
}

/* The host's resolver configuration is lent with its network; an init looks after its own. */
static int add_resolver(Container *container) {
        char path[PATH_MAX];

        if (!container->policy.network || container->boot || !realpath("/etc/resolv.conf", path))
                return 0;
        const int r = text_copy(path, &container->resolver);
        if (r < 0)
                return r;
        add_mount(container, (SandboxMount){ .type = SANDBOX_BIND_READ_ONLY,
                                             .source = container->resolver,
                                             .target = "/etc/resolv.conf" });
        return 0;
}

static int add_mounts(Container *container) {
        add_mount(container, (SandboxMount){ .type = SANDBOX_DEV, .target = "/dev" });
        if (container->console)
                add_mount(container, (SandboxMount){ .type = SANDBOX_BIND,
                                                     .source = container->console->slave_path,
                                                     .target = "/dev/console" });
        add_mount(container, (SandboxMount){ .type = SANDBOX_PROC, .target = "/proc" });
        add_mount(container, (SandboxMount){ .type = SANDBOX_SYS, .target = "/sys" });
        if (container->cgroup)
                add_mount(container, (SandboxMount){ .type = SANDBOX_CGROUP, .target = "/sys/fs/cgroup" });
        add_mount(container, (SandboxMount){ .type = SANDBOX_TMPFS,
                                             .target = "/run",
                                             .options = "mode=0755,nosuid,nodev" });
        return add_resolver(container);
}

/* An init wants a cgroup of its own to make others in. */
static int make_cgroup(Container *container) {
        _cleanup_(freep) char *own = NULL, *name = NULL;
        _cleanup_(reason_done) Reason reason = {};

        if (!container->boot)
                return 0;
        int r = cgroup_own(&own, &reason);
        if (r >= 0)
                r = text_format(&name, "mkosi-%d", (int)getpid());
        if (r >= 0)
                r = cgroup_make(own, name, &container->cgroup, &reason);
        if (r < 0)
                return log_error(r, "Cannot give the container a cgroup: %s", reason_text(&reason, r));
        return 0;
}

static int make_console(Container *container) {
        const bool terminal = isatty(STDIN_FILENO) == 1 && isatty(STDOUT_FILENO) == 1;

        if (!container->boot && !terminal)
                return 0;
        const int r = console_new(&container->console);
        return r < 0 ? log_error(r, "Cannot make a pseudo terminal: %m") : 0;
}

static int prepare(Container *container) {
        static const char *const homes[] = { HOME, NULL };
        const Config *config = &container->loaded->config;

        container->policy = (SandboxPolicy){
                .root = container->root->path,
                .network = config->with_network,
                .new_session = container->console != NULL,
                .terminal = container->console && !container->boot,
                .init = container->boot,
                .cgroup = container->cgroup,
                .capabilities = SANDBOX_CAPABILITIES_SYSTEM,
                .working_directory = container->boot ? NULL : find_inside(container->root, homes),
        };
        /* The host's network is not for what runs inside to configure. */
        if (config->with_network)
                container->policy.capabilities &= ~SANDBOX_CAPABILITIES_NETWORK;
        int r = foreign_registration(config->architecture, &container->binfmt);
        container->policy.binfmt = container->binfmt;
        if (r >= 0)
                r = choose_hostname(container);
        if (r >= 0)
                r = make_environment(container);
        if (r >= 0)
                r = add_mounts(container);
        container->policy.hostname = container->hostname;
        container->policy.environment = STRV(container->environment);
        return r < 0 ? log_error(r, "Cannot prepare the container: %m") : 0;
}

static int run(Container *container, const char *const *argv) {
        _cleanup_(sandbox_freep) Sandbox *sandbox = NULL;
        _cleanup_(reason_done) Reason reason = {};
        SandboxCommand command = { .argv = argv, .stdin_fd = STDIN_FILENO, .output_fd = -EBADF };

        int r = sandbox_new(&container->policy, &sandbox, &reason);
        if (r >= 0 && log_get_level() >= LOG_LEVEL_DEBUG)
                sandbox_print(sandbox, stderr);
        if (r >= 0 && container->console) {
                command.stdin_fd = command.output_fd = container->console->slave_fd;
                r = console_start(container->console);
        }
        if (r >= 0)
                r = sandbox_run(sandbox, &command, &reason);
        if (container->console)
                console_stop(container->console);
        if (r < 0 && r != -EINTR)
                return log_error(r, "Cannot run the image: %s", reason_text(&reason, r));
        return r;
}

static int run_once(const LoadedConfig *loaded, const ImageRoot *root, bool boot, const char *const *argv) {
        _cleanup_(container_done) Container container = { .loaded = loaded, .root = root, .boot = boot };

        int r = make_cgroup(&container);
        if (r >= 0)
                r = make_console(&container);
        if (r >= 0)
                r = prepare(&container);
        return r < 0 ? r : run(&container, argv);
}

int container_run_command(const LoadedConfig *loaded, const ImageRoot *root, const char *const *words) {
        static const char *const shells[] = { "/bin/bash", "/bin/sh", NULL };
        const char *shell[] = { find_inside(root, shells), NULL };

        if (strv_length(words) == 0 && !shell[0])
                return log_error(-ENOENT, "There is no shell in %s: name a command behind the verb",
                                 loaded->config.output);
        return run_once(loaded, root, false, strv_length(words) > 0 ? words : shell);
}

int container_boot(const LoadedConfig *loaded, const ImageRoot *root, const char *const *words) {
        static const char *const inits[] = { "/usr/lib/systemd/systemd", "/lib/systemd/systemd", "/sbin/init",
                                             NULL };
        _cleanup_(strv_freep) char **argv = NULL;
        const char *init = find_inside(root, inits);

        if (!init)
                return log_error(-ENOENT, "There is no init in %s to boot: add systemd to Packages=",
                                 loaded->config.output);
        int r = strv_append(&argv, init);
        if (r >= 0)
                r = strv_extend(&argv, words);
        if (r < 0)
                return r;
        do
                r = run_once(loaded, root, true, STRV(argv));
        while (r == SANDBOX_REBOOT && interrupt_check() >= 0);
        return r == SANDBOX_POWER_OFF ? 0 : r;
}

int container_nspawn_command(const Config *config, bool boot, const char *const *words, char ***ret) {
        _cleanup_(strv_freep) char **command = NULL;

        int r = strv_append(&command, "systemd-nspawn");
        if (r >= 0)
                r = strv_append_format(&command, "--%s=%s",
                                       output_format_is_file(config->format) ? "image" : "directory",
                                       config->output);
        if (r >= 0 && boot)
                r = strv_append(&command, "--boot");
        if (r >= 0 && !config->persistent)
                r = strv_append(&command, config->read_only ? "--read-only" : "--ephemeral");
        if (r >= 0 && !config->with_network)
                r = strv_append(&command, "--private-network");
        if (r >= 0 && config->nspawn_settings)
                r = strv_append(&command, "--settings=trusted");
        if (r >= 0 && strv_length(words) > 0)
                r = strv_append(&command, "--");
        if (r >= 0)
                r = strv_extend(&command, words);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(command);
        return 0;
}
