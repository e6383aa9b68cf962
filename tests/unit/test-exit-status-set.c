/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "unit/exit-status-set.h"

static void test_has(void **state) {
        static const char *const list[] = { "3", "SIGUSR1", "TEMPFAIL", "KILL", "EXEC", "nonsense", NULL };

        assert_true(exit_status_set_has(list, CLD_EXITED, 3));
        assert_true(exit_status_set_has(list, CLD_EXITED, 75));
        assert_true(exit_status_set_has(list, CLD_EXITED, 203));
        assert_true(exit_status_set_has(list, CLD_KILLED, SIGUSR1));
        assert_true(exit_status_set_has(list, CLD_KILLED, SIGKILL));
        assert_false(exit_status_set_has(list, CLD_EXITED, 4));
        assert_false(exit_status_set_has(list, CLD_EXITED, SIGKILL));
        /* A number is an exit status, never a signal. */
        assert_false(exit_status_set_has(list, CLD_KILLED, 3));
        assert_false(exit_status_set_has(NULL, CLD_EXITED, 0));
}

static void test_clean(void **state) {
        static const int signals[] = { SIGHUP, SIGINT, SIGTERM, SIGPIPE };

        assert_true(exit_is_clean(CLD_EXITED, 0, true));
        assert_false(exit_is_clean(CLD_EXITED, 1, true));
        for (size_t i = 0; i < ELEMENTSOF(signals); i++) {
                assert_true(exit_is_clean(CLD_KILLED, signals[i], true));
                assert_false(exit_is_clean(CLD_KILLED, signals[i], false));
                assert_false(exit_is_clean(CLD_DUMPED, signals[i], true));
        }
        assert_false(exit_is_clean(CLD_KILLED, SIGKILL, true));
}

static void check_format(int code, int status, const char *word, const char *expected) {
        char text[EXIT_STATUS_TEXT_MAX];

        exit_status_format(code, status, text);
        assert_string_equal(text, expected);
        assert_string_equal(exit_code_word(code), word);
}

static void test_format(void **state) {
        check_format(CLD_EXITED, 0, "exited", "0/SUCCESS");
        check_format(CLD_EXITED, 1, "exited", "1/FAILURE");
        check_format(CLD_EXITED, 3, "exited", "3/n/a");
        check_format(CLD_EXITED, 203, "exited", "203/EXEC");
        check_format(CLD_KILLED, SIGKILL, "killed", "9/KILL");
        check_format(CLD_DUMPED, SIGSEGV, "dumped", "11/SEGV");
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_has),
                cmocka_unit_test(test_clean),
                cmocka_unit_test(test_format),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
