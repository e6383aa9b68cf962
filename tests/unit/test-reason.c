/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/reason.h"

static void test_innermost_stays(void **state) {
        _cleanup_(reason_done) Reason reason = {};

        assert_string_equal(reason_text(&reason, -ENOENT), "No such file or directory");
        assert_string_equal(reason_text(NULL, -ENOENT), "No such file or directory");
        assert_int_equal(reason_set(&reason, -EACCES, "etc/shadow: %m"), -EACCES);
        assert_int_equal(reason_set(&reason, -EIO, "later"), -EIO);
        assert_string_equal(reason_text(&reason, -EIO), "etc/shadow: Permission denied");
        assert_int_equal(reason_set(NULL, -EIO, "nobody listens"), -EIO);

        reason_done(&reason);
        assert_null(reason.text);
        reason_done(NULL);
}

static void test_names_are_tamed(void **state) {
        _cleanup_(reason_done) Reason reason = {};

        assert_int_equal(reason_set(&reason, -EIO, "Cannot read '%s': %m", "a\nb\t\033[2J\303\244"), -EIO);
        assert_string_equal(reason_text(&reason, -EIO), "Cannot read 'a?b??[2J\303\244': Input/output error");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_innermost_stays),
                cmocka_unit_test(test_names_are_tamed),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
