/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/parse.h"
#include "base/progress.h"
#include "base/text.h"

#define NS_PER_S         UINT64_C(1000000000)
#define SHOW_INTERVAL_NS (NS_PER_S / 10)
#define LINE_INTERVAL_NS (10 * NS_PER_S) /* where lines cannot be rewritten */
#define COLUMNS_DEFAULT  80
#define LINE_MAX_BYTES   512

struct Progress {
        bool quiet, terminal; /* nothing for people; the line may be rewritten */
        FILE *json_file;
        JsonWriter json;

        ProgressStep *steps;
        size_t n_steps;

        /* The step under way. */
        char *name, *doing;
        uint64_t begin_ns, shown_ns, sent_ns;
        uint64_t counted_ns, total, done; /* since when what is counted; total 0: nothing is */
        ProgressUnit unit;
        char detail[256];
};

static uint64_t now_ns(void) {
        struct timespec now;

        (void)clock_gettime(CLOCK_MONOTONIC, &now);
        return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

static double seconds_between(uint64_t from_ns, uint64_t to_ns) {
        return (double)(to_ns - from_ns) / (double)NS_PER_S;
}

static unsigned terminal_columns(void) {
        struct winsize size;

        if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) < 0 || size.ws_col == 0)
                return COLUMNS_DEFAULT;
        return size.ws_col;
}

static int open_json(Progress *progress, int json_fd) {
        _cleanup_(fd_closep) int fd = fcntl(json_fd, F_DUPFD_CLOEXEC, 3);

        if (fd < 0)
                return -errno;
        progress->json_file = fdopen(fd, "w");
        if (!progress->json_file)
                return -errno;
        (void)TAKE_FD(fd);
        return 0;
}

int progress_new(const ProgressOptions *options, Progress **ret) {
        _cleanup_(progress_freep) Progress *progress = calloc(1, sizeof(*progress));
        const char *term = getenv("TERM");

        if (!progress)
                return -ENOMEM;
        progress->quiet = options->quiet;
        /* With debug messages in between, a line that is rewritten would be torn. */
        progress->terminal = !options->quiet && isatty(STDERR_FILENO) == 1 && term &&
                             !text_equal(term, "dumb") && log_get_level() <= LOG_LEVEL_INFO;
        if (options->json_fd >= 0) {
                const int r = open_json(progress, options->json_fd);
                if (r < 0)
                        return r;
        }

        *ret = TAKE_PTR(progress);
        return 0;
}

void progress_free(Progress *progress) {
        if (!progress)
                return;
        progress_end(progress, false);
        for (size_t i = 0; i < progress->n_steps; i++)
                free(progress->steps[i].name);
        free(progress->steps);
        if (progress->json_file)
                (void)fclose(progress->json_file);
        free(progress);
}

JsonWriter *progress_event(Progress *progress, const char *event) {
        if (!progress || !progress->json_file)
                return NULL;
        progress->json = (JsonWriter){ .file = progress->json_file, .compact = true };
        json_begin_object(&progress->json, NULL);
        json_text(&progress->json, "event", event);
        return &progress->json;
}

void progress_event_end(Progress *progress) {
        if (!progress || !progress->json_file)
                return;
        json_end_object(&progress->json);
        /* Whoever listens may stop listening: the build goes on. */
        (void)fflush(progress->json_file);
        clearerr(progress->json_file);
}

int progress_begin(Progress *progress, const char *name, const char *doing) {
        JsonWriter *json;

        if (!progress)
                return 0;
        assert(!progress->name);

        _cleanup_(freep) char *name_copy = NULL;
        int r = text_copy(name, &name_copy);
        if (r >= 0)
                r = text_copy(doing, &progress->doing);
        if (r < 0)
                return r;
        progress->name = TAKE_PTR(name_copy);
        progress->begin_ns = now_ns();
        progress->total = progress->done = 0;
        progress->detail[0] = '\0';
        progress->shown_ns = progress->terminal ? 0 : progress->begin_ns;

        if (!progress->quiet)
                (void)fprintf(stderr, "‣ %s…%s", doing, progress->terminal ? "" : "\n");
        json = progress_event(progress, "step-begin");
        if (json) {
                json_text(json, "step", name);
                json_text(json, "text", doing);
                progress_event_end(progress);
        }
        return 0;
}

static void remember(Progress *progress, double seconds) {
        ProgressStep *more = reallocarray(progress->steps, progress->n_steps + 1, sizeof(*more));

        if (!more)
                return; /* it is missing in a table, no more */
        progress->steps = more;
        more[progress->n_steps++] = (ProgressStep){ .name = TAKE_PTR(progress->name), .seconds = seconds };
}

void progress_end(Progress *progress, bool success) {
        JsonWriter *json;

        if (!progress || !progress->name)
                return;

        const double seconds = seconds_between(progress->begin_ns, now_ns());
        if (success && !progress->quiet)
                (void)fprintf(stderr, "%s✓ %s, %.1fs\n", progress->terminal ? "\r\033[K" : "",
                              progress->doing, seconds);
        else if (progress->terminal)
                (void)fprintf(stderr, "\n");
        json = progress_event(progress, "step-end");
        if (json) {
                json_text(json, "step", progress->name);
                json_real(json, "seconds", seconds);
                json_bool(json, "success", success);
                progress_event_end(progress);
        }

        if (success)
                remember(progress, seconds);
        free(TAKE_PTR(progress->name));
        free(TAKE_PTR(progress->doing));
}

