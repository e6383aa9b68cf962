/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <inttypes.h>
#include <string.h>

#include "base/text.h"
#include "base/time-span.h"
#include "foreign-program.h"

#define S UINT64_C(1000000)
#define M (60 * S)
#define H (60 * M)
#define D (24 * H)

static void test_parse(void **state) {
        static const struct {
                const char *text;
                uint64_t usec;
        } cases[] = {
                { "5s", 5 * S },
                { "90", 90 * S },
                { "0", 0 },
                { " 1min 30s ", 90 * S },
                { "1min30s", 90 * S },
                { "2 h", 2 * H },
                { "2hours", 2 * H },
                { "48hr", 48 * H },
                { "5 20", 25 * S },
                { "1.5h", 90 * M },
                { ".7", 700000 },
                { "2.000001s", 2000001 },
                { "2.0000019s", 2000001 },
                { "55ms", 55000 },
                { "7us", 7 },
                { "7µs", 7 },
                { "7μs", 7 },
                { "1y 12month", UINT64_C(31557600) * S + 12 * UINT64_C(2629800) * S },
                { "1M", UINT64_C(2629800) * S },
                { "1m", M },
                { "300ms20s 5day", 5 * D + 20 * S + 300000 },
                { "3weeks", 21 * D },
                { "infinity", TIME_SPAN_INFINITY },
                { "18446744073709551614us", TIME_SPAN_INFINITY - 1 },
        };
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                uint64_t usec = 4711;

                if (time_span_parse(cases[i].text, &usec) != 0 || usec != cases[i].usec)
                        fail_msg("\"%s\": %" PRIu64, cases[i].text, usec);
        }
}

static void test_parse_mistakes(void **state) {
        static const struct {
                const char *text;
                int r;
        } cases[] = {
                { "", -EINVAL },
                { " ", -EINVAL },
                { "s", -EINVAL },
                { "-5s", -EINVAL },
                { "+5s", -EINVAL },
                { "5 parsecs", -EINVAL },
                { "5.", -EINVAL },
                { "5.s", -EINVAL },
                { "5. 3s", -EINVAL },
                { ".", -EINVAL },
                { "3.1.4", -EINVAL },
                { "0x10", -EINVAL },
                { "5S", -EINVAL },
                { "infinity 5s", -EINVAL },
                { "5s infinity", -EINVAL },
                { "18446744073709551616", -ERANGE },
                { "18446744073709551615us", -ERANGE },
                { "18446744073709551615us 1us", -ERANGE },
                { "584543y", -ERANGE },
                { "18446744073709551614us .5s", -ERANGE },
        };
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                uint64_t usec = 4711;

                const int r = time_span_parse(cases[i].text, &usec);
                if (r != cases[i].r)
                        fail_msg("\"%s\": %d", cases[i].text, r);
                assert_int_equal(usec, 4711);
        }
}

/* Where the time of a run is printed, the accuracy is a millisecond: "878ms", "5.297s". */
static void test_format(void **state) {
        static const struct {
                uint64_t usec, accuracy;
                const char *text;
        } cases[] = {
                { 878000, 1000, "878ms" },
                { 878999, 1000, "878ms" },
                { 5297000, 1000, "5.297s" },
                { 5297999, 1000, "5.297s" },
                { 5200000, 1000, "5.200s" },
                { 5007000, 1000, "5.007s" },
                { 5 * S, 1000, "5s" },
                { M + 5297000, 1000, "1min 5.297s" },
                { M, 1000, "1min" },
                { M + 7, 1000, "1min" },
                { 3 * H + 2 * M, 1000, "3h 2min" },
                { D + 3 * H + 1, S, "1d 3h" },
                { 5297000, S, "5s" },
                { 1500, 1, "1.500ms" },
                { 5000123, 1, "5.000123s" },
                { 7, 1, "7us" },
                { 7, 1000, "7us" },
                { 0, 1000, "0" },
                { UINT64_C(31557600) * S + UINT64_C(2629800) * S + 7 * D, S, "1y 1month 1w" },
                { TIME_SPAN_INFINITY, 1, "infinity" },
                { TIME_SPAN_INFINITY - 1, 1, "584542y 2w 2d 20h 1min 49.551614s" },
        };
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                char text[TIME_SPAN_TEXT_MAX];

                time_span_format(cases[i].usec, cases[i].accuracy, text);
                assert_string_equal(text, cases[i].text);
        }
}

/* What systemd makes of it, "       μs: 5297000" and "    Human: 5.297s", is what we make of it. */
static void test_systemd_agrees(void **state) {
        static const char *const spans[] = {
                "5.297s", "1min 5.297s", "1.5h",  "90",         "1y 3month 2w 5d",
                "1500us", "5.000123s",   "878ms", "7us",        "300ms20s 5day",
                "5 20",   "2 h",         "1M 1m", "59.999999s", ".7",
                "0",
        };
        for (size_t i = 0; i < ELEMENTSOF(spans); i++) {
                _cleanup_(freep) char *output = FOREIGN_CHECK("systemd-analyze", "timespan", spans[i]);
                _cleanup_(freep) char *number = NULL;
                char human[TIME_SPAN_TEXT_MAX];
                uint64_t usec;

                assert_int_equal(time_span_parse(spans[i], &usec), 0);
                time_span_format(usec, 1, human);
                assert_int_equal(text_format(&number, "μs: %" PRIu64 "\n", usec), 0);
                const char *const said = strstr(output, "Human: ");
                if (!strstr(output, number) || !said ||
                    strncmp(said + strlen("Human: "), human, strlen(human)) != 0 ||
                    said[strlen("Human: ") + strlen(human)] != '\n')
                        fail_msg("%s: %s is not %s", spans[i], human, output);
        }
}

static void test_ago(void **state) {
        static const struct {
                uint64_t usec;
                const char *text;
        } cases[] = {
                { 0, "now" },
                { 7, "7us" },
                { 7000, "7ms" },
                { S, "1s" },
                { 59 * S + 999999, "59s" },
                { 4 * M + 28 * S, "4min 28s" },
                { 5 * M + 28 * S, "5min" },
                { H + 2 * M, "1h 2min" },
                { 6 * H + 2 * M, "6h" },
                { 24 * H + M, "24h" },
                { 25 * H, "1 day 1h" },
                { 2 * D + 7 * H, "2 days" },
                { 8 * D, "1 week 1 day" },
                { 16 * D, "2 weeks 2 days" },
                { 33 * D, "1 month 2 days" },
                { 400 * D, "1 year 1 month" },
                { 800 * D, "2 years 2 months" },
        };
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(freep) char *expected = NULL;
                char text[TIME_SPAN_TEXT_MAX];
                const bool now = cases[i].usec == 0;

                time_span_format_ago(1000 * D, 1000 * D + cases[i].usec, text);
                assert_int_equal(text_format(&expected, "%s%s", cases[i].text, now ? "" : " ago"), 0);
                assert_string_equal(text, expected);
        }
        char text[TIME_SPAN_TEXT_MAX];
        time_span_format_ago(5 * M + 4 * S, 5 * M, text);
        assert_string_equal(text, "4s left");
        time_span_format_ago(0, UINT64_MAX, text);
        assert_string_equal(text, "584542 years 0 months ago");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_parse),  cmocka_unit_test(test_parse_mistakes),
                cmocka_unit_test(test_format), cmocka_unit_test(test_systemd_agrees),
                cmocka_unit_test(test_ago),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
