/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "base/strv.h"
#include "unit/unit-load.h"

static void check(const char *name, const char *const *assignments, const char *const *expected) {
        _cleanup_(unit_freep) Unit *unit = NULL, *again = NULL;
        _cleanup_(strv_freep) char **written = NULL, **rewritten = NULL;

        assert_int_equal(unit_new_transient(name, assignments, "test", &unit), 0);
        assert_null(unit->mistakes.texts);
        assert_int_equal(unit_settings_write(unit, &written), 0);
        for (const char *const *item = expected; *item; item++)
                assert_true(strv_contains(STRV(written), *item));

        /* Read again it says the same. */
        assert_int_equal(unit_new_transient(name, STRV(written), "test", &again), 0);
        assert_null(again->mistakes.texts);
        assert_int_equal(unit_settings_write(again, &rewritten), 0);
        assert_true(strv_equal(STRV(written), STRV(rewritten)));
}

static void test_service(void **state) {
        static const char *const assignments[] = {
                "Description=Of everything",
                "ExecStart=/bin/sh -c 'echo  \"%n\" $A'",
                "ExecStart=/bin/true",
                "Type=oneshot",
                "TimeoutStartSec=1min 30s",
                "LimitNOFILE=10:20",
                "UMask=0027",
                "KillSignal=USR1",
                "After=a.service b.service",
                "After=c.target",
                "Environment=A=1 \"B=2 3\"",
                "Nice=-5",
                "DynamicUser=yes",
                "StateDirectory=one two",
                "ProtectSystem=full",
                "CPUAccounting=yes",
                NULL,
        };
        static const char *const expected[] = {
                "Description=Of everything",
                "ExecStart=/bin/sh -c 'echo  \"%n\" $A'",
                "ExecStart=/bin/true",
                "TimeoutStartSec=1min 30s",
                "LimitNOFILE=10:20",
                "UMask=0027",
                "KillSignal=SIGUSR1",
                "After=a.service",
                "After=c.target",
                "Environment=A=1 \"B=2 3\"",
                "Nice=-5",
                "CPUAccounting=yes",
                NULL,
        };

        check("x.service", assignments, expected);
}

static void test_slice(void **state) {
        static const char *const assignments[] = { "CPUAccounting=no", "TasksMax=5", NULL };

        check("x.slice", assignments, assignments);
}

static void test_nothing_is_set(void **state) {
        _cleanup_(unit_freep) Unit *unit = NULL;
        _cleanup_(strv_freep) char **written = NULL;

        assert_int_equal(unit_new_transient("x.slice", NULL, "test", &unit), 0);
        assert_int_equal(unit_settings_write(unit, &written), 0);
        assert_int_equal(strv_length(STRV(written)), 0);
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_service),
                cmocka_unit_test(test_slice),
                cmocka_unit_test(test_nothing_is_set),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
