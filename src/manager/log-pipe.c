/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <systemd/sd-event.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/time-stamp.h"
#include "manager/log-pipe.h"
#include "manager/log-rate.h"
#include "manager/unit-log.h"

#define LINE_SIZE_MAX  (48 * KIB) /* as journald cuts them */
#define READ_SIZE      (16 * KIB)
#define READS_PER_TURN 4  /* others have something to say as well */
#define READS_AT_END   64 /* more than a pipe holds: whoever still writes does not hold us up */

struct LogPipe {
        ManagedUnit *unit;
        int fd;
        sd_event_source *source;
        char *pending; /* the beginning of a line; NULL: none */
        size_t n_pending;
        LogRate rate;
};

static int pending_add(LogPipe *pipe, const char *data, size_t size) {
        if (size == 0)
                return 0;
        char *const pending = realloc(pipe->pending, pipe->n_pending + size);
        if (!pending)
                return -ENOMEM;
        memcpy(pending + pipe->n_pending, data, size);
        pipe->pending = pending;
        pipe->n_pending += size;
        return 0;
}

static void tell_dropped(LogPipe *pipe, uint64_t n_dropped) {
        if (n_dropped > 0)
                unit_log_with(pipe->unit, LOG_WARNING, (.id = MESSAGE_DROPPED),
                              "Suppressed %" PRIu64 " messages from %s", n_dropped, pipe->unit->name);
}

static void say(LogPipe *pipe, const char *line, size_t size, bool is_whole) {
        const UnitSettings *const settings = managed_unit_settings(pipe->unit);
        uint64_t n_dropped;

        const bool taken = log_rate_take(&pipe->rate, settings, time_monotonic(), &n_dropped);
        tell_dropped(pipe, n_dropped);
        if (taken)
                unit_log_line(pipe->unit, line, size, is_whole);
}

static void pending_flush(LogPipe *pipe, bool is_whole) {
        say(pipe, pipe->pending, pipe->n_pending, is_whole);
        free(pipe->pending);
        pipe->pending = NULL;
        pipe->n_pending = 0;
}

static void take_line(LogPipe *pipe, const char *data, size_t size) {
        if (!pipe->pending)
                say(pipe, data, size, true);
        else if (pending_add(pipe, data, size) >= 0)
                pending_flush(pipe, true);
}

static void take(LogPipe *pipe, const char *data, size_t size) {
        while (size > 0) {
                const char *const end = memchr(data, '\n', size);

                if (!end) {
                        (void)pending_add(pipe, data, size);
                        if (pipe->n_pending >= LINE_SIZE_MAX)
                                pending_flush(pipe, false);
                        return;
                }
                take_line(pipe, data, (size_t)(end - data));
                size -= (size_t)(end - data) + 1;
                data = end + 1;
        }
}

static void read_some(LogPipe *pipe, unsigned n_reads) {
        char data[READ_SIZE];

        for (unsigned i = 0; i < n_reads; i++) {
                const ssize_t n = read(pipe->fd, data, sizeof(data));
                if (n <= 0)
                        return;
                if (pipe->unit->manager->log)
                        log_store_ask_anew(pipe->unit->manager->log);
                take(pipe, data, (size_t)n);
                if ((size_t)n < sizeof(data))
                        return;
        }
}

static int on_readable(sd_event_source *source, int fd, uint32_t events, void *userdata) {
        read_some(userdata, READS_PER_TURN);
        return 0;
}

void log_pipe_read(LogPipe *pipe) {
        if (pipe)
                read_some(pipe, READS_AT_END);
}

/* Of whoever may write to it: nothing but a FIFO is opened there. */
static int fifo_open(const char *path) {
        _cleanup_(fd_closep) int fd = -EBADF;
        struct stat status;

        if (mkfifo(path, 0600) < 0 && errno != EEXIST)
                return -errno;
        /* Open for writing as well it has no end, whoever comes and goes. */
        fd = open(path, O_RDWR | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0 || fstat(fd, &status) < 0)
                return -errno;
        return S_ISFIFO(status.st_mode) ? TAKE_FD(fd) : -EINVAL;
}

int log_pipe_open(ManagedUnit *unit, const char *path, LogPipe **ret) {
        LogPipe *const pipe = calloc(1, sizeof(LogPipe));

        if (!pipe)
                return -ENOMEM;
        pipe->unit = unit;
        pipe->fd = fifo_open(path);
        int r = pipe->fd;
        if (r >= 0)
                r = sd_event_add_io(unit->manager->event, &pipe->source, pipe->fd, EPOLLIN, on_readable,
                                    pipe);
        if (r >= 0)
                r = sd_event_source_set_priority(pipe->source, PRIORITY_LOG);
        if (r < 0) {
                sd_event_source_disable_unref(pipe->source);
                (void)fd_close(pipe->fd);
                free(pipe);
                return r;
        }
        *ret = pipe;
        return 0;
}

void log_pipe_free(LogPipe *pipe) {
        if (!pipe)
                return;
        read_some(pipe, READS_AT_END);
        if (pipe->pending)
                pending_flush(pipe, true);
        tell_dropped(pipe, pipe->rate.n_dropped);
        sd_event_source_disable_unref(pipe->source);
        (void)fd_close(pipe->fd);
        free(pipe);
}
