/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/strv.h"
#include "base/text.h"
#include "sandbox/sandbox-channel.h"
#include "sandbox/sandbox-child.h"

#define DEFAULT_SEARCH_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

static _Noreturn void child_fail(int channel_fd, int r, const char *text) {
        (void)sandbox_channel_send(channel_fd, SANDBOX_MESSAGE_FAILED, r, text, -EBADF);
        _exit(EXIT_FAILURE);
}

/* Names the operation that failed as sandbox_print() does, unless it said more itself. */
static _Noreturn void child_fail_operation(int channel_fd, int r, const SandboxOperation *operation,
                                           const Reason *reason) {
        _cleanup_(freep) char *line = NULL;
        char text[PATH_MAX];
        size_t size;
        FILE *const file = open_memstream(&line, &size);

        if (file) {
                sandbox_operation_print(operation, file);
                (void)fclose(file);
        }
        (void)snprintf(text, sizeof(text), "%s: %s", reason->text || !line ? operation->type->name : line,
                       reason_text(reason, r));
        child_fail(channel_fd, r, text);
}

static void child_run_operations(const SandboxChild *child, SandboxSetup *setup, SandboxStage stage) {
        const struct Sandbox *const sandbox = child->sandbox;

        for (size_t i = 0; i < sandbox->n_operations; i++) {
                const SandboxOperation *const operation = &sandbox->operations[i];
                Reason reason = {};

                if (operation->type->stage != stage)
                        continue;
                int r = operation->type->run(setup, operation, &reason);
                if (r < 0)
                        child_fail_operation(setup->channel_fd, r, operation, &reason);
                reason_done(&reason);
        }
}

/* As if the parent had never touched a signal: ignoring is inherited by what we execute, and so is the mask. */
static void child_reset_signals(void) {
        sigset_t none;

        for (int i = 1; i < _NSIG; i++)
                (void)signal(i, SIG_DFL);
        sigemptyset(&none);
        (void)sigprocmask(SIG_SETMASK, &none, NULL);
}

/* We are a copy of the parent, of which nothing is to be seen inside: not its memory in /proc/1/mem, nor, since that may
 * be read with CAP_SYS_ADMIN all the same, its environment, where people keep their keys. */
static int child_hide(void) {
        for (char **variable = environ; variable && *variable; variable++)
                explicit_bzero(*variable, strlen(*variable));
        if (prctl(PR_SET_DUMPABLE, 0) < 0)
                return -errno;
        return prctl(PR_SET_NAME, "sandbox") < 0 ? -errno : 0;
}

static const char *environment_get(const char *const *environment, const char *name) {
        for (; environment && *environment; environment++) {
                const char *const rest = text_after_prefix(*environment, name);

                if (rest && rest[0] == '=')
                        return rest + 1;
        }
        return NULL;
}

/* Returns only when the program cannot be executed: -ENOENT when it is not there, -ENOEXEC when what it needs is not. */
static int execute_path(const char *path, const char *const *argv, const char *const *environment) {
        (void)execve(path, (char *const *)argv, (char *const *)environment);
        if (errno == ENOTDIR)
                return -ENOENT;
        if (errno == ENOENT && access(path, F_OK) == 0)
                return -ENOEXEC;
        return -errno;
}

static int execute_command(const char *const *argv, const char *const *environment) {
        static const char *const no_environment[] = { NULL };
        const char *list = environment_get(environment, "PATH");
        char path[PATH_MAX];
        int r = -ENOENT;

        if (!environment)
                environment = no_environment;
        if (strchr(argv[0], '/'))
                return execute_path(argv[0], argv, environment);

        for (list = list ? list : DEFAULT_SEARCH_PATH; *list; list += strspn(list, ":")) {
                const size_t length = strcspn(list, ":");
                const int n = snprintf(path, sizeof(path), "%.*s/%s", (int)length, list, argv[0]);

                list += length;
                if (n < 0 || (size_t)n >= sizeof(path))
                        continue;
                /* Like a shell: what was found but cannot be executed is the better reason. */
                const int tried = execute_path(path, argv, environment);
                if (tried != -ENOENT)
                        r = tried;
        }
        return r;
}

