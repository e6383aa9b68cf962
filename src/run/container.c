/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
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
#define RESOLVER    "/etc/resolv.conf"
#define STOP_SIGNAL (SIGRTMIN + 3) /* systemd(1): halt */
/* Longer than systemd gives a service by default. */
#define STOP_MS 100000

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

/* Looks at what is at the path in the tree, which links never leave; flags as for open(). */
static bool look_inside(const ImageRoot *root, const char *path, int flags, struct stat *ret) {
        _cleanup_(fd_closep) int root_fd = open(root->path, O_PATH | O_DIRECTORY | O_CLOEXEC);
        _cleanup_(fd_closep) int fd =
                root_fd < 0 ? -EBADF : path_open_below(root_fd, path, O_PATH | flags, 0);

        return fd >= 0 && fstat(fd, ret) == 0;
}

/* The first program of the list that is there; NULL: none. */
static const char *find_program(const ImageRoot *root, const char *const *paths) {
        struct stat status;

        for (; *paths; paths++)
                if (look_inside(root, *paths, 0, &status) && S_ISREG(status.st_mode) &&
                    (status.st_mode & 0111))
                        return *paths;
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

/* The host's resolver configuration is lent with its network. Where it is a link, as those to systemd-resolved are, an init
 * brings what it leads to. */
static int add_resolver(Container *container) {
        char path[PATH_MAX];
        struct stat status;

        if (!container->policy.network || !realpath(RESOLVER, path))
                return 0;
        if (container->boot && look_inside(container->root, RESOLVER, O_NOFOLLOW, &status) &&
            S_ISLNK(status.st_mode))
                return 0;
        const int r = text_copy(path, &container->resolver);
        if (r < 0)
                return r;
        add_mount(container, (SandboxMount){ .type = SANDBOX_BIND_READ_ONLY,
                                             .source = container->resolver,
                                             .target = RESOLVER });
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
        const Scratch *scratch = container->root->scratch;
        const char *name = path_base_name(scratch->path);
        _cleanup_(freep) char *own = NULL, *path = NULL;
        _cleanup_(reason_done) Reason reason = {};

        if (!container->boot)
                return 0;
        int r = cgroup_own(&own, &reason);
        if (r >= 0)
                r = path_join(own, name, &path);
        if (r >= 0)
                r = scratch_note_cgroup(scratch, path);
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
        const Config *config = &container->loaded->config;
        struct stat home;
        const bool has_home = look_inside(container->root, HOME, 0, &home) && S_ISDIR(home.st_mode);

        container->policy = (SandboxPolicy){
                .root = container->root->path,
                .name = config->output,
                .network = config->with_network,
                .new_session = container->console != NULL,
                .terminal = container->console && !container->boot,
                .init = container->boot,
                .cgroup = container->cgroup,
                .capabilities = SANDBOX_CAPABILITIES_SYSTEM,
                .working_directory = !container->boot && has_home ? HOME : NULL,
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

static void say_stop(void) {
        log_info("Asking the system to shut down; a second signal ends it at once");
}

/* What an interrupt leaves is said here: main knows less. */
static int say_interrupted(const Container *container) {
        const Config *config = &container->loaded->config;

        return log_error(-ECANCELED, "Interrupted, %s was ended%s",
                         container->boot ? "the system has not shut down and" : "the command",
                         config->persistent ? "; the image is as it left it" : "; the image was not changed");
}

static int run(Container *container, const char *const *argv) {
        _cleanup_(sandbox_freep) Sandbox *sandbox = NULL;
        _cleanup_(reason_done) Reason reason = {};
        SandboxStop stop = { .signal = container->boot ? STOP_SIGNAL : 0,
                             .time_ms = STOP_MS,
                             .on_stop = say_stop,
                             .kill_fd = -EBADF };
        int execute_status = 0;
        SandboxCommand command = { .argv = argv,
                                   .stdin_fd = STDIN_FILENO,
                                   .output_fd = -EBADF,
                                   .data_fd = -EBADF,
                                   .stop = &stop,
                                   .execute_status = &execute_status };

        int r = sandbox_new(&container->policy, &sandbox, &reason);
        if (r >= 0 && log_get_level() >= LOG_LEVEL_DEBUG)
                sandbox_print(sandbox, stderr);
        if (r >= 0 && container->console) {
                command.stdin_fd = command.output_fd = container->console->slave_fd;
                r = console_start(container->console);
                stop.kill_fd = container->console->control_fd;
        }
        if (r >= 0)
                r = sandbox_run(sandbox, &command, &reason);
        if (container->console)
                console_stop(container->console);
        if (r == -EINTR)
                return say_interrupted(container);
        if (r < 0)
                (void)log_error(r, "Cannot run the image: %s", reason_text(&reason, r));
        return execute_status != 0 ? execute_status : r;
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
        const char *shell[] = { find_program(root, shells), NULL };

        if (strv_length(words) == 0 && !shell[0]) {
                (void)log_error(-ENOENT, "There is no shell in %s: name a command behind the verb",
                                loaded->config.output);
                return SANDBOX_NOT_FOUND;
        }
        return run_once(loaded, root, false, strv_length(words) > 0 ? words : shell);
}

int container_boot(const LoadedConfig *loaded, const ImageRoot *root, const char *const *words) {
        static const char *const inits[] = { "/usr/lib/systemd/systemd", "/lib/systemd/systemd", "/sbin/init",
                                             NULL };
        _cleanup_(strv_freep) char **argv = NULL;
        const char *init = find_program(root, inits);

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
        return r == SANDBOX_POWER_OFF || r == SANDBOX_REBOOT ? 0 : r;
}
