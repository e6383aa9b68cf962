/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "capture.h"
#include "image/failure.h"

static FailureTail tail;

static void log_tail(void) {
        failure_tail_log(&tail);
}

/* The last lines, in their order. */
static void test_tail(void **state) {
        char line[16];

        for (int i = 0; i < FAILURE_TAIL_LINES + 5; i++) {
                (void)snprintf(line, sizeof(line), "line %d", i);
                failure_tail_add(&tail, line);
        }
        _cleanup_(freep) char *said = capture_stderr(log_tail);
        assert_null(strstr(said, "line 4\n"));
        assert_non_null(strstr(said, "line 5\n"));
        assert_non_null(strstr(said, "line 24\n"));
        assert_true(strstr(said, "line 19\n") < strstr(said, "line 20\n"));
        failure_tail_done(&tail);
}

static void test_quote_command(void **state) {
        static const char *const words[] = {
                "/usr/bin/mkosi", "-f", "--environment=A=b c", "it's", "", NULL
        };
        _cleanup_(freep) char *text = NULL;

        assert_int_equal(failure_quote_command(words, "--debug-shell", &text), 0);
        assert_string_equal(text, "/usr/bin/mkosi --debug-shell -f '--environment=A=b c' 'it'\\''s' ''");
}

static void test_tree_path(void **state) {
        _cleanup_(freep) char *path = NULL;
        const Config config = { .output = (char[]){ "/a/image.raw" } };

        assert_int_equal(failure_tree_path(&config, &path), 0);
        assert_string_equal(path, "/a/image.raw.failed");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_tail),
                cmocka_unit_test(test_quote_command),
                cmocka_unit_test(test_tree_path),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
