/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "base/time-span.h"

#define MSEC   UINT64_C(1000)
#define SEC    SECOND_USEC
#define MINUTE (60 * SEC)
#define HOUR   (60 * MINUTE)
#define DAY    (24 * HOUR)
#define WEEK   (7 * DAY)
#define MONTH  (UINT64_C(2629800) * SEC)  /* 30.44 days */
#define YEAR   (UINT64_C(31557600) * SEC) /* 365.25 days */

#define BLANKS          " \t\n"
#define FRACTION_DIGITS 6

typedef struct TimeUnit {
        const char *name;
        uint64_t usec;
} TimeUnit;

/* Of those that are equally long, the first is what is printed. */
/* clang-format off */
static const TimeUnit units[] = {
        { "y", YEAR },       { "year", YEAR },     { "years", YEAR },
        { "month", MONTH },  { "months", MONTH },  { "M", MONTH },
        { "w", WEEK },       { "week", WEEK },     { "weeks", WEEK },
        { "d", DAY },        { "day", DAY },       { "days", DAY },
        { "h", HOUR },       { "hour", HOUR },     { "hours", HOUR },   { "hr", HOUR },
        { "min", MINUTE },   { "minute", MINUTE }, { "minutes", MINUTE }, { "m", MINUTE },
        { "s", SEC },        { "sec", SEC },       { "second", SEC },   { "seconds", SEC }, { "", SEC },
        { "ms", MSEC },      { "msec", MSEC },
        { "us", 1 },         { "usec", 1 },        { "µs", 1 },         { "μs", 1 },
};
/* clang-format on */

static const TimeUnit *unit_find(const char *name, size_t length) {
        for (size_t i = 0; i < ELEMENTSOF(units); i++)
                if (strlen(units[i].name) == length && memcmp(units[i].name, name, length) == 0)
                        return &units[i];
        return NULL;
}

/* Reads digits, of which there is at least one. */
static int digits_parse(const char **text, uint64_t *ret) {
        const size_t n = strspn(*text, "0123456789");
        uint64_t value = 0;

        if (n == 0)
                return -EINVAL;
        for (size_t i = 0; i < n; i++, (*text)++)
                if (__builtin_mul_overflow(value, 10, &value) ||
                    __builtin_add_overflow(value, (uint64_t)(**text - '0'), &value))
                        return -ERANGE;
        *ret = value;
        return 0;
}

/* What stands behind the point, in millionths; further digits say nothing. */
static int fraction_parse(const char **text, uint64_t *ret) {
        const size_t n = strspn(*text, "0123456789");
        uint64_t value = 0;

        if (n == 0)
                return -EINVAL;
        for (size_t i = 0; i < FRACTION_DIGITS; i++)
                value = 10 * value + (i < n ? (uint64_t)((*text)[i] - '0') : 0);
        *text += n;
        *ret = value;
        return 0;
}

static int part_parse(const char **text, uint64_t *total) {
        uint64_t whole, fraction = 0, usec;

        int r = digits_parse(text, &whole);
        if (r >= 0 && **text == '.') {
                (*text)++;
                r = fraction_parse(text, &fraction);
        }
        if (r < 0)
                return r;

        *text += strspn(*text, BLANKS);
        const size_t length = strcspn(*text, BLANKS "0123456789.");
        const TimeUnit *const unit = unit_find(*text, length);
        if (!unit)
                return -EINVAL;
        *text += length;
        *text += strspn(*text, BLANKS);

        /* No unit is so long that the fraction would not fit. */
        if (__builtin_mul_overflow(whole, unit->usec, &usec) ||
            __builtin_add_overflow(usec, (uint64_t)((unsigned __int128)fraction * unit->usec / SEC), &usec) ||
            __builtin_add_overflow(*total, usec, total) || *total == TIME_SPAN_INFINITY)
                return -ERANGE;
        return 0;
}

int time_span_parse(const char *text, uint64_t *ret) {
        uint64_t total = 0;

        text += strspn(text, BLANKS);
        if (text_equal(text, "infinity")) {
                *ret = TIME_SPAN_INFINITY;
                return 0;
        }
        do {
                const int r = part_parse(&text, &total);
                if (r < 0)
                        return r;
        } while (*text);
        *ret = total;
        return 0;
}

