/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/text.h"
#include "unit/unit-check.h"

static void test_calls(void **state) {
        static const char *const settings[] = {
                "ExecStart=/bin/true",
                "SystemCallFilter=@system-service opne",
                "SystemCallFilter=~@mount:EPERM @files:EXDEV",
                "SystemCallFilter=mkdir osf_shmat",
                "SystemCallLog=~raed",
                NULL,
        };
        static const char *const warnings[] = {
                "--property: SystemCallFilter=: no system call \"opne\" is known, it is passed over; did you mean \"open\"?",
                "--property: SystemCallFilter=: no group of system calls \"@files\" is known, it is passed over",
                "--property: SystemCallLog=: no system call \"raed\" is known, it is passed over; did you mean \"read\"?",
        };
        _cleanup_(unit_freep) Unit *unit = NULL;

        assert_int_equal(unit_new_transient("a.service", settings, "--property", &unit), 0);
        assert_null(unit->mistakes.texts);
        assert_int_equal(unit->state, UNIT_LOADED);
        for (size_t i = 0; i < ELEMENTSOF(warnings); i++)
                assert_string_equal(unit->mistakes.warnings[i], warnings[i]);
        assert_null(unit->mistakes.warnings[ELEMENTSOF(warnings)]);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_calls),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
