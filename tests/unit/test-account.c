/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "image/account.h"

static void test_set_password(void **state) {
        static const struct {
                const char *text, *field, *result;
                int r;
        } cases[] = {
                { "root:x:0:0\nbin:x:1\n", "", "root::0:0\nbin:x:1\n", 0 },
                { "bin:*:1\nroot:*:19000:0\n", "$6$a", "bin:*:1\nroot:$6$a:19000:0\n", 0 },
                { "toor:x:0\nroot:x", "y", "toor:x:0\nroot:y", 0 },
                { "rooty:x:0\n", "y", NULL, -ESRCH },
                { "", "y", NULL, -ESRCH },
                { "root:x:0\n", "a:b", NULL, -EINVAL },
                { "root:x:0\n", "a\nb", NULL, -EINVAL },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(freep) char *result = NULL;

                assert_int_equal(account_set_password(cases[i].text, "root", cases[i].field, &result),
                                 cases[i].r);
                if (cases[i].result)
                        assert_string_equal(result, cases[i].result);
                else
                        assert_null(result);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = { cmocka_unit_test(test_set_password) };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
