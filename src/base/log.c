/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/interrupt.h"
#include "base/log.h"
#include "base/text.h"

static LogLevel log_level = LOG_LEVEL_INFO;
static const char *log_name = "mkosi";

void log_set_name(const char *name) {
        log_name = name;
}

void log_set_level(LogLevel level) {
        log_level = level;
}

LogLevel log_get_level(void) {
        return log_level;
}

bool log_coloured(void) {
        const char *no_color = getenv("NO_COLOR");
        const char *term = getenv("TERM");

        if (no_color && no_color[0] != '\0')
                return false;
        if (!term || strcmp(term, "dumb") == 0)
                return false;
        return isatty(STDERR_FILENO) == 1;
}

static _printf_(4, 0) void log_print(LogLevel level, bool plain, int r, const char *format,
                                     va_list arguments) {
        static const struct {
                const char *word, *colour;
        } styles[] = {
                [LOG_LEVEL_ERROR] = { "error: ", "\033[1;31m" },
                [LOG_LEVEL_WARNING] = { "warning: ", "\033[1;33m" },
                [LOG_LEVEL_INFO] = { "", "" },
                [LOG_LEVEL_DEBUG] = { "debug: ", "\033[2m" },
        };
        char line[8192];

        if (level > log_level)
                return;

        errno = -r;
        (void)vsnprintf(line, sizeof(line), format, arguments);

        /* Messages quote file names and what tools print: nothing of it is to reach the terminal as a command. */
        for (char *c = line; *c;) {
                const size_t length = *c == '\n' || *c == '\t' ? 1 : text_tame_length(c);

                if (length == 0)
                        *c = '?';
                c += MAX(length, (size_t)1);
        }

        /* One write for the whole line, so that lines of several processes do not mix. */
        const bool coloured = log_coloured();
        (void)fprintf(stderr, "%s: %s%s%s%s\n", log_name, coloured && !plain ? styles[level].colour : "",
                      plain ? "" : styles[level].word, coloured && !plain ? "\033[0m" : "", line);
}

int log_error(int r, const char *format, ...) {
        va_list arguments;

        /* What an interrupt cut short did not fail: main says once what happened. */
        if (r == -EINTR && interrupt_check() < 0)
                return r;
        va_start(arguments, format);
        log_print(LOG_LEVEL_ERROR, false, r, format, arguments);
        va_end(arguments);
        return r;
}

void log_error_detail(const char *format, ...) {
        va_list arguments;

        va_start(arguments, format);
        log_print(LOG_LEVEL_ERROR, true, 0, format, arguments);
        va_end(arguments);
}

void log_warning(const char *format, ...) {
        va_list arguments;

        va_start(arguments, format);
        log_print(LOG_LEVEL_WARNING, false, 0, format, arguments);
        va_end(arguments);
}

void log_info(const char *format, ...) {
        va_list arguments;

        va_start(arguments, format);
        log_print(LOG_LEVEL_INFO, true, 0, format, arguments);
        va_end(arguments);
}

void log_debug(const char *format, ...) {
        va_list arguments;

        va_start(arguments, format);
        log_print(LOG_LEVEL_DEBUG, false, 0, format, arguments);
        va_end(arguments);
}
