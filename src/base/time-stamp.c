/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <stdio.h>
#include <time.h>

#include "base/text.h"
#include "base/time-span.h"
#include "base/time-stamp.h"

static const struct {
        const char *word;
        int days;
} day_words[] = { { "today", 0 }, { "yesterday", -1 }, { "tomorrow", 1 } };

/* The span is added or taken away. */
static int parse_distance(const char *span, bool before, uint64_t now_usec, uint64_t *ret) {
        uint64_t usec;

        const int r = time_span_parse(span, &usec);
        if (r < 0 || (before ? usec > now_usec : usec > UINT64_MAX - now_usec))
                return -EINVAL;
        *ret = before ? now_usec - usec : now_usec + usec;
        return 0;
}

static int parse_ago(const char *text, uint64_t now_usec, uint64_t *ret) {
        _cleanup_(freep) char *span = NULL;

        const int r = text_format(&span, "%.*s", (int)(strlen(text) - strlen(" ago")), text);
        return r < 0 ? r : parse_distance(span, true, now_usec, ret);
}

/* Exactly as many digits as said; where the text goes on, or NULL. */
static const char *take_digits(const char *text, unsigned n, int *ret) {
        *ret = 0;
        for (; n > 0; n--, text++) {
                if (*text < '0' || *text > '9')
                        return NULL;
                *ret = *ret * 10 + (*text - '0');
        }
        return text;
}

/* "YYYY-MM-DD": where the text goes on. */
static const char *take_day(const char *text, struct tm *tm) {
        int year, month, day;
        const char *at = take_digits(text, 4, &year);

        if (!at || *at++ != '-' || !(at = take_digits(at, 2, &month)) || *at++ != '-' ||
            !(at = take_digits(at, 2, &day)) || month < 1 || month > 12 || day < 1 || day > 31)
                return NULL;
        tm->tm_year = year - 1900;
        tm->tm_mon = month - 1;
        tm->tm_mday = day;
        return at;
}

/* "HH:MM", "HH:MM:SS", "HH:MM:SS.ffffff" */
static const char *take_time(const char *text, struct tm *tm, uint64_t *ret_usec) {
        const char *at = take_digits(text, 2, &tm->tm_hour);
        uint64_t unit = SECOND_USEC;

        if (!at || *at++ != ':' || !(at = take_digits(at, 2, &tm->tm_min)))
                return NULL;
        if (*at == ':' && !(at = take_digits(at + 1, 2, &tm->tm_sec)))
                return NULL;
        if (*at == '.')
                for (at++; *at >= '0' && *at <= '9'; at++) {
                        unit /= 10;
                        *ret_usec += unit * (uint64_t)(*at - '0');
                }
        return tm->tm_hour > 23 || tm->tm_min > 59 || tm->tm_sec > 60 ? NULL : at;
}

static int parse_day_and_time(const char *text, uint64_t now_usec, uint64_t *ret) {
        const time_t now = (time_t)(now_usec / SECOND_USEC);
        struct tm tm = {};
        uint64_t usec = 0;

        (void)localtime_r(&now, &tm);
        tm.tm_hour = tm.tm_min = tm.tm_sec = 0;
        const char *at = take_day(text, &tm);
        if (!at)
                at = take_time(text, &tm, &usec);
        else if ((at[0] == ' ' || at[0] == 'T') && at[1] >= '0' && at[1] <= '9')
                at = take_time(at + 1, &tm, &usec);
        if (!at)
                return -EINVAL;
        const bool is_utc = text_equal(at, " UTC") || text_equal(at, "Z");
        if (*at != '\0' && !is_utc)
                return -EINVAL;
        const int day = tm.tm_mday;
        tm.tm_isdst = -1;
        const time_t seconds = is_utc ? timegm(&tm) : mktime(&tm);
        if (seconds < 0 || tm.tm_mday != day)
                return -EINVAL;
        *ret = (uint64_t)seconds * SECOND_USEC + usec;
        return 0;
}

static int parse_day_word(int days, uint64_t now_usec, uint64_t *ret) {
        const time_t now = (time_t)(now_usec / SECOND_USEC);
        struct tm tm;

        if (!localtime_r(&now, &tm))
                return -EINVAL;
        tm.tm_hour = tm.tm_min = tm.tm_sec = 0;
        tm.tm_mday += days;
        tm.tm_isdst = -1;
        const time_t seconds = mktime(&tm);
        if (seconds < 0)
                return -EINVAL;
        *ret = (uint64_t)seconds * SECOND_USEC;
        return 0;
}

int time_stamp_parse(const char *text, uint64_t now_usec, uint64_t *ret) {
        for (size_t i = 0; i < ELEMENTSOF(day_words); i++)
                if (text_equal(text, day_words[i].word))
                        return parse_day_word(day_words[i].days, now_usec, ret);
        if (text_equal(text, "now")) {
                *ret = now_usec;
                return 0;
        }
        if (text[0] == '@')
                return parse_distance(text + 1, false, 0, ret);
        if (text[0] == '-' || text[0] == '+')
                return parse_distance(text + 1, text[0] == '-', now_usec, ret);
        return text_ends_with(text, " ago") ? parse_ago(text, now_usec, ret)
                                            : parse_day_and_time(text, now_usec, ret);
}
