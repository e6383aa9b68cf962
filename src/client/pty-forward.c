/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <systemd/sd-event.h>
#include <termios.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/text.h"
#include "base/time-span.h"
#include "client/pty-forward.h"

#define BUFFER_SIZE 8192

#define ESCAPE_BYTE  0x1d /* ^] */
#define ESCAPE_COUNT 3

/* What is on its way in one direction. */
typedef struct Flow {
        char bytes[BUFFER_SIZE];
        size_t size;
        bool ended; /* nothing more comes */
} Flow;

struct PtyForward {
        sd_event *event;
        int master_fd;
        Flow in, out;
        sd_event_source *input, *output, *master, *resize;
        void (*on_end)(int r, void *userdata);
        void *userdata;
        struct termios before[2]; /* of standard input and output */
        bool is_terminal[2];
        int flags_before[2]; /* -1: unknown */
        unsigned n_escapes;
        uint64_t first_escape;
        bool finishing, over, said_end;
        bool follows; /* the other side, which is closed for good once it is closed */
};

static void end(PtyForward *forward, int r) {
        if (forward->over)
                return;
        forward->over = true;
        forward->on_end(r, forward->userdata);
}

/* Whether these bytes make the third ^] in time; all others begin anew. */
static bool escape_seen(PtyForward *forward, const char *bytes, size_t size) {
        uint64_t now = 0;

        (void)sd_event_now(forward->event, CLOCK_MONOTONIC, &now);
        for (size_t i = 0; i < size; i++) {
                if (bytes[i] != ESCAPE_BYTE) {
                        forward->n_escapes = 0;
                        continue;
                }
                if (forward->n_escapes == 0 || now > forward->first_escape + SECOND_USEC) {
                        forward->n_escapes = 0;
                        forward->first_escape = now;
                }
                if (++forward->n_escapes >= ESCAPE_COUNT)
                        return true;
        }
        return false;
}

/* 1 when something came, 0 when there is nothing, or no room. */
static int fill(Flow *flow, int fd) {
        if (flow->ended || flow->size == sizeof(flow->bytes))
                return 0;
        const ssize_t n = read(fd, flow->bytes + flow->size, sizeof(flow->bytes) - flow->size);
        if (n < 0)
                return errno == EAGAIN || errno == EINTR ? 0 : -errno;
        if (n == 0)
                flow->ended = true;
        flow->size += (size_t)n;
        return n > 0;
}

static int drain(Flow *flow, int fd) {
        if (flow->size == 0)
                return 0;
        const ssize_t n = write(fd, flow->bytes, flow->size);
        if (n < 0)
                return errno == EAGAIN || errno == EINTR ? 0 : -errno;
        flow->size -= (size_t)n;
        memmove(flow->bytes, flow->bytes + n, flow->size);
        return n > 0;
}

/* Once the other side is closed for good, reading fails with EIO. */
static int from_master(PtyForward *forward) {
        const int r = fill(&forward->out, forward->master_fd);
        if (r == -EIO && forward->follows)
                forward->finishing = forward->out.ended = true;
        return r == -EIO ? 0 : r;
}

static int to_master(PtyForward *forward) {
        const char end_of_file = 4; /* ^D: a terminal's own way to say that nothing comes any more */

        const int r = drain(&forward->in, forward->master_fd);
        if (r == 0 && forward->in.ended && forward->in.size == 0 && !forward->said_end)
                forward->said_end = write(forward->master_fd, &end_of_file, 1) == 1;
        return r == -EIO ? 0 : r;
}

static int from_input(PtyForward *forward) {
        const size_t before = forward->in.size;

        const int r = fill(&forward->in, STDIN_FILENO);
        if (r > 0 && forward->is_terminal[0] &&
            escape_seen(forward, forward->in.bytes + before, forward->in.size - before))
                return -ECANCELED;
        /* A terminal that is gone is the end of what is typed. */
        if (r == -EIO)
                forward->in.ended = true;
        return r == -EIO ? 0 : r;
}

static int to_output(PtyForward *forward) {
        return drain(&forward->out, STDOUT_FILENO);
}

/* What is waited for now. Files that are always ready have no source for output, and one that always fires for input. */
static int wait_for_more(PtyForward *forward) {
        const bool wants_input = !forward->in.ended && forward->in.size < sizeof(forward->in.bytes);
        int r = sd_event_source_set_enabled(forward->input, wants_input ? SD_EVENT_ON : SD_EVENT_OFF);

        if (r >= 0 && forward->output)
                r = sd_event_source_set_enabled(forward->output,
                                                forward->out.size > 0 ? SD_EVENT_ON : SD_EVENT_OFF);
        /* A side that is hung up is always ready. */
        if (r >= 0 && forward->out.ended)
                r = sd_event_source_set_enabled(forward->master, SD_EVENT_OFF);
        if (r >= 0)
                r = sd_event_source_set_io_events(
                        forward->master, (forward->out.size < sizeof(forward->out.bytes) ? EPOLLIN : 0) |
                                                 (forward->in.size > 0 ? EPOLLOUT : 0));
        return r;
}

