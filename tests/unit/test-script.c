/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "image/script.h"

static void test_parse_failure(void **state) {
        static const char *const bad[] = {
                "", "x", "0 /a", "-1 /a", "14", "99999999999999999999 /a", "14\t/a"
        };
        const char *file;
        unsigned line;

        assert_int_equal(script_parse_failure("14 /root/a b", &line, &file), 0);
        assert_int_equal(line, 14);
        assert_string_equal(file, "/root/a b");
        for (size_t i = 0; i < ELEMENTSOF(bad); i++)
                assert_int_equal(script_parse_failure(bad[i], &line, &file), -EBADMSG);
}

static void test_parse_interpreter(void **state) {
        static const struct {
                const char *line, *interpreter;
        } cases[] = {
                { "#!/bin/sh -e", "/bin/sh" }, { "#! /usr/bin/env python3\n", "/usr/bin/env" },
                { "#!/bin/sh\r", "/bin/sh" },  { "#!", NULL },
                { "\177ELF", NULL },           { "", NULL },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(freep) char *interpreter = NULL;

                assert_int_equal(script_parse_interpreter(cases[i].line, &interpreter), 0);
                if (cases[i].interpreter)
                        assert_string_equal(interpreter, cases[i].interpreter);
                else
                        assert_null(interpreter);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_parse_failure),
                cmocka_unit_test(test_parse_interpreter),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
