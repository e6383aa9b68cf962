/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/interrupt.h"
#include "base/terminal.h"

bool terminal_is_there(void) {
        return isatty(STDIN_FILENO) == 1;
}

/* Messages may go elsewhere; terminals are open both ways. */
static int say(const char *text) {
        return fd_write_all(isatty(STDERR_FILENO) == 1 ? STDERR_FILENO : STDIN_FILENO, text, strlen(text));
}

/* One byte, so that nothing is taken of the line that follows. 0 at the end of the input. */
static int read_byte(uint8_t *byte) {
        struct pollfd events[] = {
                { .fd = STDIN_FILENO, .events = POLLIN },
                { .fd = interrupt_fd(), .events = POLLIN }, /* poll() passes over what is negative */
        };

        for (;;) {
                int r = interrupt_check();
                if (r < 0)
                        return r;
                if (poll(events, ELEMENTSOF(events), -1) < 0) {
                        if (errno == EINTR)
                                continue;
                        return -errno;
                }
                if (events[0].revents == 0)
                        continue;
                const ssize_t n = read(STDIN_FILENO, byte, 1);
                if (n >= 0)
                        return (int)n;
                if (errno != EINTR)
                        return -errno;
        }
}

/* To the end of the line, also behind what is too much. */
static int read_line(Secret *line) {
        bool too_long = false;

        for (;;) {
                uint8_t byte = 0;

                const int r = read_byte(&byte);
                if (r < 0)
                        return r;
                if (r == 0 && line->size == 0)
                        return -ENODATA;
                if (r == 0 || byte == '\n')
                        return too_long ? -EMSGSIZE : 0;
                if (line->size == line->capacity)
                        too_long = true;
                else
                        line->bytes[line->size++] = byte;
        }
}

int terminal_hush(TerminalHush *ret) {
        struct termios before, quiet;

        if (!terminal_is_there())
                return 0;
        if (tcgetattr(STDIN_FILENO, &before) < 0)
                return -errno;
        quiet = before;
        quiet.c_lflag &= ~(tcflag_t)(ECHO | ECHOE | ECHOK | ECHONL);
        quiet.c_lflag |= ICANON | ISIG;
        quiet.c_iflag |= ICRNL;
        if (tcsetattr(STDIN_FILENO, TCSADRAIN, &quiet) < 0)
                return -errno;
        *ret = (TerminalHush){ .active = true, .before = before };
        return 0;
}

void terminal_hush_done(TerminalHush *hush) {
        if (hush->active)
                (void)tcsetattr(STDIN_FILENO, TCSADRAIN, &hush->before);
        hush->active = false;
}

int terminal_ask_secret(const char *question, size_t size_max, Secret **ret) {
        _cleanup_(secret_freep) Secret *line = NULL;
        _cleanup_(terminal_hush_done) TerminalHush hush = {};

        assert(question && ret && size_max > 0);

        if (!terminal_is_there())
                return -ENOTTY;
        int r = secret_new(size_max, &line);
        if (r < 0)
                return r;
        r = terminal_hush(&hush);
        if (r >= 0)
                r = say(question);
        if (r >= 0)
                r = read_line(line);
        (void)say("\n");
        if (r < 0)
                return r;

        *ret = TAKE_PTR(line);
        return 0;
}
