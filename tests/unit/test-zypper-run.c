/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/strv.h"
#include "base/text.h"
#include "distro/zypper-run.h"

static void expect(ZypperStage stage, const char *const *packages, const char *expected) {
        _cleanup_(strv_freep) char **arguments = NULL;
        _cleanup_(freep) char *text = NULL;

        assert_int_equal(zypper_arguments(stage, packages, &arguments), 0);
        assert_int_equal(strv_join(STRV(arguments), " ", &text), 0);
        assert_string_equal(text, expected);
}

#define OPTIONS                                                                                          \
        "zypper --config=/run/zypper/zypper.conf --non-interactive --no-color --no-cd --root=/run/tree " \
        "--reposd-dir=/run/zypper/repos --cache-dir=/run/zypper/cache --pkg-cache-dir=/run/zypper/packages "
#define INSTALL OPTIONS "--no-refresh install --no-confirm --no-recommends --auto-agree-with-licenses "

static void test_arguments(void **state) {
        static const char *const packages[] = { "vim", "tea=1", NULL };

        expect(ZYPPER_REFRESH, packages, OPTIONS "refresh");
        expect(ZYPPER_FETCH, packages, INSTALL "--download-only -- vim tea=1");
        expect(ZYPPER_INSTALL, packages, INSTALL "--download-in-advance -- vim tea=1");
}

static void test_status(void **state) {
        assert_int_equal(zypper_judge(0), 0);
        assert_int_equal(zypper_judge(102), 0);
        assert_int_equal(zypper_judge(103), 0);
        assert_int_equal(zypper_judge(107), 1);
        assert_int_equal(zypper_judge(4), -EIO);
        assert_int_equal(zypper_judge(104), -EIO);
        assert_int_equal(zypper_judge(106), -EIO);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_arguments),
                cmocka_unit_test(test_status),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
