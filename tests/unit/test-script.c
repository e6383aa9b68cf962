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

/* Names are what they are, also those that a shell would take apart. */
static void test_bash_environment(void **state) {
        _cleanup_(freep) char *plain = NULL, *quoted = NULL;

        assert_int_equal(script_bash_environment("/root/mkosi.build", &plain), 0);
        assert_non_null(strstr(plain, "if [[ $0 == /root/mkosi.build ]]; then\n"));
        assert_int_equal(script_bash_environment("/root/it's [a] \\ b", &quoted), 0);
        assert_non_null(strstr(quoted, "if [[ $0 == '/root/it'\\''s [a] \\ b' ]]; then\n"));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_parse_failure),
                cmocka_unit_test(test_bash_environment),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
