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
        const DistroCommand offline_command = { .environment = (const char *const[]){ "INITRD=No", NULL } };
        _cleanup_(strv_freep) char **offline = NULL, **online = NULL;

        assert_int_equal(setenv("SOURCE_DATE_EPOCH", "1700000000", true), 0);
        assert_int_equal(setenv("http_proxy", "http://proxy:3128", true), 0);
        assert_int_equal(setenv("SECRET", "1", true), 0);

        assert_int_equal(distro_environment(&(const Config){}, &offline_command, &offline), 0);
        assert_true(strv_contains(STRV(offline), "SOURCE_DATE_EPOCH=1700000000"));
        assert_true(strv_contains(STRV(offline), "LC_ALL=C.UTF-8"));
        assert_true(strv_contains(STRV(offline), "INITRD=No"));
        assert_false(strv_contains(STRV(offline), "http_proxy=http://proxy:3128"));

        assert_int_equal(
                distro_environment(&(const Config){}, &(const DistroCommand){ .network = true }, &online), 0);
        assert_true(strv_contains(STRV(online), "http_proxy=http://proxy:3128"));
        for (size_t i = 0; online[i]; i++)
                assert_null(text_after_prefix(online[i], "SECRET="));

        assert_int_equal(unsetenv("SOURCE_DATE_EPOCH"), 0);
}

/* What is said of a name that everybody has is all that is said of it. */
static void test_environment_of_a_command(void **state) {
        static const char *const own[] = { "HOME=/home",     "PATH=/own", "LC_ALL=C",
                                           "http_proxy=own", "TERM=own",  NULL };
        const DistroCommand command = { .environment = own, .network = true, .terminal = true };
        _cleanup_(strv_freep) char **environment = NULL;

        assert_int_equal(setenv("http_proxy", "http://proxy:3128", true), 0);
        assert_int_equal(setenv("TERM", "vt100", true), 0);
        assert_int_equal(distro_environment(&(const Config){}, &command, &environment), 0);
        for (size_t i = 0; own[i]; i++) {
                const size_t length = strcspn(own[i], "=") + 1;
                unsigned n = 0;

                for (size_t k = 0; environment[k]; k++)
                        n += strncmp(environment[k], own[i], length) == 0;
                assert_int_equal(n, 1);
                assert_true(strv_contains(STRV(environment), own[i]));
        }
        strv_free(TAKE_PTR(environment));
        assert_int_equal(distro_environment(&(const Config){}, &(const DistroCommand){ .terminal = true },
                                            &environment),
                         0);
        assert_true(strv_contains(STRV(environment), "TERM=vt100"));
        assert_false(strv_contains(STRV(environment), "TERM=dumb"));
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
                cmocka_unit_test(test_environment_of_a_command),
                cmocka_unit_test(test_search_path),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
