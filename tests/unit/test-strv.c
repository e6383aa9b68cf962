/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/strv.h"

static void test_append(void **state) {
        _cleanup_(strv_freep) char **list = NULL, **copy = NULL;

        assert_int_equal(strv_length(NULL), 0);
        assert_int_equal(strv_append(&list, "a"), 0);
        assert_int_equal(strv_append_format(&list, "%c%d", 'b', 2), 0);
        assert_int_equal(strv_extend(&list, (const char *const[]){ "c", "d", NULL }), 0);
        assert_int_equal(strv_extend(&list, NULL), 0);
        assert_int_equal(strv_length(STRV(list)), 4);
        assert_true(strv_contains(STRV(list), "b2"));
        assert_false(strv_contains(STRV(list), "b"));
        assert_false(strv_contains(NULL, "b"));

        assert_int_equal(strv_copy(STRV(list), &copy), 0);
        assert_true(strv_equal(STRV(list), STRV(copy)));
        assert_int_equal(strv_append(&copy, "e"), 0);
        assert_false(strv_equal(STRV(list), STRV(copy)));
        assert_true(strv_equal(NULL, NULL));
}

/* A list may be extended by itself. */
static void test_extend_by_itself(void **state) {
        _cleanup_(strv_freep) char **list = NULL;

        assert_int_equal(strv_append(&list, "a"), 0);
        assert_int_equal(strv_extend(&list, STRV(list)), 0);
        assert_true(strv_equal(STRV(list), (const char *const[]){ "a", "a", NULL }));
}

static void test_split_join(void **state) {
        static const struct {
                const char *text, *joined;
        } cases[] = {
                { "a b", "a+b" }, { " a,\n b\t", "a+b" }, { "", "" }, { " ,, ", "" }, { "a", "a" },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(strv_freep) char **list = NULL;
                _cleanup_(freep) char *joined = NULL;

                assert_int_equal(strv_split(cases[i].text, " \t\n,", &list), 0);
                assert_int_equal(strv_join(STRV(list), "+", &joined), 0);
                assert_string_equal(joined, cases[i].joined);
        }
}

static void test_split_quoted(void **state) {
        static const struct {
                const char *text, *joined; /* NULL: refused */
        } cases[] = {
                { "", "" },
                { "  a\tb\n", "a|b" },
                { "A=b \"C=d e\" F='g \"h'", "A=b|C=d e|F=g \"h" },
                { "a\"b c\"d ''", "ab cd|" },
                { "a\\ b \"c\\\"d\" 'e\\f'", "a b|c\"d|e\\f" },
                { "\"a", NULL },
                { "'a", NULL },
                { "a\\", NULL },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(strv_freep) char **list = NULL;
                _cleanup_(freep) char *joined = NULL;

                const int r = strv_split_quoted(cases[i].text, &list);
                assert_int_equal(r, cases[i].joined ? 0 : -EINVAL);
                if (r < 0)
                        continue;
                assert_int_equal(strv_join(STRV(list), "|", &joined), 0);
                assert_string_equal(joined, cases[i].joined);
        }
}

static void test_sort(void **state) {
        _cleanup_(strv_freep) char **list = NULL;

        strv_sort(NULL);
        assert_int_equal(strv_split("b B a.b a", " ", &list), 0);
        strv_sort(list);
        assert_true(strv_equal(STRV(list), (const char *const[]){ "B", "a", "a.b", "b", NULL }));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_append),     cmocka_unit_test(test_extend_by_itself),
                cmocka_unit_test(test_split_join), cmocka_unit_test(test_split_quoted),
                cmocka_unit_test(test_sort),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
