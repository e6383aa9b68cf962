/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/open-careful.h"
#include "base/strv.h"
#include "base/text.h"
#include "exec/exec-data.h"
#include "exec/exec-stdio.h"
#include "unit/exec-status.h"
#include "unit/specifier.h"

#define TERMINAL_DEFAULT "/dev/console"
#define TERMINAL_MODE    0620
#define FILE_MODE        0666
#define LOG_MODE         0600
#define N_STREAMS        3

/* What a stream may be. */
typedef enum StreamKind {
        STREAM_NULL,
        STREAM_TERMINAL,
        STREAM_FILE,
        STREAM_APPEND,
        STREAM_TRUNCATE,
        STREAM_LOG,
        STREAM_INHERIT,
        STREAM_DESCRIPTOR,
        STREAM_DATA,
        STREAM_NO_SOCKET, /* what only a socket unit can give */
} StreamKind;

typedef struct StreamRow {
        const char *word; /* with a colon at its end: a path follows */
        StreamKind kind;
        bool input, output;
} StreamRow;

/* clang-format off */
static const StreamRow rows[] = {
        { "null",            STREAM_NULL,       true,  true },
        { "tty",             STREAM_TERMINAL,   true,  true },
        { "tty-force",       STREAM_TERMINAL,   true,  false },
        { "tty-fail",        STREAM_TERMINAL,   true,  false },
        { "fd",              STREAM_DESCRIPTOR, true,  true },
        { "fd:",             STREAM_NO_SOCKET,  true,  true },
        { "socket",          STREAM_NO_SOCKET,  true,  true },
        { "data",            STREAM_DATA,       true,  false },
        { "file:",           STREAM_FILE,       true,  true },
        { "append:",         STREAM_APPEND,     false, true },
        { "truncate:",       STREAM_TRUNCATE,   false, true },
        { "inherit",         STREAM_INHERIT,    false, true },
        { "journal",         STREAM_LOG,        false, true },
        { "syslog",          STREAM_LOG,        false, true },
        { "kmsg",            STREAM_LOG,        false, true },
        { "journal+console", STREAM_LOG,        false, true },
        { "syslog+console",  STREAM_LOG,        false, true },
        { "kmsg+console",    STREAM_LOG,        false, true },
};
/* clang-format on */

static const char *const stream_settings[N_STREAMS] = { "StandardInput", "StandardOutput", "StandardError" };
static const int stream_exits[N_STREAMS] = { EXEC_EXIT_STDIN, EXEC_EXIT_STDOUT, EXEC_EXIT_STDERR };

typedef struct Stream {
        StreamKind kind;
        char *path; /* of files */
        int fd;
} Stream;

typedef struct Streams {
        const ExecContext *context;
        const UnitSettings *settings;
        const ExecIdentity *identity;
        Stream items[N_STREAMS];
} Streams;

static void streams_done(Streams *streams) {
        for (size_t i = 0; i < N_STREAMS; i++) {
                free(streams->items[i].path);
                (void)fd_close(streams->items[i].fd);
        }
}

/* What follows the word, or NULL when it is another one. */
static const char *word_match(const char *text, const char *word) {
        const char *const rest = text_after_prefix(text, word);

        return !rest || text_ends_with(word, ":") || rest[0] == '\0' ? rest : NULL;
}

static int stream_read(Streams *streams, size_t index, const char *text, Reason *reason) {
        Stream *const stream = &streams->items[index];

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                const char *const rest = word_match(text, rows[i].word);

                if (!rest || !(index == STDIN_FILENO ? rows[i].input : rows[i].output))
                        continue;
                stream->kind = rows[i].kind;
                if (stream->kind == STREAM_NO_SOCKET)
                        return reason_set(
                                reason, -EOPNOTSUPP,
                                "%s=%s: no socket unit hands descriptors to this service, and there "
                                "are no socket units yet",
                                stream_settings[index], text);
                if (stream->kind != STREAM_FILE && stream->kind != STREAM_APPEND &&
                    stream->kind != STREAM_TRUNCATE)
                        return 0;
                const int r = specifier_expand(rest, streams->context->unit, &stream->path, reason);
                if (r >= 0 && stream->path[0] != '/')
                        return reason_set(reason, -EINVAL, "%s=%s: the path is not absolute",
                                          stream_settings[index], text);
                return r;
        }
        return reason_set(reason, -EINVAL, "%s=%s: there is nothing of this name", stream_settings[index],
                          text);
}

