/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/log.h"
#include "capture.h"

static void say_all(void) {
        assert_int_equal(log_error(-ENOENT, "Cannot open %s: %m", "mkosi.default"), -ENOENT);
        log_warning("Careful: \033[2J\r\x7f");
        log_warning("Éa\u202e\xc2\x9b"
                    "1m\x9b");
        log_info("Result: %d", 1);
        log_debug("Not shown");
        log_set_level(LOG_LEVEL_DEBUG);
        log_debug("Shown");
        log_set_level(LOG_LEVEL_ERROR);
        log_warning("Not shown");
        log_error_detail("  %s", "what it said last");
        log_set_level(LOG_LEVEL_INFO);
        log_set_name("mkosi-run");
        log_info("Of another program");
        log_set_name("mkosi");
}

static void test_lines(void **state) {
        _cleanup_(freep) char *text = capture_stderr(say_all);

        assert_string_equal(text, "mkosi: error: Cannot open mkosi.default: No such file or directory\n"
                                  "mkosi: warning: Careful: ?[2J??\n"
                                  "mkosi: warning: Éa?????1m?\n"
                                  "mkosi: Result: 1\n"
                                  "mkosi: debug: Shown\n"
                                  "mkosi:   what it said last\n"
                                  "mkosi-run: Of another program\n");
        assert_int_equal(log_get_level(), LOG_LEVEL_INFO);
}

int main(void) {
        const struct CMUnitTest tests[] = { cmocka_unit_test(test_lines) };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
