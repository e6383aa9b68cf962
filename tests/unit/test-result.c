/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "verify/result.h"

static void test_list(void **state) {
        _cleanup_(verify_results_done) VerifyResults results = {};

        assert_true(verify_results_are_good(&results));
        assert_int_equal(verify_add(&results, VERIFY_OK, "first", "%d things", 3), 0);
        assert_int_equal(verify_add(&results, VERIFY_ABSENT, "second", "none"), 0);
        assert_true(verify_results_are_good(&results));
        assert_int_equal(verify_add(&results, VERIFY_FAILED, "third", "100%%"), 0);
        assert_int_equal(verify_add(&results, VERIFY_OK, "fourth", "fine"), 0);
        assert_false(verify_results_are_good(&results));
        assert_int_equal(results.n_items, 4);
        assert_string_equal(results.items[0].detail, "3 things");
        assert_string_equal(results.items[2].object, "third");
        assert_string_equal(results.items[2].detail, "100%");
        assert_string_equal(verify_verdict_words[results.items[1].verdict], "absent");
        /* Terminals do not get what an image has. */
        assert_int_equal(verify_add(&results, VERIFY_OK, "a\033b", "c\nd%s", "\033[31m"), 0);
        assert_string_equal(results.items[4].object, "a?b");
        assert_string_equal(results.items[4].detail, "c?d?[31m");
}

int main(void) {
        const struct CMUnitTest tests[] = { cmocka_unit_test(test_list) };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
