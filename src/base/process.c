/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/interrupt.h"
#include "base/path.h"
#include "base/process.h"

#define SIGNAL_STATUS  128
#define END_GRACE_MS   2000 /* between asking a program to end and making it */
#define STATUS_NOT_RUN 127

/* What is there and cannot be found by the kernel lacks its interpreter. */
static int execute(const char *path, const ProcessOptions *options) {
        (void)execve(path, (char *const *)options->argv,
                     options->environment ? (char *const *)options->environment : environ);
        return errno == ENOENT && access(path, F_OK) == 0 ? -ENOEXEC : -errno;
}

/* In the child: never returns. Why it could not be executed is written to error_fd. */
static void become(const ProcessOptions *options, const char *path, pid_t parent, int error_fd) {
        const int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
        const int in = options->stdin_fd >= 0 ? options->stdin_fd : null_fd;
        const int out = options->stdout_fd >= 0 ? options->stdout_fd : null_fd;

        interrupt_reset();
        /* Should we die, so shall it; and we may have died already. */
        if (prctl(PR_SET_PDEATHSIG, SIGTERM) < 0 || getppid() != parent)
                _exit(STATUS_NOT_RUN);
        if (null_fd < 0 || dup2(in, STDIN_FILENO) < 0 || dup2(out, STDOUT_FILENO) < 0 ||
            (options->quiet && dup2(null_fd, STDERR_FILENO) < 0))
                _exit(STATUS_NOT_RUN);
        const int r = execute(path, options);
        (void)fd_write_all(error_fd, &r, sizeof(r));
        _exit(STATUS_NOT_RUN);
}

/* Nothing is there to be read when the program was executed: that has closed the other end. */
static int read_error(int error_fd) {
        int r = 0;
        ssize_t n;

        do
                n = read(error_fd, &r, sizeof(r));
        while (n < 0 && errno == EINTR);
        return n == (ssize_t)sizeof(r) ? r : 0;
}

/* Waits until the program has ended; 1 when an interrupt comes before that, or the time is over. */
static int wait_for(int pid_fd, int timeout_ms) {
        struct pollfd fds[] = { { .fd = pid_fd, .events = POLLIN },
                                { .fd = interrupt_fd(), .events = POLLIN } };

        for (;;) {
                const int n = poll(fds, ELEMENTSOF(fds), timeout_ms);

                if (n < 0 && errno != EINTR)
                        return -errno;
                if (n >= 0)
                        return fds[0].revents == 0;
        }
}

static int reap(pid_t pid) {
        siginfo_t info;

        while (waitid(P_PID, (id_t)pid, &info, WEXITED) < 0)
                if (errno != EINTR)
                        return -errno;
        return info.si_code == CLD_EXITED ? info.si_status : SIGNAL_STATUS + info.si_status;
}

int process_run(const ProcessOptions *options) {
        _cleanup_(freep) char *path = NULL;
        _cleanup_(fd_closep) int pid_fd = -EBADF, error_fd = -EBADF, child_error_fd = -EBADF;
        int pipe_fds[2];
        const pid_t parent = getpid();
        const int grace_ms = options->grace_ms > 0 ? options->grace_ms : END_GRACE_MS;

        assert(options && options->argv && options->argv[0]);

        int r = path_find_program(options->argv[0], options->search_path, &path);
        if (r < 0)
                return r;
        r = interrupt_check();
        if (r < 0)
                return r;
        if (pipe2(pipe_fds, O_CLOEXEC) < 0)
                return -errno;
        error_fd = pipe_fds[0];
        child_error_fd = pipe_fds[1];
        const pid_t pid = fork();
        if (pid < 0)
                return -errno;
        if (pid == 0)
                become(options, path, parent, child_error_fd);
        child_error_fd = fd_close(child_error_fd);

        pid_fd = (int)syscall(SYS_pidfd_open, pid, 0);
        r = pid_fd < 0 ? -errno : wait_for(pid_fd, -1);
        if (r != 0) {
                (void)kill(pid, SIGTERM);
                interrupt_rearm();
                if (pid_fd < 0 || wait_for(pid_fd, grace_ms) != 0)
                        (void)kill(pid, SIGKILL);
                (void)reap(pid);
                return r < 0 ? r : -EINTR;
        }
        r = reap(pid);
        const int failure = read_error(error_fd);
        return failure < 0 ? failure : r;
}
