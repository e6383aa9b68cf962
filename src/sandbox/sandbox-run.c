/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <fcntl.h>
#include <limits.h>
#include <linux/sched.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/interrupt.h"
#include "base/text.h"
#include "sandbox/sandbox-channel.h"
#include "sandbox/sandbox-child.h"
#include "sandbox/sandbox-sync.h"
#include "sandbox/sandbox.h"

#define LINE_SIZE_MAX (8 * KIB)
#define STOP_REPEAT_MS \
        1000 /* timeout(1) sends its signal twice, to the process and to its group: that is one request */

/* A mount point that was made for this run. */
typedef struct MadeTarget {
        int dir_fd;
        char *name;
        bool directory;
} MadeTarget;

/* A sandbox under way, on the parent's side. */
typedef struct Run {
        const Sandbox *sandbox;
        const SandboxCommand *command;
        Reason *reason;
        int init_fd; /* pidfd of process 1 inside; -EBADF before it is there and after it was reaped */
        int channel_fd, output_fd, listener_fd;
        bool copy_failed;             /* the output is not written to output_fd any more */
        int error;                    /* what the child sent; its text is in the reason */
        uint64_t stop_ms;             /* when process 1 was asked to stop; 0: it was not */
        char line[LINE_SIZE_MAX + 1]; /* the output since the last newline */
        size_t line_size;
        MadeTarget *made;
        size_t n_made;
} Run;

static int run_reap(Run *run) {
        siginfo_t status = {};

        while (waitid(P_PIDFD, (id_t)run->init_fd, &status, WEXITED) < 0)
                if (errno != EINTR)
                        return -errno;
        run->init_fd = fd_close(run->init_fd);
        return status.si_code == CLD_EXITED ? status.si_status : 128 + status.si_status;
}

static int run_add_made(Run *run, const char *name, bool directory, int *dir_fd) {
        _cleanup_(freep) char *copy = NULL;

        int r = text_copy(name, &copy);
        if (r < 0)
                return r;
        MadeTarget *const grown = reallocarray(run->made, run->n_made + 1, sizeof(MadeTarget));
        if (!grown)
                return -ENOMEM;
        run->made = grown;
        run->made[run->n_made++] =
                (MadeTarget){ .dir_fd = TAKE_FD(*dir_fd), .name = TAKE_PTR(copy), .directory = directory };
        return 0;
}

/* 1 after a message, 0 at the end of the channel, which is closed then. */
static int run_read_channel(Run *run) {
        _cleanup_(fd_closep) int fd = -EBADF;
        SandboxMessage message;

        int r = sandbox_channel_receive(run->channel_fd, &message, &fd);
        if (r <= 0) {
                run->channel_fd = fd_close(run->channel_fd);
                return r;
        }

        switch (message.type) {
        case SANDBOX_MESSAGE_FAILED:
                run->error = message.error < 0 ? message.error : -EIO;
                (void)reason_set(run->reason, run->error, "%s", message.text);
                return 1;
        case SANDBOX_MESSAGE_CANNOT_EXECUTE:
                run->error = message.error < 0 ? message.error : -EIO;
                (void)reason_set(run->reason, run->error, "%s", message.text);
                if (run->command->execute_status)
                        *run->command->execute_status =
                                message.error == -ENOENT ? SANDBOX_NOT_FOUND : SANDBOX_NOT_EXECUTABLE;
                return 1;
        case SANDBOX_MESSAGE_MAKING_DIRECTORY:
        case SANDBOX_MESSAGE_MAKING_FILE:
                r = run_add_made(run, message.text, message.type == SANDBOX_MESSAGE_MAKING_DIRECTORY, &fd);
                return r < 0 ? r : 1;
        case SANDBOX_MESSAGE_LISTENER:
                run->listener_fd = TAKE_FD(fd);
                return 1;
        case SANDBOX_MESSAGE_NAMESPACE: /* not sent to us */
                break;
        }
        return -EBADMSG;
}

