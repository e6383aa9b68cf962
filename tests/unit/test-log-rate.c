/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/time-span.h"
#include "manager/log-rate.h"

static UnitSettings limits(uint64_t interval, int burst) {
        return (UnitSettings){
                .log_rate_limit_interval = { .set = true, .usec = interval },
                .log_rate_limit_burst = { .set = true, .value = burst },
        };
}

static void assert_takes(LogRate *rate, const UnitSettings *settings, uint64_t now, bool expected,
                         uint64_t expected_dropped) {
        uint64_t n_dropped = UINT64_MAX;

        assert_int_equal(log_rate_take(rate, settings, now, &n_dropped), expected);
        assert_int_equal(n_dropped, expected_dropped);
}

static void test_interval(void **state) {
        const UnitSettings settings = limits(10, 2);
        LogRate rate = {};

        assert_takes(&rate, &settings, 100, true, 0);
        assert_takes(&rate, &settings, 105, true, 0);
        assert_takes(&rate, &settings, 105, false, 0);
        assert_takes(&rate, &settings, 109, false, 0);
        /* It counts from the first message, and what was dropped is told once. */
        assert_takes(&rate, &settings, 110, true, 2);
        assert_takes(&rate, &settings, 111, true, 0);
        assert_takes(&rate, &settings, 112, false, 0);
        assert_takes(&rate, &settings, 1000, true, 1);
        assert_takes(&rate, &settings, 2000, true, 0);
}

static void test_off(void **state) {
        const UnitSettings none = {}, no_interval = limits(0, 1), no_burst = limits(10, 0);
        const UnitSettings *const all[] = { &none, &no_interval, &no_burst };

        for (size_t i = 0; i < ELEMENTSOF(all); i++) {
                LogRate rate = {};

                for (unsigned n = 0; n < 20000; n++)
                        assert_takes(&rate, all[i], 100, true, 0);
        }
}

/* Of one that is said alone the other is journald's. */
static void test_defaults(void **state) {
        UnitSettings burst = limits(0, 1), interval = limits(SECOND_USEC, 0);
        LogRate one = {}, other = {};

        burst.log_rate_limit_interval = (Duration){};
        assert_takes(&one, &burst, 100, true, 0);
        assert_takes(&one, &burst, 99 + 30 * SECOND_USEC, false, 0);
        assert_takes(&one, &burst, 100 + 30 * SECOND_USEC, true, 1);

        interval.log_rate_limit_burst = (Level){};
        for (unsigned n = 0; n < 10000; n++)
                assert_takes(&other, &interval, 100, true, 0);
        assert_takes(&other, &interval, 100, false, 0);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_interval),
                cmocka_unit_test(test_off),
                cmocka_unit_test(test_defaults),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
