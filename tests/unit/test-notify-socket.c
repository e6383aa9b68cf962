/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "manager-fixture.h"
#include "manager/notify-socket.h"
#include "manager/service.h"

static void say(ManagedUnit *unit, const char *text) {
        char *const copy = strdup(text);

        assert_non_null(copy);
        notify_message(unit, getpid(), copy);
        free(copy);
}

static ManagedUnit *begin(ManagerFixture *fixture, const char *directory, const char *access) {
        const char *const assignments[] = { "ExecStart=/bin/true", access, NULL };
        ManagedUnit *unit;

        if (!fixture_begin(fixture, directory)) {
                fixture_end(fixture);
                skip();
        }
        assert_int_equal(manager_add_transient(fixture->manager, "t.service", assignments, NULL, &unit, NULL),
                         0);
        managed_unit_hold(unit);
        unit->service->state = SERVICE_RUNNING;
        return unit;
}

static void test_status(void **state) {
        ManagerFixture fixture;
        ManagedUnit *const unit = begin(&fixture, *state, "NotifyAccess=all");

        say(unit, "STATUS=busy\nX-OTHER=1\nnonsense\n");
        assert_string_equal(unit->service->status_text, "busy");
        /* A run that is over is not heard any more. */
        unit->service->state = SERVICE_AUTO_RESTART;
        say(unit, "STATUS=late\nMAINPID=1");
        unit->service->state = SERVICE_RUNNING;
        assert_string_equal(unit->service->status_text, "busy");
        /* What terminals obey does not get there. */
        say(unit, "STATUS=\033[31mred");
        assert_null(strchr(unit->service->status_text, '\033'));
        say(unit, "STATUS=");
        assert_null(unit->service->status_text);
        unit->service->state = SERVICE_DEAD;
        managed_unit_let_go(unit);
        fixture_end(&fixture);
}

static void test_who_is_heard(void **state) {
        static const char *const accesses[] = { "NotifyAccess=none", "NotifyAccess=main",
                                                "NotifyAccess=exec" };

        for (size_t i = 0; i < ELEMENTSOF(accesses); i++) {
                ManagerFixture fixture;
                ManagedUnit *const unit = begin(&fixture, *state, accesses[i]);

                say(unit, "STATUS=busy");
                assert_null(unit->service->status_text);
                unit->service->state = SERVICE_DEAD;
                managed_unit_let_go(unit);
                fixture_run(&fixture);
                fixture_end(&fixture);
        }
}

/* A number that is out of range, and a process of somebody else. */
static void test_bad_values(void **state) {
        ManagerFixture fixture;
        ManagedUnit *const unit = begin(&fixture, *state, "NotifyAccess=all");

        say(unit, "MAINPID=1\nWATCHDOG_USEC=-5\nEXTEND_TIMEOUT_USEC=x");
        say(unit, "MAINPID=99999999999999999999");
        assert_null(unit->service->main);
        assert_int_equal(unit->service->watchdog_usec, 0);
        say(unit, "WATCHDOG_USEC=5000000");
        assert_int_equal(unit->service->watchdog_usec, 5000000);
        unit->service->state = SERVICE_DEAD;
        managed_unit_let_go(unit);
        fixture_end(&fixture);
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                unit_test_in_directory(test_status),
                unit_test_in_directory(test_who_is_heard),
                unit_test_in_directory(test_bad_values),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
