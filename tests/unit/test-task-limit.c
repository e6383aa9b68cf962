/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "manager/task-limit.h"

static void test_values(void **state) {
        static const struct {
                const char *text;
                uint64_t all, limit;
        } cases[] = {
                { NULL, 1000, UINT64_MAX }, { "infinity", 1000, UINT64_MAX },
                { "1", 1000, 1 },           { "33", 10, 33 },
                { "15%", 1000, 150 },       { "100%", 1000, 1000 },
                { "1%", 150, 1 },           { "1%", 10, 1 },
                { "15%", 32768, 4915 },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++)
                assert_int_equal(task_limit_of(cases[i].text, cases[i].all), cases[i].limit);
}

static void test_machine(void **state) {
        const uint64_t all = task_limit_system();

        assert_true(all > 0 && all <= 1U << 22);
        assert_int_equal(task_limit("50%"), all / 2);
        assert_int_equal(task_limit("7"), 7);
        assert_int_equal(task_limit(NULL), UINT64_MAX);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_values),
                cmocka_unit_test(test_machine),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
