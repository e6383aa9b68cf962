/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "distro/rpm-list.h"

static void test_packages(void **state) {
        DistroPackages packages = {};

        assert_int_equal(rpm_list_take("package\tbash\t5.2-1\tx86_64", &packages), 1);
        assert_int_equal(rpm_list_take("package\tperl\t4:5.38-2\tnoarch", &packages), 1);
        assert_int_equal(packages.n_items, 2);
        assert_string_equal(packages.items[0].name, "bash");
        assert_string_equal(packages.items[0].version, "5.2-1");
        assert_string_equal(packages.items[0].architecture, "x86_64");
        assert_string_equal(packages.items[1].version, "4:5.38-2");
        distro_packages_done(&packages);
}

static void test_what_is_no_package(void **state) {
        DistroPackages packages = {};

        assert_int_equal(rpm_list_take("warning: something else", &packages), 0);
        assert_int_equal(rpm_list_take("", &packages), 0);
        assert_int_equal(rpm_list_take("package\tgpg-pubkey\t1234-5678\t(none)", &packages), 0);
        assert_int_equal(rpm_list_take("package\tbash\t5.2-1", &packages), -EBADMSG);
        assert_int_equal(rpm_list_take("package\tbash\t5.2-1\tx86_64\tmore", &packages), -EBADMSG);
        assert_int_equal(packages.n_items, 0);
        distro_packages_done(&packages);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_packages),
                cmocka_unit_test(test_what_is_no_package),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
