/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/strv.h"
#include "base/text.h"
#include "exec/exec-data.h"

#define LINES(...) ((char **)(const char *[]){ __VA_ARGS__, NULL })

static const ExecContext context = { .unit = (char *)"a@b.service" };

static void test_data(void **state) {
        const UnitSettings settings = {
                .standard_input_text = LINES("one\\ttwo %i", "\\x41\\102 \\\"%%\\\""),
                .standard_input_data = LINES("AAEC AwQF", "/w=="),
        };
        static const char expected[] = "one\ttwo b\nAB \"%\"\n\0\1\2\3\4\5\xff";
        _cleanup_(fd_closep) int fd = exec_data_open(&context, &settings, NULL);
        char bytes[64];

        assert_true(fd >= 0);
        assert_int_equal(read(fd, bytes, sizeof(bytes)), sizeof(expected) - 1);
        assert_memory_equal(bytes, expected, sizeof(expected) - 1);
        assert_true(write(fd, "x", 1) < 0);
}

static void test_refused(void **state) {
        static const char *const bad[] = { "\\",    "\\q",  "\\x4",  "\\xzz",      "\\x00",
                                           "\\000", "\\40", "\\777", "\\x\x01\x01" };
        Reason reason = {};

        for (size_t i = 0; i < ELEMENTSOF(bad); i++) {
                _cleanup_(freep) char *text = strdup(bad[i]);

                assert_int_equal(exec_data_unescape(text), -EINVAL);
        }
        assert_int_equal(exec_data_open(&context,
                                        &(UnitSettings){ .standard_input_data = LINES("no base64!") },
                                        &reason),
                         -EINVAL);
        assert_string_equal(reason.text, "StandardInputData=no base64!: this is no Base64");
        reason_done(&reason);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_data),
                cmocka_unit_test(test_refused),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
