/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/text.h"
#include "distro/rpm-list.h"

static void test_take(void **state) {
        _cleanup_(distro_packages_done) DistroPackages packages = {};

        assert_int_equal(rpm_list_take("package\tbash\t5.2-1.fc44\tx86_64", &packages), 1);
        assert_int_equal(rpm_list_take("warning: something", &packages), 0);
        assert_int_equal(rpm_list_take("package\tgpg-pubkey\t1-2\t(none)", &packages), 0);
        assert_int_equal(rpm_list_take("package\tbash\t5.2", &packages), -EBADMSG);
        assert_int_equal(packages.n_items, 1);
        assert_string_equal(packages.items[0].name, "bash");
        assert_string_equal(packages.items[0].version, "5.2-1.fc44");
        assert_string_equal(packages.items[0].architecture, "x86_64");
        assert_non_null(text_after_prefix(rpm_list_format, "package\t%{NAME}"));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_take),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
