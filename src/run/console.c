/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/pidfd.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/interrupt.h"
#include "base/text.h"
#include "run/console.h"

#define BUFFER_SIZE      4096
#define ESCAPE_KEY       0x1d /* Ctrl-] */
#define ESCAPE_PRESSES   3
#define ESCAPE_TIME_MS   1000
#define EXIT_CANNOT_COPY 1

int console_new(Console **ret) {
        _cleanup_(console_freep) Console *console = calloc(1, sizeof(*console));
        char path[PATH_MAX];

        if (!console)
                return -ENOMEM;
        *console = (Console){ .master_fd = -EBADF, .slave_fd = -EBADF, .control_fd = -EBADF };
        console->master_fd = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
        if (console->master_fd < 0 || grantpt(console->master_fd) < 0 || unlockpt(console->master_fd) < 0)
                return -errno;
        if (ptsname_r(console->master_fd, path, sizeof(path)) != 0)
                return -errno;
        const int r = text_copy(path, &console->slave_path);
        if (r < 0)
                return r;
        console->slave_fd = open(path, O_RDWR | O_NOCTTY | O_CLOEXEC);
        if (console->slave_fd < 0)
                return -errno;
        *ret = TAKE_PTR(console);
        return 0;
}

/* The process that copies. It has the slave open as well, so that there is no end while programs inside open and close it. */
typedef struct Copier {
        int master_fd, signal_fd;
        int control_fd; /* the other end of the console's: it ends when we are to, and a byte in it is for the keys */
        int parent_fd; /* pidfd of who reads that */
        bool lost;     /* nobody reads our output any more */
        bool reads;    /* there is still something to come from standard input */
        bool terminal; /* standard input is one */
        bool ending;   /* nobody is inside any more: what is there is copied, and that is it */
        struct termios before;
        unsigned n_escapes;
        uint64_t first_escape_ms;
} Copier;