static const char *execute_error_text(int r, const char *name) {
        if (r == -ENOENT)
                return strchr(name, '/') ? "not found" : "not found in PATH";
        if (r == -ENOEXEC)
                return "its interpreter is missing, or it is for another architecture";
        return strerror(-r);
}

static int command_open_output(const SandboxChild *child) {
        /* Copies out of the way first: the numbers to be overwritten may be among the sources. */
        const int sources[] = { child->stdin_fd, child->output_fd, child->error_fd };
        int copies[ELEMENTSOF(sources)];

        for (size_t i = 0; i < ELEMENTSOF(sources); i++) {
                copies[i] = fcntl(sources[i], F_DUPFD_CLOEXEC, 3);
                if (copies[i] < 0)
                        return -errno;
        }
        for (size_t i = 0; i < ELEMENTSOF(sources); i++)
                if (dup2(copies[i], (int)i) < 0)
                        return -errno;
        return 0;
}

static _Noreturn void command_run(const SandboxChild *child, SandboxSetup *setup) {
        char text[PATH_MAX];

        int r = command_open_output(child);
        if (r < 0)
                child_fail(setup->channel_fd, r, "standard input and output");
        if (close_range(3, UINT_MAX, CLOSE_RANGE_CLOEXEC) < 0)
                child_fail(setup->channel_fd, -errno, "close descriptors");
        child_run_operations(child, setup, SANDBOX_STAGE_COMMAND);

        r = execute_command(child->argv, STRV(child->sandbox->environment));
        (void)snprintf(text, sizeof(text), "execute \"%s\" in %s: %s", child->argv[0], child->sandbox->name,
                       execute_error_text(r, child->argv[0]));
        (void)sandbox_channel_send(setup->channel_fd, SANDBOX_MESSAGE_CANNOT_EXECUTE, r, text, -EBADF);
        _exit(EXIT_FAILURE);
}

/* Waits for the command, and meanwhile for every orphan. When we exit, the kernel kills all that is left. */
static _Noreturn void init_wait(pid_t command_pid) {
        for (;;) {
                int status;
                const pid_t pid = waitpid(-1, &status, 0);

                if (pid < 0 && errno != EINTR)
                        _exit(EXIT_FAILURE);
                if (pid != command_pid)
                        continue;
                _exit(WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status));
        }
}

_Noreturn void sandbox_child_run(const SandboxChild *child) {
        SandboxSetup setup = {
                .root_fd = -EBADF,
                .channel_fd = child->channel_fd,
                .user_namespace_fd = -EBADF,
                .binfmt_fd = -EBADF,
        };
        struct pollfd parent = { .fd = child->channel_fd };
        int r;

        child_reset_signals();
        if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
                child_fail(setup.channel_fd, -errno, "die with the parent");
        /* Should the parent have died before: its end of the channel went with it. */
        (void)fd_close(child->parent_channel_fd);
        if (poll(&parent, 1, 0) > 0 && (parent.revents & POLLHUP))
                _exit(EXIT_FAILURE);

        r = child_hide();
        if (r < 0)
                child_fail(setup.channel_fd, r, "hide process 1");
        (void)umask(022);
        child_run_operations(child, &setup, SANDBOX_STAGE_INIT);

        if (child->sandbox->init)
                command_run(child, &setup);
        const pid_t pid = fork();
        if (pid < 0)
                child_fail(setup.channel_fd, -errno, "fork");
        if (pid == 0)
                command_run(child, &setup);

        /* Nothing is kept open for the command's sake: pipes are to end when the command ends them. */
        (void)close_range(0, UINT_MAX, 0);
        init_wait(pid);
}
