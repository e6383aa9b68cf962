/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/environment.h"
#include "base/strv.h"
#include "base/text.h"

#define assert_list(list, ...) \
        assert_true(strv_equal(STRV(list), (const char *const[]){ __VA_ARGS__ __VA_OPT__(, ) NULL }))

static void test_set(void **state) {
        _cleanup_(strv_freep) char **list = NULL;

        assert_int_equal(environment_extend(&list, NULL), 0);
        assert_int_equal(environment_set(&list, "A"), 0);
        assert_null(list);
        assert_int_equal(
                environment_extend(&list, (const char *const[]){ "A=1", "AB=2", "C=", "A=x=y", NULL }), 0);
        assert_list(list, "A=x=y", "AB=2", "C=");
        assert_int_equal(environment_set(&list, "C=3"), 0);
        assert_list(list, "A=x=y", "AB=2", "C=3");
        assert_int_equal(environment_extend(&list, (const char *const[]){ "A", "B", "C", NULL }), 0);
        assert_list(list, "AB=2");
        assert_int_equal(environment_set(&list, "AB"), 0);
        assert_list(list, );
}

static void test_inherit(void **state) {
        static const char *const changes[] = { "OURS=changed", "GONE", "NEW=1", NULL };
        _cleanup_(strv_freep) char **list = NULL, **same = NULL;

        assert_int_equal(setenv("OURS", "1", 1), 0);
        assert_int_equal(setenv("GONE", "1", 1), 0);
        assert_int_equal(setenv("STAYS", "1", 1), 0);
        assert_int_equal(environment_inherit(changes, &list), 0);
        assert_true(strv_contains(STRV(list), "OURS=changed") && strv_contains(STRV(list), "STAYS=1") &&
                    strv_contains(STRV(list), "NEW=1"));
        assert_false(strv_contains(STRV(list), "OURS=1") || strv_contains(STRV(list), "GONE=1"));
        /* Ours is not touched. */
        assert_string_equal(getenv("GONE"), "1");
        assert_int_equal(environment_inherit(NULL, &same), 0);
        assert_true(strv_contains(STRV(same), "GONE=1"));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_set),
                cmocka_unit_test(test_inherit),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