/* Removes what was made and is still as empty as it was made, the last first. */
static void run_remove_made(Run *run) {
        while (run->n_made > 0) {
                MadeTarget *const made = &run->made[--run->n_made];
                struct stat status;

                if (made->directory)
                        (void)unlinkat(made->dir_fd, made->name, AT_REMOVEDIR);
                else if (fstatat(made->dir_fd, made->name, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
                         S_ISREG(status.st_mode) && status.st_size == 0)
                        (void)unlinkat(made->dir_fd, made->name, 0);
                (void)fd_close(made->dir_fd);
                free(made->name);
        }
        free(run->made);
        run->made = NULL;
}

/* Also the way out after an error or an interrupt: when it returns, nothing of the sandbox is left. */
static void run_done(Run *run) {
        if (run->init_fd >= 0) {
                (void)pidfd_send_signal(run->init_fd, SIGKILL, NULL, 0);
                (void)run_reap(run);
        }
        while (run->channel_fd >= 0)
                (void)run_read_channel(run);
        run_remove_made(run);
        (void)fd_close(run->output_fd);
        (void)fd_close(run->listener_fd);
}

static void run_end_line(Run *run) {
        if (run->line_size > 0 && run->line[run->line_size - 1] == '\r')
                run->line_size--;
        run->line[run->line_size] = '\0';
        run->command->on_line(run->line, run->command->userdata);
        run->line_size = 0;
}

/* Reads what there is: 1, or 0 when nothing comes any more or, for now, nothing is there. */
static int run_read_output(Run *run) {
        char buffer[16 * KIB];
        const ssize_t n = read(run->output_fd, buffer, sizeof(buffer));

        if (n < 0)
                return errno == EINTR ? 1 : errno == EAGAIN ? 0 : -errno;
        if (n == 0) {
                run->output_fd = fd_close(run->output_fd);
                return 0;
        }
        /* Whoever follows the lines learns from them why the command fails, which may be just that the disk is full. */
        if (run->command->output_fd >= 0 && !run->copy_failed)
                run->copy_failed = fd_write_all(run->command->output_fd, buffer, (size_t)n) < 0;
        for (ssize_t i = 0; i < n; i++) {
                if (buffer[i] == '\n' || run->line_size == LINE_SIZE_MAX)
                        run_end_line(run);
                if (buffer[i] != '\n')
                        run->line[run->line_size++] = buffer[i] != '\0' ? buffer[i] : ' ';
        }
        return 1;
}

static int run_clone(Run *run, SandboxChild *child) {
        uint64_t namespaces = 0;
        int init_fd = -EBADF;

        for (size_t i = 0; i < run->sandbox->n_operations; i++)
                if (run->sandbox->operations[i].type->stage == SANDBOX_STAGE_CLONE)
                        namespaces |= run->sandbox->operations[i].flags;

        const struct clone_args arguments = {
                .flags = namespaces | CLONE_PIDFD | CLONE_CLEAR_SIGHAND,
                .pidfd = (uint64_t)(uintptr_t)&init_fd,
                .exit_signal = SIGCHLD,
        };
        const long pid = syscall(SYS_clone3, &arguments, sizeof(arguments));
        if (pid < 0)
                return reason_set(run->reason, -errno, "make namespaces: %m");
        if (pid == 0)
                sandbox_child_run(child);
        run->init_fd = init_fd;
        return 0;
}

static int run_start(Run *run) {
        _cleanup_(fd_closep) int null_fd = -EBADF, output_fd = -EBADF, channel_fd = -EBADF;
        const SandboxCommand *const command = run->command;
        SandboxChild child = { .sandbox = run->sandbox, .argv = command->argv };

        if (command->stdin_fd < 0) {
                null_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
                if (null_fd < 0)
                        return reason_set(run->reason, -errno, "open /dev/null: %m");
        }
        if (command->on_line) {
                int pair[2];

                if (pipe2(pair, O_CLOEXEC) < 0)
                        return -errno;
                run->output_fd = pair[0];
                output_fd = pair[1];
                if (fcntl(run->output_fd, F_SETFL, O_NONBLOCK) < 0)
                        return -errno;
        }
        int r = sandbox_channel_open(&run->channel_fd, &channel_fd);
        if (r < 0)
                return r;

        child.channel_fd = channel_fd;
        child.parent_channel_fd = run->channel_fd;
        child.stdin_fd = null_fd >= 0 ? null_fd : command->stdin_fd;
        child.output_fd = output_fd >= 0            ? output_fd
                          : command->output_fd >= 0 ? command->output_fd
                                                    : STDOUT_FILENO;
        child.error_fd = child.output_fd != STDOUT_FILENO ? child.output_fd : STDERR_FILENO;
        if (command->data_fd >= 0)
                child.output_fd = command->data_fd;
        return run_clone(run, &child);
}

static uint64_t now_ms(void) {
        struct timespec now;

        (void)clock_gettime(CLOCK_MONOTONIC, &now);
        return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* A signal came to us: 0 when the command may go on, and end in its own way. */
static int run_interrupted(Run *run) {
        const SandboxStop *stop = run->command->stop;

        /* Before the command is executed, nothing is there that could end in any way. */
        if (!stop || stop->signal == 0 || !run->sandbox->init || run->channel_fd >= 0)
                return -EINTR;
        if (run->stop_ms != 0)
                return now_ms() - run->stop_ms < STOP_REPEAT_MS ? 0 : -EINTR;

        run->stop_ms = now_ms();
        if (pidfd_send_signal(run->init_fd, stop->signal, NULL, 0) < 0)
                return errno == ESRCH ? 0 : -errno;
        if (stop->on_stop)
                stop->on_stop();
        return 0;
}

/* For poll(): until process 1 is killed that was asked to stop. */
static int run_timeout(const Run *run) {
        if (run->stop_ms == 0)
                return -1;
        const uint64_t passed = now_ms() - run->stop_ms, all = run->command->stop->time_ms;
        return passed >= all ? 0 : (int)MIN(all - passed, (uint64_t)INT_MAX);
}

static int run_kill(Run *run) {
        return pidfd_send_signal(run->init_fd, SIGKILL, NULL, 0) < 0 && errno != ESRCH ? -errno : 0;
}

/* Until process 1 is gone. */
static int run_watch(Run *run) {
        enum { INIT, INTERRUPT, KILL, CHANNEL, OUTPUT, LISTENER, N_WATCHED };
        int kill_fd = run->command->stop ? run->command->stop->kill_fd : -EBADF;

        for (;;) {
                struct pollfd watched[N_WATCHED] = {
                        [INIT] = { .fd = run->init_fd, .events = POLLIN },
                        [INTERRUPT] = { .fd = interrupt_fd(), .events = POLLIN },
                        [KILL] = { .fd = kill_fd, .events = POLLIN },
                        [CHANNEL] = { .fd = run->channel_fd, .events = POLLIN },
                        [OUTPUT] = { .fd = run->output_fd, .events = POLLIN },
                        [LISTENER] = { .fd = run->listener_fd, .events = POLLIN },
                };
                int r = 0;

                const int n = poll(watched, N_WATCHED, run_timeout(run));
                if (n < 0 && errno != EINTR)
                        return -errno;
                if (n < 0)
                        continue;
                if (n == 0)
                        return -EINTR;

                if (watched[CHANNEL].revents)
                        r = run_read_channel(run);
                /* What the child has said comes first: it may be that the command runs by now. */
                if (r >= 0 && watched[INTERRUPT].revents && !watched[CHANNEL].revents) {
                        interrupt_rearm();
                        r = run_interrupted(run);
                }
                if (r >= 0 && watched[KILL].revents) {
                        r = run_kill(run);
                        kill_fd = -EBADF;
                }
                if (r >= 0 && watched[OUTPUT].revents)
                        r = run_read_output(run);
                if (r >= 0 && (watched[LISTENER].revents & POLLIN))
                        r = sandbox_sync_answer(run->listener_fd);
                else if (watched[LISTENER].revents) /* no process has the filter any more */
                        run->listener_fd = fd_close(run->listener_fd);
                if (r < 0)
                        return r;
                if (watched[INIT].revents)
                        return 0;
        }
}

/* What was sent and written before process 1 exited. */
static int run_finish(Run *run) {
        int r = run_reap(run);
        if (r < 0)
                return r;
        const int status = r;

        while (run->channel_fd >= 0) {
                r = run_read_channel(run);
                if (r < 0)
                        return r;
        }
        do
                r = run->output_fd >= 0 ? run_read_output(run) : 0;
        while (r > 0);
        if (r < 0)
                return r;
        if (run->line_size > 0)
                run_end_line(run);
        if (run->error < 0)
                return run->error;
        return interrupt_check() < 0 && run->stop_ms == 0 ? -EINTR : status;
}

int sandbox_run(const Sandbox *sandbox, const SandboxCommand *command, Reason *reason) {
        _cleanup_(run_done) Run run = {
                .sandbox = sandbox,
                .command = command,
                .reason = reason,
                .init_fd = -EBADF,
                .channel_fd = -EBADF,
                .output_fd = -EBADF,
                .listener_fd = -EBADF,
        };

        assert(sandbox && command && command->argv && command->argv[0]);

        int r = interrupt_check();
        if (r < 0)
                return r;
        r = run_start(&run);
        if (r < 0)
                return r;
        r = run_watch(&run);
        if (r < 0)
                return r;
        return run_finish(&run);
}