static uint64_t now_ms(void) {
        struct timespec now;

        (void)clock_gettime(CLOCK_MONOTONIC, &now);
        return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void copy_window_size(const Copier *copier) {
        struct winsize size;

        if (ioctl(STDIN_FILENO, TIOCGWINSZ, &size) == 0)
                (void)ioctl(copier->master_fd, TIOCSWINSZ, &size);
}

static int make_raw(Copier *copier) {
        struct termios raw;

        copier->terminal = isatty(STDIN_FILENO) == 1 && tcgetattr(STDIN_FILENO, &copier->before) == 0;
        if (!copier->terminal)
                return 0;
        raw = copier->before;
        cfmakeraw(&raw);
        copy_window_size(copier);
        return tcsetattr(STDIN_FILENO, TCSANOW, &raw) < 0 ? -errno : 0;
}

/* Whether the keys ask for the end. */
static bool is_escape(Copier *copier, const char *keys, size_t n) {
        for (size_t i = 0; i < n; i++) {
                if (keys[i] != ESCAPE_KEY) {
                        copier->n_escapes = 0;
                        continue;
                }
                if (copier->n_escapes == 0 || now_ms() - copier->first_escape_ms > ESCAPE_TIME_MS) {
                        copier->n_escapes = 0;
                        copier->first_escape_ms = now_ms();
                }
                if (++copier->n_escapes >= ESCAPE_PRESSES)
                        return true;
        }
        return false;
}

static void copy_input(Copier *copier) {
        char buffer[BUFFER_SIZE];
        const ssize_t n = read(STDIN_FILENO, buffer, sizeof(buffer));

        if (n < 0 && (errno == EINTR || errno == EAGAIN))
                return;
        if (n <= 0 || fd_write_all(copier->master_fd, buffer, (size_t)n) < 0) {
                copier->reads = false;
                return;
        }
        if (copier->terminal && is_escape(copier, buffer, (size_t)n))
                (void)fd_write_all(copier->control_fd, "", 1);
}

/* False when nothing comes any more. */
static bool copy_output(Copier *copier) {
        char buffer[BUFFER_SIZE];
        const ssize_t n = read(copier->master_fd, buffer, sizeof(buffer));

        if (n <= 0)
                return n < 0 && errno == EINTR;
        if (copier->lost || fd_write_all(STDOUT_FILENO, buffer, (size_t)n) >= 0)
                return true;
        /* As if somebody had asked for the end. Until then, what runs is not to wait for a reader. */
        copier->lost = true;
        (void)pidfd_send_signal(copier->parent_fd, SIGTERM, NULL, 0);
        return true;
}

static void take_signal(const Copier *copier) {
        struct signalfd_siginfo info;

        if (read(copier->signal_fd, &info, sizeof(info)) == (ssize_t)sizeof(info) &&
            info.ssi_signo == SIGWINCH)
                copy_window_size(copier);
}

static void copy(Copier *copier) {
        for (;;) {
                struct pollfd fds[] = {
                        { .fd = copier->signal_fd, .events = POLLIN },
                        { .fd = copier->master_fd, .events = POLLIN },
                        { .fd = copier->reads ? STDIN_FILENO : -1, .events = POLLIN },
                        { .fd = copier->ending ? -1 : copier->control_fd, .events = POLLIN },
                };

                if (poll(fds, ELEMENTSOF(fds), copier->ending ? 0 : -1) < 0 && errno != EINTR)
                        return;
                if (fds[0].revents)
                        take_signal(copier);
                if (fds[1].revents & POLLIN) {
                        if (!copy_output(copier))
                                return;
                } else if (copier->ending || (fds[1].revents & (POLLHUP | POLLERR)))
                        return;
                if (fds[2].revents)
                        copy_input(copier);
                if (fds[3].revents)
                        copier->ending = true;
        }
}

/* What else our parent has open is not ours to keep open: we may stay a little longer, at a terminal that is stopped. */
static int close_others(const int *kept, size_t n_kept) {
        for (unsigned first = STDERR_FILENO + 1;;) {
                unsigned next = UINT_MAX;

                for (size_t i = 0; i < n_kept; i++)
                        if ((unsigned)kept[i] >= first)
                                next = MIN(next, (unsigned)kept[i]);
                if (next > first && close_range(first, next == UINT_MAX ? UINT_MAX : next - 1, 0) < 0)
                        return -errno;
                if (next == UINT_MAX)
                        return 0;
                first = next + 1;
        }
}

/* Signals that are for the whole terminal, or for all that runs on it, are our parent's to answer. */
static int catch_signals(Copier *copier) {
        static const int numbers[] = { SIGTERM, SIGINT, SIGQUIT, SIGHUP, SIGWINCH };
        sigset_t signals;

        interrupt_reset();
        (void)signal(SIGPIPE, SIG_IGN);
        (void)sigemptyset(&signals);
        for (size_t i = 0; i < ELEMENTSOF(numbers); i++)
                (void)sigaddset(&signals, numbers[i]);
        (void)sigprocmask(SIG_BLOCK, &signals, NULL);
        copier->signal_fd = signalfd(-1, &signals, SFD_CLOEXEC);
        return copier->signal_fd < 0 ? -errno : 0;
}

static _Noreturn void run_copier(const Console *console, int control_fd, pid_t parent) {
        Copier copier = { .master_fd = console->master_fd, .control_fd = control_fd, .reads = true };

        copier.parent_fd = (int)syscall(SYS_pidfd_open, parent, 0);
        /* Should our parent die, the other end of the control descriptor closes, and the terminal is given back all the
         * same; and it may have died already. */
        if (copier.parent_fd < 0 || getppid() != parent || catch_signals(&copier) < 0)
                _exit(EXIT_CANNOT_COPY);
        const int kept[] = { console->master_fd, console->slave_fd, control_fd, copier.parent_fd,
                             copier.signal_fd };
        if (close_others(kept, ELEMENTSOF(kept)) < 0 || make_raw(&copier) < 0)
                _exit(EXIT_CANNOT_COPY);
        copy(&copier);
        if (copier.terminal)
                (void)tcsetattr(STDIN_FILENO, TCSANOW, &copier.before);
        _exit(EXIT_SUCCESS);
}

int console_start(Console *console) {
        _cleanup_(fd_closep) int control_fd = -EBADF;
        const pid_t parent = getpid();
        int pair[2];

        if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
                return -errno;
        console->control_fd = pair[0];
        control_fd = pair[1];
        (void)fflush(NULL);
        const pid_t pid = fork();
        if (pid < 0)
                return -errno;
        if (pid == 0)
                run_copier(console, control_fd, parent);
        console->copier = pid;
        return 0;
}

void console_stop(Console *console) {
        console->slave_fd = fd_close(console->slave_fd);
        console->control_fd = fd_close(console->control_fd);
        if (console->copier <= 0)
                return;
        while (waitpid(console->copier, NULL, 0) < 0 && errno == EINTR)
                ;
        console->copier = 0;
}

void console_free(Console *console) {
        if (!console)
                return;
        console_stop(console);
        (void)fd_close(console->master_fd);
        free(console->slave_path);
        free(console);
}
