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

/* "5", "1.5", ".5" */
static int number_parse(const char **text, uint64_t *ret_whole, uint64_t *ret_fraction) {
        int r = 0;

        *ret_whole = *ret_fraction = 0;
        if (**text != '.')
                r = digits_parse(text, ret_whole);
        if (r >= 0 && **text == '.') {
                (*text)++;
                r = fraction_parse(text, ret_fraction);
        }
        return r;
}

static int part_parse(const char **text, uint64_t *total) {
        uint64_t whole, fraction, usec;

        const int r = number_parse(text, &whole, &fraction);
        if (r < 0)
                return r;

        const size_t n_blanks = strspn(*text, BLANKS);
        *text += n_blanks;
        const size_t length = strcspn(*text, BLANKS "0123456789.");
        const TimeUnit *const unit = unit_find(*text, length);
        if (!unit || (length == 0 && n_blanks == 0 && **text != '\0'))
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

/* What is left of a unit that is a power of ten, in steps of the accuracy, with zeros in front: "297" of 5.297 seconds. */
static void rest_format(uint64_t rest, uint64_t unit, uint64_t accuracy,
                        char text[static TIME_SPAN_TEXT_MAX]) {
        int length = snprintf(text, TIME_SPAN_TEXT_MAX, "%" PRIu64, unit + rest);

        for (; accuracy > 1; accuracy /= 10)
                text[--length] = '\0';
        /* The first digit is that of the unit itself, which kept the zeros. */
        (void)memmove(text, text + 1, (size_t)length);
}

void time_span_format(uint64_t span, uint64_t accuracy, char text[static TIME_SPAN_TEXT_MAX]) {
        char places[TIME_SPAN_TEXT_MAX];
        size_t length = 0;

        assert(accuracy == 1 || accuracy == MSEC || accuracy == SEC);
        if (span == TIME_SPAN_INFINITY) {
                (void)stpcpy(text, "infinity");
                return;
        }
        (void)stpcpy(text, "0");

        for (size_t i = 0; i < ELEMENTSOF(units) && span > 0; i++) {
                const uint64_t unit = units[i].usec, rest = span % unit;
                char *const to = text + length;

                if (span < unit || (i > 0 && units[i - 1].usec == unit))
                        continue;
                if (length > 0 && span < accuracy)
                        break;
                const size_t room = TIME_SPAN_TEXT_MAX - length;
                const char *const blank = length > 0 ? " " : "";
                if (span < MINUTE && rest > 0 && unit > accuracy) {
                        rest_format(rest, unit, accuracy, places);
                        (void)snprintf(to, room, "%s%" PRIu64 ".%s%s", blank, span / unit, places,
                                       units[i].name);
                        return;
                }
                length += (size_t)snprintf(to, room, "%s%" PRIu64 "%s", blank, span / unit, units[i].name);
                span = rest;
        }
}

/* A unit by its name for one and for more. */
typedef struct AgoUnit {
        const char *one, *more;
        uint64_t usec;
} AgoUnit;

/* How coarse people want it: from a length on, in which two units, of which the second may be missing. */
typedef struct AgoRow {
        uint64_t from;
        AgoUnit first, second;
} AgoRow;

/* clang-format off */
static const AgoRow ago_rows[] = {
        { YEAR,       { " year",  " years",  YEAR },   { " month", " months", MONTH } },
        { MONTH,      { " month", " months", MONTH },  { " day",   " days",   DAY } },
        { WEEK,       { " week",  " weeks",  WEEK },   { " day",   " days",   DAY } },
        { 2 * DAY,    { " day",   " days",   DAY },    {} },
        { 25 * HOUR,  { " day",   " days",   DAY },    { "h",      "h",       HOUR } },
        { 6 * HOUR,   { "h",      "h",       HOUR },   {} },
        { HOUR,       { "h",      "h",       HOUR },   { "min",    "min",     MINUTE } },
        { 5 * MINUTE, { "min",    "min",     MINUTE }, {} },
        { MINUTE,     { "min",    "min",     MINUTE }, { "s",      "s",       SEC } },
        { SEC,        { "s",      "s",       SEC },    {} },
        { MSEC,       { "ms",     "ms",      MSEC },   {} },
        { 1,          { "us",     "us",      1 },      {} },
};
/* clang-format on */

static size_t ago_print(const AgoUnit *unit, uint64_t span, char *text, size_t size) {
        const uint64_t n = span / unit->usec;

        return (size_t)snprintf(text, size, "%" PRIu64 "%s ", n, n == 1 ? unit->one : unit->more);
}

void time_span_format_ago(uint64_t then, uint64_t now, char text[static TIME_SPAN_TEXT_MAX]) {
        const uint64_t span = now >= then ? now - then : then - now;

        for (size_t i = 0; i < ELEMENTSOF(ago_rows); i++) {
                const AgoRow *const row = &ago_rows[i];

                if (span < row->from)
                        continue;
                size_t length = ago_print(&row->first, span, text, TIME_SPAN_TEXT_MAX);
                if (row->second.usec > 0)
                        length += ago_print(&row->second, span % row->first.usec, text + length,
                                            TIME_SPAN_TEXT_MAX - length);
                (void)stpcpy(text + length, now >= then ? "ago" : "left");
                return;
        }
        (void)stpcpy(text, "now");
}
