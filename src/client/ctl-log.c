/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <time.h>
#include <systemd/sd-bus.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/strv.h"
#include "base/text.h"
#include "base/time-span.h"
#include "base/time-stamp.h"
#include "client/ctl.h"
#include "log/log-store.h"
#include "unit/runtime-paths.h"
#include "unit/unit-name.h"

#define LINES_BEFORE 10 /* that --follow shows of what was said */

static int print_record(const LogRecord *record, void *userdata) {
        const CtlOptions *options = userdata;

        return log_record_print(record, options->json ? LOG_JSON : (LogFormat)options->output, stdout);
}

static int complete_all(const CtlOptions *options, char ***ret) {
        for (char **unit = options->units; unit && *unit; unit++) {
                _cleanup_(freep) char *name = NULL;

                int r = unit_name_complete(*unit, &name);
                if (r == -EINVAL)
                        return log_error(r, "--unit=%s is no name of a unit", *unit);
                if (r >= 0)
                        r = strv_take(ret, TAKE_PTR(name));
                if (r < 0)
                        return r;
        }
        return 0;
}

/* "err", "3": this and what is more important, as a number of priorities. */
static int parse_priority(const char *text, unsigned *ret) {
        static const char *const words[] = { "emerg",   "alert",  "crit", "err",
                                             "warning", "notice", "info", "debug" };

        for (unsigned i = 0; i < ELEMENTSOF(words); i++)
                if (text_equal(words[i], text) || (text[0] == (char)('0' + i) && text[1] == '\0')) {
                        *ret = i + 1;
                        return 0;
                }
        return log_error(
                -EINVAL,
                "\"%s\" is no priority: say emerg, alert, crit, err, warning, notice, info, debug, or 0 to 7",
                text);
}

static int parse_time(const char *option, const char *text, uint64_t *ret) {
        struct timespec now;

        if (!text)
                return 0;
        (void)clock_gettime(CLOCK_REALTIME, &now);
        const int r =
                time_stamp_parse(text, (uint64_t)now.tv_sec * SECOND_USEC + (uint64_t)now.tv_nsec / 1000,
                                 ret);
        return r < 0 ? log_error(r, "%s=%s is no time: say \"2026-11-26 12:30\", today or \"5min ago\"",
                                 option, text)
                     : 0;
}

static int set_query(const CtlOptions *options, LogQuery *query) {
        if (options->follow && options->reverse)
                return log_error(-EINVAL, "--follow and --reverse exclude each other");
        query->follow = options->follow;
        query->hangup_fd = STDOUT_FILENO;
        query->reverse = options->reverse;
        query->n_last = options->lines == UINT_MAX && options->follow ? LINES_BEFORE
                        : options->lines >= UINT_MAX - 1              ? SIZE_MAX
                                                                      : options->lines;
        int r = options->priority ? parse_priority(options->priority, &query->n_priorities) : 0;
        if (r >= 0)
                r = parse_time("--since", options->since, &query->since_usec);
        return r < 0 ? r : parse_time("--until", options->until, &query->until_usec);
}

static int add_matches(const CtlOptions *options, char *const *words, char ***ret) {
        _cleanup_(freep) char *id = NULL;

        for (char *const *word = words; *word; word++)
                if (!strchr(*word, '=') || (*word)[0] == '=')
                        return log_error(-EINVAL, "\"%s\" is no match: say FIELD=VALUE", *word);
        int r = strv_copy(STRV(words), ret);
        if (r < 0 || !options->boot)
                return r;
        r = file_read(AT_FDCWD, "/proc/sys/kernel/random/boot_id", 64, &id, NULL);
        if (r < 0)
                return log_error(r, "Cannot find out which boot this is: %m");
        size_t n = 0;
        for (const char *from = id; *from; from++)
                if (strchr("0123456789abcdef", *from))
                        id[n++] = *from;
        id[n] = '\0';
        return strv_append_format(ret, "_BOOT_ID=%s", id);
}

int ctl_log(const CtlOptions *options, sd_bus *bus, char *const *words) {
        _cleanup_(strv_freep) char **units = NULL, **matches = NULL;
        _cleanup_(freep) char *directory = NULL;
        _cleanup_(reason_done) Reason reason = {};
        LogQuery query = {};

        int r = set_query(options, &query);
        if (r >= 0)
                r = add_matches(options, words, &matches);
        if (r >= 0)
                r = complete_all(options, &units);
        if (r >= 0)
                r = text_format(&directory, "%s/log", options->runtime ?: RUNTIME_DIRECTORY);
        if (r < 0)
                return r;
        query.units = STRV(units);
        query.matches = STRV(matches);
        if (query.follow)
                (void)setvbuf(stdout, NULL, _IOLBF, 0);
        r = log_store_read(directory, &query, print_record, (void *)options, &reason);
        if (r == -ENOENT)
                return log_error(r, "There is no log in %s: nothing has run yet", directory);
        return r < 0 ? log_error(r, "Cannot read the log: %s", reason_text(&reason, r)) : 0;
}
