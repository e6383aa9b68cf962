/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/log.h"
#include "base/progress.h"
#include "capture.h"

static void succeed(void) {
        Progress *progress;

        assert_int_equal(progress_begin("Testing", &progress), 0);
        progress_detail(progress, "no terminal, so this is not shown");
        progress_end(progress, true);
        progress_end(NULL, true);
        progress_detail(NULL, "nobody");
}

static void end_in_failure(void) {
        Progress *progress;

        assert_int_equal(progress_begin("Testing", &progress), 0);
        progress_end(progress, false);
}

static void test_lines(void **state) {
        _cleanup_(freep) char *success = capture_stderr(succeed), *failure = capture_stderr(end_in_failure);

        assert_string_equal(success, "‣ Testing…\n✓ Testing, 0.0s\n");
        assert_string_equal(failure, "‣ Testing…\n");
}

int main(void) {
        const struct CMUnitTest tests[] = { cmocka_unit_test(test_lines) };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
