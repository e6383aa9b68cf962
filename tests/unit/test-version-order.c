/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/text.h"
#include "base/version-order.h"
#include "foreign-program.h"

/* Each older than the next one. */
static const char *const ascending[] = { "~rc1",  "",    "1~beta", "1",    "1-1",
                                         "1^a",   "1.a", "1.0",    "1.2",  "1.10",
                                         "2.0~a", "2.0", "6.1",    "6.12", "6.18.44-fc-v657",
                                         "10" };

static void test_order(void **state) {
        for (size_t i = 0; i < ELEMENTSOF(ascending); i++) {
                assert_int_equal(version_compare(ascending[i], ascending[i]), 0);
                if (i > 0 && version_compare(ascending[i - 1], ascending[i]) >= 0)
                        fail_msg("\"%s\" is not before \"%s\"", ascending[i - 1], ascending[i]);
                if (i > 0)
                        assert_true(version_compare(ascending[i], ascending[i - 1]) > 0);
        }
        assert_int_equal(version_compare("1.02", "1.2"), 0);
        assert_int_equal(version_compare("1_2", "12"), version_compare("1 2", "12"));
        assert_true(version_compare("1.a", "1.1") < 0);
}

/* systemd-analyze compares by the same rules. */
static void test_foreign(void **state) {
        for (size_t i = 0; i < ELEMENTSOF(ascending); i++)
                for (size_t j = 0; j < ELEMENTSOF(ascending); j++) {
                        const char *const a = ascending[i], *const b = ascending[j];
                        _cleanup_(freep) char *output = NULL;

                        if (!*a || !*b || *a == '~' || *b == '~')
                                continue;
                        (void)FOREIGN_RUN(&output, "systemd-analyze", "compare-versions", a, b);
                        const int r = version_compare(a, b);
                        const char *const sign = r < 0 ? "<" : r > 0 ? ">" : "==";
                        _cleanup_(freep) char *expected = NULL;

                        assert_true(text_format(&expected, "%s %s %s\n", a, sign, b) >= 0);
                        assert_string_equal(output, expected);
                }
}

static void test_operators(void **state) {
        static const struct {
                const char *text;
                Order order;
                const char *rest;
        } cases[] = {
                { "<1", ORDER_LESS, "1" },       { "<=1", ORDER_LESS_OR_EQUAL, "1" },
                { "=1", ORDER_EQUAL, "1" },      { "!=1", ORDER_UNEQUAL, "1" },
                { ">1", ORDER_GREATER, "1" },    { ">=1", ORDER_GREATER_OR_EQUAL, "1" },
                { "==1", ORDER_SAME, "1" },      { "<>1", ORDER_OTHER, "1" },
                { "$=1*", ORDER_MATCHES, "1*" }, { "!$=1*", ORDER_DIFFERS, "1*" },
                { "1", ORDER_NONE, "1" },        { "!1", ORDER_NONE, "!1" },
        };
        static const struct {
                Order order;
                bool less, equal, greater;
        } truths[] = {
                { ORDER_LESS, true, false, false },    { ORDER_LESS_OR_EQUAL, true, true, false },
                { ORDER_EQUAL, false, true, false },   { ORDER_UNEQUAL, true, false, true },
                { ORDER_GREATER, false, false, true }, { ORDER_GREATER_OR_EQUAL, false, true, true },
                { ORDER_NONE, false, false, false },
        };
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                const char *text = cases[i].text;

                assert_int_equal(order_read(&text), cases[i].order);
                assert_string_equal(text, cases[i].rest);
        }
        for (size_t i = 0; i < ELEMENTSOF(truths); i++) {
                assert_int_equal(order_holds(truths[i].order, -3), truths[i].less);
                assert_int_equal(order_holds(truths[i].order, 0), truths[i].equal);
                assert_int_equal(order_holds(truths[i].order, 3), truths[i].greater);
        }
        assert_true(order_holds_for(ORDER_GREATER, "10", "9"));
        assert_true(order_holds_for(ORDER_EQUAL, "1.0", "1.00"));
        assert_false(order_holds_for(ORDER_SAME, "1.0", "1.00"));
        assert_true(order_holds_for(ORDER_OTHER, "1.0", "1.00"));
        assert_true(order_holds_for(ORDER_MATCHES, "12.5", "12.*"));
        assert_false(order_holds_for(ORDER_DIFFERS, "12.5", "12.*"));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_order),
                cmocka_unit_test(test_foreign),
                cmocka_unit_test(test_operators),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