/* The rest of a span below a minute, "5.297s", without zeros at its end. */
static size_t fraction_format(uint64_t span, uint64_t accuracy, char *text, size_t size) {
        const uint64_t fraction = span % SEC / accuracy * accuracy;
        int length = snprintf(text, size, "%" PRIu64, span / SEC);

        if (fraction > 0) {
                length = snprintf(text, size, "%" PRIu64 ".%06" PRIu64, span / SEC, fraction);
                while (text[length - 1] == '0')
                        length--;
        }
        text[length++] = 's';
        text[length] = '\0';
        return (size_t)length;
}

void time_span_format(uint64_t span, uint64_t accuracy, char text[static TIME_SPAN_TEXT_MAX]) {
        size_t length = 0;

        assert(accuracy > 0 && accuracy <= SEC);
        if (span == TIME_SPAN_INFINITY) {
                (void)stpcpy(text, "infinity");
                return;
        }
        text[0] = '\0';
        span -= span % accuracy;

        for (size_t i = 0; i < ELEMENTSOF(units) && span > 0; i++) {
                const uint64_t usec = units[i].usec;

                if (span < usec || (i > 0 && units[i - 1].usec == usec))
                        continue;
                if (length > 0)
                        text[length++] = ' ';
                if (usec == SEC) {
                        length += fraction_format(span, accuracy, text + length, TIME_SPAN_TEXT_MAX - length);
                        return;
                }
                length += (size_t)snprintf(text + length, TIME_SPAN_TEXT_MAX - length, "%" PRIu64 "%s",
                                           span / usec, units[i].name);
                span %= usec;
        }
        if (length == 0)
                (void)stpcpy(text, "0");
}

/* How coarse people want it: from a length on, in which two units, of which the second may be missing. */
typedef struct AgoRow {
        uint64_t from;
        const char *first, *second; /* with their numbers in front */
        uint64_t first_usec, second_usec;
        const char *first_one; /* when the number is one; NULL: the same */
} AgoRow;

/* clang-format off */
static const AgoRow ago_rows[] = {
        { YEAR,        " years ",  " months", YEAR,   MONTH,  " year " },
        { MONTH,       " months ", " days",   MONTH,  DAY,    " month " },
        { WEEK,        " weeks ",  " days",   WEEK,   DAY,    " week " },
        { 2 * DAY,     " days",    NULL,      DAY,    0,      NULL },
        { DAY,         " day ",    "h",       DAY,    HOUR,   NULL },
        { 6 * HOUR,    "h",        NULL,      HOUR,   0,      NULL },
        { HOUR,        "h ",       "min",     HOUR,   MINUTE, NULL },
        { 5 * MINUTE,  "min",      NULL,      MINUTE, 0,      NULL },
        { MINUTE,      "min ",     "s",       MINUTE, SEC,    NULL },
        { SEC,         "s",        NULL,      SEC,    0,      NULL },
        { MSEC,        "ms",       NULL,      MSEC,   0,      NULL },
        { 1,           "us",       NULL,      1,      0,      NULL },
};
/* clang-format on */

void time_span_format_ago(uint64_t then, uint64_t now, char text[static TIME_SPAN_TEXT_MAX]) {
        const uint64_t span = now >= then ? now - then : then - now;
        const char *const direction = now >= then ? "ago" : "left";

        for (size_t i = 0; i < ELEMENTSOF(ago_rows); i++) {
                const AgoRow *const row = &ago_rows[i];

                if (span < row->from)
                        continue;
                const uint64_t first = span / row->first_usec;
                const char *const name = first == 1 && row->first_one ? row->first_one : row->first;
                if (row->second)
                        (void)snprintf(text, TIME_SPAN_TEXT_MAX, "%" PRIu64 "%s%" PRIu64 "%s %s", first, name,
                                       span % row->first_usec / row->second_usec, row->second, direction);
                else
                        (void)snprintf(text, TIME_SPAN_TEXT_MAX, "%" PRIu64 "%s %s", first, name, direction);
                return;
        }
        (void)stpcpy(text, "now");
}
