/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "base/progress.h"
#include "base/text.h"

#define DETAIL_INTERVAL_NS UINT64_C(100000000)
#define COLUMNS_DEFAULT    80

struct Progress {
        char *doing;
        uint64_t begin_ns, shown_ns;
        bool terminal; /* the line may be rewritten */
};

static uint64_t now_ns(void) {
        struct timespec now;

        (void)clock_gettime(CLOCK_MONOTONIC, &now);
        return (uint64_t)now.tv_sec * UINT64_C(1000000000) + (uint64_t)now.tv_nsec;
}

static double seconds_since(uint64_t begin_ns) {
        return (double)(now_ns() - begin_ns) / 1e9;
}

static unsigned terminal_columns(void) {
        struct winsize size;

        if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) < 0 || size.ws_col == 0)
                return COLUMNS_DEFAULT;
        return size.ws_col;
}

int progress_begin(const char *doing, Progress **ret) {
        Progress *progress = calloc(1, sizeof(*progress));

        if (!progress)
                return -ENOMEM;
        const int r = text_copy(doing, &progress->doing);
        if (r < 0) {
                free(progress);
                return r;
        }

        const char *term = getenv("TERM");
        progress->begin_ns = now_ns();
        /* With debug messages in between, a line that is rewritten would be torn. */
        progress->terminal = isatty(STDERR_FILENO) == 1 && term && !text_equal(term, "dumb") &&
                             log_get_level() == LOG_LEVEL_INFO;
        (void)fprintf(stderr, "‣ %s…%s", doing, progress->terminal ? "" : "\n");

        *ret = progress;
        return 0;
}

void progress_detail(Progress *progress, const char *detail) {
        if (!progress || !progress->terminal)
                return;

        const uint64_t now = now_ns();
        if (now - progress->shown_ns < DETAIL_INTERVAL_NS)
                return;
        progress->shown_ns = now;

        char head[256];
        const int head_length = snprintf(head, sizeof(head), "‣ %s… %.0fs ", progress->doing,
                                         seconds_since(progress->begin_ns));
        const int room = (int)terminal_columns() - MIN(head_length, (int)sizeof(head));

        /* Tools colour and move the cursor: nothing but printable characters gets through. */
        char line[256];
        size_t length = 0;
        for (; *detail && length < sizeof(line) - 1 && (int)length < room; detail++)
                if ((unsigned char)*detail >= 0x20 && (unsigned char)*detail < 0x7f)
                        line[length++] = *detail;
        line[length] = '\0';
        (void)fprintf(stderr, "\r\033[K%s%s", head, line);
}

void progress_end(Progress *progress, bool success) {
        if (!progress)
                return;

        if (success)
                (void)fprintf(stderr, "%s✓ %s, %.1fs\n", progress->terminal ? "\r\033[K" : "",
                              progress->doing, seconds_since(progress->begin_ns));
        else if (progress->terminal)
                (void)fprintf(stderr, "\n");
        free(progress->doing);
        free(progress);
}