static bool has_data(const UnitSettings *settings) {
        return strv_length(STRV(settings->standard_input_text)) > 0 ||
               strv_length(STRV(settings->standard_input_data)) > 0;
}

/* What is not said: the data if there are any, else nothing to read, and the log, or where output goes. */
static int stream_plan(Streams *streams, size_t index, Reason *reason) {
        const UnitSettings *const settings = streams->settings;
        const char *const texts[N_STREAMS] = {
                settings->standard_input,
                settings->standard_output,
                settings->standard_error,
        };
        static const StreamKind defaults[N_STREAMS] = { STREAM_NULL, STREAM_LOG, STREAM_INHERIT };

        if (!text_is_empty(texts[index]))
                return stream_read(streams, index, texts[index], reason);
        streams->items[index].kind =
                index == STDIN_FILENO && has_data(settings) ? STREAM_DATA : defaults[index];
        return 0;
}

static int open_path(const char *path, int flags) {
        const int fd = open(path, flags | O_NOCTTY | O_CLOEXEC, FILE_MODE);

        return fd < 0 ? -errno : fd;
}

/* A socket at the path is connected to. */
static int connect_path(const char *path, Reason *reason) {
        _cleanup_(fd_closep) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0),
                                 node = open_careful(path, O_PATH, 0, reason);
        struct sockaddr_un address = { .sun_family = AF_UNIX };

        if (node < 0)
                return node;
        if (fd < 0)
                return -errno;
        (void)snprintf(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d", node);
        return connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0 ? -errno : TAKE_FD(fd);
}

/* Files that input and output share are opened once, for both. New ones have the permissions that UMask= leaves. Root opens
 * them, where users may have made links. */