static void move(PtyForward *forward) {
        static int (*const steps[])(PtyForward *) = { from_input, to_master, from_master, to_output };
        bool moved = true;
        int r = 0;

        while (r >= 0 && moved) {
                moved = false;
                for (size_t i = 0; r >= 0 && i < ELEMENTSOF(steps); i++) {
                        r = steps[i](forward);
                        moved = moved || r > 0;
                }
        }
        if (r >= 0 && forward->finishing && forward->out.size == 0)
                end(forward, 0);
        if (r >= 0)
                r = wait_for_more(forward);
        if (r < 0)
                end(forward, r);
}

static int on_ready(sd_event_source *source, int fd, uint32_t events, void *userdata) {
        move(userdata);
        return 0;
}

static int on_always_ready(sd_event_source *source, void *userdata) {
        move(userdata);
        return 0;
}

static void copy_size(const PtyForward *forward) {
        struct winsize size;

        if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0)
                (void)ioctl(forward->master_fd, TIOCSWINSZ, &size);
}

static int on_resize(sd_event_source *source, const struct signalfd_siginfo *info, void *userdata) {
        copy_size(userdata);
        return 0;
}

/* Everything that is typed goes through, as bytes: what it means is for the service's terminal to say. */
static int set_raw(PtyForward *forward, unsigned i) {
        const int fd = i == 0 ? STDIN_FILENO : STDOUT_FILENO;
        struct termios raw;

        forward->flags_before[i] = fcntl(fd, F_GETFL);
        if (forward->flags_before[i] < 0 || fcntl(fd, F_SETFL, forward->flags_before[i] | O_NONBLOCK) < 0)
                return -errno;
        if (tcgetattr(fd, &forward->before[i]) < 0)
                return 0;
        forward->is_terminal[i] = true;
        raw = forward->before[i];
        if (i == 0)
                cfmakeraw(&raw);
        else
                raw.c_oflag &= ~(tcflag_t)OPOST;
        return tcsetattr(fd, TCSANOW, &raw) < 0 ? -errno : 0;
}

static int add_sources(PtyForward *forward) {
        int r = sd_event_add_io(forward->event, &forward->master, forward->master_fd, EPOLLIN, on_ready,
                                forward);
        if (r < 0)
                return r;
        r = sd_event_add_io(forward->event, &forward->input, STDIN_FILENO, EPOLLIN, on_ready, forward);
        if (r == -EPERM)
                r = sd_event_add_defer(forward->event, &forward->input, on_always_ready, forward);
        if (r >= 0)
                r = sd_event_source_set_enabled(forward->input, SD_EVENT_ON);
        if (r < 0)
                return r;
        r = sd_event_add_io(forward->event, &forward->output, STDOUT_FILENO, EPOLLOUT, on_ready, forward);
        if (r == -EPERM)
                r = 0;
        if (r >= 0 && forward->output)
                r = sd_event_source_set_enabled(forward->output, SD_EVENT_OFF);
        if (r >= 0)
                r = sd_event_add_signal(forward->event, &forward->resize, SIGWINCH | SD_EVENT_SIGNAL_PROCMASK,
                                        on_resize, forward);
        return r;
}

int pty_forward_new(sd_event *event, int master_fd, void (*on_end)(int r, void *userdata), void *userdata,
                    PtyForward **ret) {
        _cleanup_(pty_forward_freep) PtyForward *forward = calloc(1, sizeof(*forward));

        if (!forward)
                return -ENOMEM;
        forward->event = sd_event_ref(event);
        forward->master_fd = master_fd;
        forward->on_end = on_end;
        forward->userdata = userdata;
        forward->flags_before[0] = forward->flags_before[1] = -1;
        copy_size(forward);
        int r = set_raw(forward, 0);
        if (r >= 0)
                r = set_raw(forward, 1);
        if (r >= 0)
                r = add_sources(forward);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(forward);
        return 0;
}

void pty_forward_finish(PtyForward *forward) {
        forward->finishing = true;
        move(forward);
}

void pty_forward_follow(PtyForward *forward) {
        forward->follows = true;
        move(forward);
}

void pty_forward_free(PtyForward *forward) {
        if (!forward)
                return;
        sd_event_source_disable_unref(forward->input);
        sd_event_source_disable_unref(forward->output);
        sd_event_source_disable_unref(forward->master);
        sd_event_source_disable_unref(forward->resize);
        /* Both may be one terminal, one open file: the first that was asked knows how it was. */
        for (unsigned i = 2; i-- > 0;) {
                const int fd = i == 0 ? STDIN_FILENO : STDOUT_FILENO;

                if (forward->is_terminal[i])
                        (void)tcsetattr(fd, TCSANOW, &forward->before[i]);
                if (forward->flags_before[i] >= 0)
                        (void)fcntl(fd, F_SETFL, forward->flags_before[i]);
        }
        sd_event_unref(forward->event);
        free(forward);
}

int pty_open(int *ret_master_fd, int *ret_fd, char **ret_path) {
        _cleanup_(fd_closep) int master_fd = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK),
                                 fd = -EBADF;
        char path[64];

        if (master_fd < 0 || grantpt(master_fd) < 0 || unlockpt(master_fd) < 0)
                return -errno;
        int r = ptsname_r(master_fd, path, sizeof(path));
        if (r != 0)
                return -r;
        fd = open(path, O_RDWR | O_NOCTTY | O_CLOEXEC);
        if (fd < 0)
                return -errno;
        r = text_copy(path, ret_path);
        if (r < 0)
                return r;
        *ret_master_fd = TAKE_FD(master_fd);
        *ret_fd = TAKE_FD(fd);
        return 0;
}
