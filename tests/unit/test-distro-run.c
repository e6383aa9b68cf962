/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/strv.h"
#include "base/text.h"
#include "distro/distro-run.h"

static void test_environment(void **state) {
        static const char *const more[] = { "INITRD=No", NULL };
        _cleanup_(strv_freep) char **offline = NULL, **online = NULL;

        assert_int_equal(setenv("SOURCE_DATE_EPOCH", "1700000000", true), 0);
        assert_int_equal(setenv("http_proxy", "http://proxy:3128", true), 0);
        assert_int_equal(setenv("SECRET", "1", true), 0);

        assert_int_equal(distro_environment(false, more, &offline), 0);
        assert_true(strv_contains(STRV(offline), "SOURCE_DATE_EPOCH=1700000000"));
        assert_true(strv_contains(STRV(offline), "LC_ALL=C.UTF-8"));
        assert_true(strv_contains(STRV(offline), "INITRD=No"));
        assert_false(strv_contains(STRV(offline), "http_proxy=http://proxy:3128"));

        assert_int_equal(distro_environment(true, NULL, &online), 0);
        assert_true(strv_contains(STRV(online), "http_proxy=http://proxy:3128"));
        for (size_t i = 0; online[i]; i++)
                assert_null(text_after_prefix(online[i], "SECRET="));

        assert_int_equal(unsetenv("SOURCE_DATE_EPOCH"), 0);
}

static void test_search_path(void **state) {
        char *extra[] = { (char *)"/opt/tools", (char *)"/home/user/bin", NULL };
        _cleanup_(freep) char *usual = NULL, *longer = NULL;

        assert_int_equal(distro_search_path(&(const Config){}, &usual), 0);
        assert_string_equal(usual, "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
        assert_int_equal(distro_search_path(&(const Config){ .extra_search_paths = extra }, &longer), 0);
        assert_non_null(text_after_prefix(longer, "/opt/tools:/home/user/bin:/usr/local/sbin:"));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_environment),
                cmocka_unit_test(test_search_path),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
