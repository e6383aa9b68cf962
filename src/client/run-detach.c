/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "client/run-detach.h"

/* What somebody sends to the client is meant for the one who does its work. */
static const int passed_signals[] = { SIGINT, SIGTERM, SIGHUP };

static void __attribute__((noreturn))
child_run(DetachableRun run, void *userdata, pid_t parent, int detach_fd, const sigset_t *mask) {
        (void)prctl(PR_SET_PDEATHSIG, SIGTERM);
        (void)sigprocmask(SIG_SETMASK, mask, NULL);
        if (getppid() != parent)
                _exit(EXIT_FAILURE);
        const int r = run(detach_fd, userdata);
        (void)fflush(NULL);
        _exit(r < 0 ? EXIT_FAILURE : r);
}

static void pass_signal(int signal_fd, pid_t child) {
        struct signalfd_siginfo info;

        if (read(signal_fd, &info, sizeof(info)) == sizeof(info))
                (void)kill(child, (int)info.ssi_signo);
}

/* Until it has ended, or said that it goes on alone: 1 then. */
static int wait_for(pid_t child, int detach_fd, int signal_fd) {
        _cleanup_(fd_closep) int child_fd = (int)syscall(SYS_pidfd_open, child, 0);
        struct pollfd wanted[] = {
                { .fd = detach_fd, .events = POLLIN },
                { .fd = signal_fd, .events = POLLIN },
                { .fd = child_fd, .events = POLLIN },
        };
        char byte;

        if (child_fd < 0)
                return -errno;
        for (;;) {
                if (poll(wanted, ELEMENTSOF(wanted), -1) < 0) {
                        if (errno != EINTR)
                                return -errno;
                        continue;
                }
                if (wanted[1].revents)
                        pass_signal(signal_fd, child);
                if (wanted[0].revents & POLLIN)
                        return read(detach_fd, &byte, 1) == 1;
                if (wanted[2].revents)
                        return 0;
        }
}

static int take_end(pid_t child) {
        int status;

        while (waitpid(child, &status, 0) < 0)
                if (errno != EINTR)
                        return -errno;
        if (!WIFEXITED(status))
                return -ECANCELED;
        return WEXITSTATUS(status);
}

int run_detachable(DetachableRun run, void *userdata) {
        _cleanup_(fd_closep) int signal_fd = -EBADF, read_fd = -EBADF;
        const pid_t self = getpid();
        sigset_t passed, before;
        int ends[2];

        (void)sigemptyset(&passed);
        for (size_t i = 0; i < ELEMENTSOF(passed_signals); i++)
                (void)sigaddset(&passed, passed_signals[i]);
        if (pipe2(ends, O_CLOEXEC) < 0)
                return -errno;
        read_fd = ends[0];
        (void)sigprocmask(SIG_BLOCK, &passed, &before);
        signal_fd = signalfd(-1, &passed, SFD_CLOEXEC);
        const pid_t child = signal_fd < 0 ? -1 : fork();
        if (child == 0)
                child_run(run, userdata, self, ends[1], &before);
        int r = child < 0 ? -errno : 0;
        (void)fd_close(ends[1]);
        if (r >= 0)
                r = wait_for(child, read_fd, signal_fd);
        (void)sigprocmask(SIG_SETMASK, &before, NULL);
        return r < 0 ? r : r > 0 ? 0 : take_end(child);
}

int run_detach(int detach_fd) {
        const int null = open("/dev/null", O_RDWR | O_CLOEXEC);
        int r = null < 0 ? -errno : 0;

        for (int fd = STDIN_FILENO; r >= 0 && fd <= STDERR_FILENO; fd++)
                if (dup2(null, fd) < 0)
                        r = -errno;
        (void)fd_close(null);
        if (r >= 0 && (setsid() < 0 || prctl(PR_SET_PDEATHSIG, 0) < 0 || write(detach_fd, "", 1) != 1))
                r = -errno;
        return r;
}
