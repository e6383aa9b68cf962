/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <time.h>

#include "base/time-span.h"
#include "base/time-stamp.h"

#define NOW (UINT64_C(1507565147) * SECOND_USEC) /* 2017-10-09 16:05:47 UTC */

static void test_parse(void **state) {
        static const struct {
                const char *text;
                uint64_t seconds, usec;
        } rows[] = {
                { "now", 1507565147, 0 },
                { "today", 1507500000, 0 },
                { "yesterday", 1507413600, 0 },
                { "tomorrow", 1507586400, 0 },
                { "5min ago", 1507564847, 0 },
                { "-1h 5s", 1507561542, 0 },
                { "+90", 1507565237, 0 },
                { "@1507565147.25", 1507565147, 250000 },
                { "2017-10-09", 1507500000, 0 },
                { "2017-10-09 18:05", 1507565100, 0 },
                { "2017-10-09 18:05:47.000042", 1507565147, 42 },
                { "2017-10-09T18:05:47", 1507565147, 0 },
                { "2017-10-09 16:05:47 UTC", 1507565147, 0 },
                { "2017-10-09T16:05:47Z", 1507565147, 0 },
                { "18:05", 1507565100, 0 },
        };
        static const char *const none[] = {
                "",    "never",         "2017-13-01", "2017-02-29", "2017-10-09 24:00",        "2017-10-09 ",
                "18",  "5 parsecs ago", "@",          "-",          "2017-10-09 16:05:47 XYZ", " ago",
                "1:2", "@-5",           "-99999999h",
        };
        uint64_t usec;

        assert_int_equal(setenv("TZ", "CEST-2", 1), 0);
        tzset();
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                assert_int_equal(time_stamp_parse(rows[i].text, NOW, &usec), 0);
                assert_int_equal(usec, rows[i].seconds * SECOND_USEC + rows[i].usec);
        }
        for (size_t i = 0; i < ELEMENTSOF(none); i++)
                assert_int_equal(time_stamp_parse(none[i], NOW, &usec), -EINVAL);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_parse),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
