/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <fcntl.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/interrupt.h"

/* What a signal handler may touch. This is the process's own state by nature: signals are. */
static volatile sig_atomic_t signal_caught = 0;
static int event_fd = -EBADF;
static bool pipe_ignored = false;

static const int interrupt_signals[] = { SIGINT, SIGTERM, SIGHUP };

static void on_signal(int signal_number) {
        const uint64_t one = 1;
        const int saved_errno = errno;

        if (signal_caught == 0)
                signal_caught = signal_number;
        if (write(event_fd, &one, sizeof(one)) < 0) {
                /* The counter is full, so whoever polls is awake anyway. */
        }
        errno = saved_errno;
}

int interrupt_catch(void) {
        const struct sigaction action = { .sa_handler = on_signal };

        if (event_fd < 0)
                event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        if (event_fd < 0)
                return -errno;

        for (size_t i = 0; i < ELEMENTSOF(interrupt_signals); i++) {
                struct sigaction old;

                /* nohup(1) and the like want a signal ignored: leave it so. */
                if (sigaction(interrupt_signals[i], NULL, &old) == 0 && old.sa_handler == SIG_IGN)
                        continue;
                if (sigaction(interrupt_signals[i], &action, NULL) < 0)
                        return -errno;
        }
        return 0;
}

int interrupt_check(void) {
        return signal_caught != 0 ? -EINTR : 0;
}

int interrupt_signal(void) {
        return signal_caught;
}

int interrupt_fd(void) {
        return event_fd;
}

void interrupt_rearm(void) {
        uint64_t n;

        if (read(event_fd, &n, sizeof(n)) < 0) {
                /* Nothing came since the last time. */
        }
}

void interrupt_ignore_pipe(void) {
        if (signal(SIGPIPE, SIG_IGN) != SIG_IGN)
                pipe_ignored = true;
}

void interrupt_reset(void) {
        sigset_t none;

        for (size_t i = 0; i < ELEMENTSOF(interrupt_signals); i++) {
                struct sigaction old;

                /* What is ignored was not caught either, and stays ignored. */
                if (sigaction(interrupt_signals[i], NULL, &old) == 0 && old.sa_handler == on_signal)
                        (void)signal(interrupt_signals[i], SIG_DFL);
        }
        if (pipe_ignored)
                (void)signal(SIGPIPE, SIG_DFL);
        sigemptyset(&none);
        (void)sigprocmask(SIG_SETMASK, &none, NULL);
}