const ProgressStep *progress_steps(const Progress *progress, size_t *ret_n) {
        *ret_n = progress ? progress->n_steps : 0;
        return progress ? progress->steps : NULL;
}

static void format_amount(ProgressUnit unit, uint64_t amount, char text[static 24]) {
        if (unit == PROGRESS_BYTES)
                size_format_rounded(amount, text);
        else
                (void)snprintf(text, 24, "%llu", (unsigned long long)amount);
}

/* "430.0M of 1.0G (42%), 98.0M/s, 6s left" */
static void format_counted(const Progress *progress, uint64_t now, char *text, size_t size) {
        const double seconds = seconds_between(progress->counted_ns, now);
        char done[24], total[24], rate[24];

        text[0] = '\0';
        if (progress->total == 0)
                return;
        format_amount(progress->unit, progress->done, done);
        format_amount(progress->unit, progress->total, total);
        const int n =
                snprintf(text, size, "%s of %s (%.0f%%)", done, total,
                         100.0 * (double)MIN(progress->done, progress->total) / (double)progress->total);
        /* A rate that was measured over less than that says nothing. */
        if (n < 0 || (size_t)n >= size || seconds < 0.5 || progress->done == 0)
                return;

        const double per_second = (double)progress->done / seconds;
        const uint64_t left = progress->total > progress->done ? progress->total - progress->done : 0;
        format_amount(progress->unit, (uint64_t)per_second, rate);
        (void)snprintf(text + n, size - (size_t)n, ", %s/s, %.0fs left", rate, (double)left / per_second);
}

/* Tools colour and move the cursor: nothing but printable characters gets through. */
static void set_detail(Progress *progress, const char *detail) {
        size_t length = 0;

        for (; *detail && length < sizeof(progress->detail) - 1; detail++)
                if ((unsigned char)*detail >= 0x20 && (unsigned char)*detail < 0x7f)
                        progress->detail[length++] = *detail;
        progress->detail[length] = '\0';
}

static void show_line(Progress *progress, uint64_t now) {
        char counted[128], line[LINE_MAX_BYTES];

        if (now - progress->shown_ns < (progress->terminal ? SHOW_INTERVAL_NS : LINE_INTERVAL_NS))
                return;
        progress->shown_ns = now;
        format_counted(progress, now, counted, sizeof(counted));

        if (!progress->terminal) {
                if (counted[0])
                        (void)fprintf(stderr, "  %s\n", counted);
                return;
        }
        (void)snprintf(line, sizeof(line), "%s… %.0fs %s%s%s", progress->doing,
                       seconds_between(progress->begin_ns, now), counted,
                       counted[0] && progress->detail[0] ? " " : "", progress->detail);

        /* The mark and its blank take two columns; the ellipsis has two bytes more than columns. */
        const unsigned columns = terminal_columns();
        (void)fprintf(stderr, "\r\033[K‣ %.*s", columns > 3 ? (int)columns - 3 + 2 : 0, line);
}

static void send_line(Progress *progress, uint64_t now) {
        JsonWriter *json;

        if (!progress->json_file || now - progress->sent_ns < SHOW_INTERVAL_NS)
                return;
        progress->sent_ns = now;
        json = progress_event(progress, "progress");
        json_text(json, "step", progress->name);
        if (progress->total > 0) {
                json_text(json, "unit", progress->unit == PROGRESS_BYTES ? "bytes" : "items");
                json_number(json, "done", progress->done);
                json_number(json, "total", progress->total);
                json_real(json, "seconds", seconds_between(progress->counted_ns, now));
        }
        if (progress->detail[0])
                json_text(json, "detail", progress->detail);
        progress_event_end(progress);
}

static void show(Progress *progress) {
        const uint64_t now = now_ns();

        if (!progress->quiet)
                show_line(progress, now);
        send_line(progress, now);
}

void progress_expect(Progress *progress, ProgressUnit unit, uint64_t amount) {
        if (!progress)
                return;
        progress->unit = unit;
        progress->total = amount;
        progress->done = 0;
        progress->counted_ns = now_ns();
}

void progress_advance(Progress *progress, uint64_t amount) {
        if (!progress || !progress->name)
                return;
        progress->done += amount;
        if (progress->total > 0)
                show(progress);
}

void progress_detail(Progress *progress, const char *detail) {
        if (!progress || !progress->name)
                return;
        set_detail(progress, detail);
        show(progress);
}

void progress_output(Progress *progress, const char *line) {
        JsonWriter *json;

        if (!progress)
                return;
        if (!progress->quiet) {
                _cleanup_(freep) char *tame = NULL;

                if (text_copy(line, &tame) < 0)
                        return;
                for (char *c = tame; *c; c++)
                        if (*c == '\t')
                                *c = ' ';
                text_tame(tame);
                (void)fprintf(stderr, "%s%s\n", progress->terminal ? "\r\033[K" : "", tame);
        }
        json = progress_event(progress, "output");
        if (!json)
                return;
        json_text(json, "step", progress->name ? progress->name : "");
        json_text(json, "line", line);
        progress_event_end(progress);
}

void progress_release(Progress *progress) {
        if (progress && progress->terminal)
                (void)fputc('\n', stderr);
}

void progress_print(Progress *progress, const char *format, ...) {
        va_list arguments;

        if (!progress || progress->quiet)
                return;
        va_start(arguments, format);
        (void)vfprintf(stderr, format, arguments);
        va_end(arguments);
        (void)fputc('\n', stderr);
}