static int open_file(const Streams *streams, size_t index, Reason *reason) {
        static const int flags[] = {
                [STREAM_FILE] = 0,
                [STREAM_APPEND] = O_APPEND,
                [STREAM_TRUNCATE] = O_TRUNC,
        };
        const Stream *const stream = &streams->items[index];
        int access = index == STDIN_FILENO ? O_RDONLY : O_WRONLY | O_CREAT;

        for (size_t i = 0; i < index; i++)
                if (streams->items[i].path && text_equal(streams->items[i].path, stream->path) &&
                    (i != STDIN_FILENO || stream->kind == STREAM_FILE))
                        return fcntl(streams->items[i].fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
        for (size_t i = index + 1; index == STDIN_FILENO && i < N_STREAMS; i++)
                if (streams->items[i].kind == STREAM_FILE && text_equal(streams->items[i].path, stream->path))
                        access = O_RDWR | O_CREAT;

        const mode_t before = umask(streams->settings->umask.set ? streams->settings->umask.bits : 0022);
        int fd = open_careful(stream->path, access | flags[stream->kind] | O_NOCTTY, FILE_MODE, reason);
        if (fd == -ENXIO)
                fd = connect_path(stream->path, reason);
        (void)umask(before);
        return fd;
}

/* Reading and writing, so that there is a reader always: nobody gets SIGPIPE while the manager is away. */
static int open_log(const Streams *streams) {
        _cleanup_(fd_closep) int fd = -EBADF;
        struct stat status;

        if (!streams->context->log)
                return open_path("/dev/null", O_WRONLY);
        fd = open_path(streams->context->log, O_RDWR | O_NOFOLLOW);
        if (fd < 0)
                return fd;
        if (fstat(fd, &status) < 0)
                return -errno;
        if (!S_ISFIFO(status.st_mode))
                return -EINVAL;
        if (fchown(fd, streams->identity->uid, streams->identity->gid) < 0 || fchmod(fd, LOG_MODE) < 0)
                return -errno;
        return TAKE_FD(fd);
}

static int open_terminal(const Streams *streams) {
        _cleanup_(fd_closep) int fd =
                open_path(streams->settings->tty_path ? streams->settings->tty_path : TERMINAL_DEFAULT,
                          O_RDWR);

        if (fd < 0)
                return fd;
        return isatty(fd) ? TAKE_FD(fd) : -ENOTTY;
}

static int open_descriptor(const Streams *streams, size_t index) {
        const int given = streams->context->descriptors.standard[index];

        if (given < 0)
                return -EBADF;
        const int fd = fcntl(given, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
        return fd < 0 ? -errno : fd;
}

/* Error is where output is, and output where input is, unless there is nothing there. */
static int open_inherited(const Streams *streams, size_t index) {
        const Stream *const source = &streams->items[index - 1];

        if (index == STDOUT_FILENO && source->kind == STREAM_NULL)
                return open_path("/dev/null", O_WRONLY);
        const int fd = fcntl(source->fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
        return fd < 0 ? -errno : fd;
}

static int stream_open(const Streams *streams, size_t index, Reason *reason) {
        switch (streams->items[index].kind) {
        case STREAM_NULL:
                return open_path("/dev/null", index == STDIN_FILENO ? O_RDONLY : O_WRONLY);
        case STREAM_TERMINAL:
                return open_terminal(streams);
        case STREAM_FILE:
        case STREAM_APPEND:
        case STREAM_TRUNCATE:
                return open_file(streams, index, reason);
        case STREAM_LOG:
                return open_log(streams);
        case STREAM_INHERIT:
                return open_inherited(streams, index);
        case STREAM_DESCRIPTOR:
                return open_descriptor(streams, index);
        case STREAM_DATA:
                return exec_data_open(streams->context, streams->settings, reason);
        case STREAM_NO_SOCKET:
                break;
        }
        return -EINVAL;
}

/* The user may open it again, by its name; and signals of the keyboard come to the service. Only the terminal that was asked
 * for: what a client gave for its own streams stays its own. */
static int take_terminal(const Streams *streams, int fd) {
        const char *const wanted = streams->settings->standard_input;
        const int force = wanted && text_equal(wanted, "tty-force");

        /* Of a command beside the main process the main process has it. */
        if (ioctl(fd, TIOCSCTTY, force) < 0 && !(errno == EPERM && streams->context->control))
                return -errno;
        return fchown(fd, streams->identity->uid, (gid_t)-1) < 0 || fchmod(fd, TERMINAL_MODE) < 0 ? -errno
                                                                                                  : 0;
}

/* Not into a place that one of them still has. */
static int streams_open(Streams *streams, int *ret_exit, Reason *reason) {
        for (size_t i = 0; i < N_STREAMS; i++) {
                _cleanup_(reason_done) Reason why = {};
                Stream *const stream = &streams->items[i];
                int fd = stream_open(streams, i, &why);

                if (fd >= 0 && fd <= STDERR_FILENO) {
                        const int higher = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);

                        (void)fd_close(fd);
                        fd = higher < 0 ? -EMFILE : higher;
                }
                if (fd < 0) {
                        *ret_exit = stream_exits[i];
                        return reason_set(reason, fd, "Cannot open %s for %s=: %s",
                                          stream->path ? stream->path
                                          : stream->kind == STREAM_LOG && streams->context->log
                                                  ? streams->context->log
                                          : stream->kind == STREAM_TERMINAL ? "the terminal"
                                                                            : "what was given",
                                          stream_settings[i], reason_text(&why, fd));
                }
                stream->fd = fd;
        }
        return 0;
}

int exec_stdio_set(const ExecContext *context, const UnitSettings *settings, const ExecIdentity *identity,
                   bool *ret_terminal, int *ret_exit, Reason *reason) {
        _cleanup_(streams_done) Streams streams = {
                .context = context,
                .settings = settings,
                .identity = identity,
                .items = { { .fd = -EBADF }, { .fd = -EBADF }, { .fd = -EBADF } },
        };

        for (size_t i = 0; i < N_STREAMS; i++) {
                const int r = stream_plan(&streams, i, reason);
                if (r < 0) {
                        *ret_exit = stream_exits[i];
                        return r;
                }
        }
        int r = streams_open(&streams, ret_exit, reason);
        if (r < 0)
                return r;
        for (int i = 0; i < N_STREAMS; i++)
                if (dup2(streams.items[i].fd, i) < 0) {
                        *ret_exit = stream_exits[i];
                        return reason_set(reason, -errno, "Cannot put %s= into place: %m",
                                          stream_settings[i]);
                }
        *ret_terminal = isatty(STDIN_FILENO);
        if (*ret_terminal && streams.items[STDIN_FILENO].kind == STREAM_TERMINAL)
                r = take_terminal(&streams, STDIN_FILENO);
        if (r < 0) {
                *ret_exit = EXEC_EXIT_STDIN;
                return reason_set(reason, r, "Cannot take the terminal for StandardInput=: %m");
        }
        return 0;
}
