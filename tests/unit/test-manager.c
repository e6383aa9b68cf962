/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "manager-fixture.h"

static bool begin(ManagerFixture *fixture, const char *directory) {
        if (fixture_begin(fixture, directory))
                return true;
        fixture_end(fixture);
        skip();
        return false;
}

typedef struct Counts {
        unsigned n_changed, n_removed;
} Counts;

static void on_changed(ManagedUnit *unit, void *userdata) {
        ((Counts *)userdata)->n_changed++;
}

static void on_removed(const char *name, void *userdata) {
        ((Counts *)userdata)->n_removed++;
}

static void test_names(void **state) {
        ManagerFixture fixture;
        ManagedUnit *unit;

        if (!begin(&fixture, *state))
                return;
        assert_int_equal(manager_find_unit(fixture.manager, "../a.service", &unit), -EINVAL);
        assert_int_equal(manager_find_unit(fixture.manager, "a@.service", &unit), -EINVAL);
        assert_int_equal(manager_find_unit(fixture.manager, "a", &unit), -EINVAL);
        assert_null(manager_known_unit(fixture.manager, "a.service"));
        assert_int_equal(fixture_find(&fixture, "a.service")->unit->state, UNIT_NOT_FOUND);
        fixture_end(&fixture);
}

/* What nobody wants to know of any more is forgotten. */
static void test_forgetting(void **state) {
        ManagerFixture fixture;
        Counts counts = {};

        fixture_unit("a.target", "[Unit]\nWants=b.target\n");
        if (!begin(&fixture, *state))
                return;
        manager_set_events(fixture.manager,
                           &(ManagerEvents){ .unit_removed = on_removed, .userdata = &counts });
        managed_unit_hold(fixture_find(&fixture, "a.target"));
        fixture_run(&fixture);
        assert_int_equal(counts.n_removed, 0);
        assert_non_null(manager_known_unit(fixture.manager, "a.target"));
        managed_unit_let_go(manager_known_unit(fixture.manager, "a.target"));
        fixture_run(&fixture);
        assert_int_equal(counts.n_removed, 1);
        assert_int_equal(fixture.manager->units.n_entries, 0);
        fixture_end(&fixture);
}

static void test_one_change_for_each_turn(void **state) {
        ManagerFixture fixture;
        Counts counts = {};
        uint32_t id;

        fixture_unit("a.target", "[Unit]\nDescription=A\n");
        if (!begin(&fixture, *state))
                return;
        manager_set_events(fixture.manager,
                           &(ManagerEvents){ .unit_changed = on_changed, .userdata = &counts });
        assert_int_equal(manager_start_job(fixture.manager, fixture_find(&fixture, "a.target"), JOB_START,
                                           JOB_REPLACE, &id, NULL),
                         0);
        assert_true(id > 0);
        fixture_run(&fixture);
        assert_int_equal(counts.n_changed, 1);
        fixture_end(&fixture);
}

static void test_alias(void **state) {
        ManagerFixture fixture;
        ManagedUnit **units;
        size_t n_units;

        fixture_unit("real.target", "[Unit]\nDescription=Real\n");
        fixture_unit("other.target", "[Unit]\nRequires=alias.target\nAfter=alias.target\n");
        assert_int_equal(symlink("real.target", "units/alias.target"), 0);
        if (!begin(&fixture, *state))
                return;
        assert_int_equal(fixture_job(&fixture, "other.target", JOB_START, NULL), 0);
        assert_int_equal(fixture_state(&fixture, "real.target"), UNIT_ACTIVE);
        assert_ptr_equal(fixture_find(&fixture, "alias.target"), fixture_find(&fixture, "real.target"));
        assert_int_equal(manager_list_units(fixture.manager, &units, &n_units), 0);
        assert_int_equal(n_units, 2);
        assert_string_equal(units[0]->name, "other.target");
        free(units);
        /* What was said of the one name holds for the other. */
        assert_int_equal(fixture_job(&fixture, "real.target", JOB_STOP, NULL), 0);
        assert_int_equal(fixture_state(&fixture, "other.target"), UNIT_INACTIVE);
        fixture_end(&fixture);
}

static void test_reload(void **state) {
        ManagerFixture fixture;

        fixture_unit("a.target", "[Unit]\nDescription=Old\n");
        if (!begin(&fixture, *state))
                return;
        assert_int_equal(fixture_job(&fixture, "a.target", JOB_START, NULL), 0);
        fixture_unit("a.target", "[Unit]\nDescription=New\n");
        assert_int_equal(manager_reload(fixture.manager, NULL), 0);
        assert_string_equal(managed_unit_description(fixture_find(&fixture, "a.target")), "Old");
        assert_int_equal(fixture_job(&fixture, "a.target", JOB_STOP, NULL), 0);
        assert_string_equal(managed_unit_description(fixture_find(&fixture, "a.target")), "New");
        fixture_end(&fixture);
}

static void test_transient_and_properties(void **state) {
        static const char *const assignments[] = { "Description=T", "CPUAccounting=yes", NULL };
        static const char *const change[] = { "CPUAccounting=no", "TasksMax=7", NULL };
        static const char *const bad[] = { "Description=Other", NULL };
        ManagerFixture fixture;
        ManagedUnit *unit;

        if (!begin(&fixture, *state))
                return;
        assert_int_equal(manager_add_transient(fixture.manager, "t.slice", assignments, NULL, &unit, NULL),
                         0);
        managed_unit_hold(unit);
        assert_int_equal(access("run/transient/t.slice", F_OK), 0);
        assert_int_equal(manager_add_transient(fixture.manager, "t.slice", assignments, NULL, &unit, NULL),
                         -EEXIST);
        assert_int_equal(managed_unit_set_properties(unit, true, bad, NULL), -EINVAL);
        assert_int_equal(managed_unit_set_properties(unit, true, change, NULL), 0);
        assert_int_equal(unit->unit->settings.cpu_accounting, TRUTH_NO);
        assert_string_equal(unit->unit->settings.tasks_max, "7");
        assert_int_equal(access("run/system.control/t.slice.d/50-TasksMax.conf", F_OK), 0);

        /* The files say the same. */
        assert_int_equal(manager_reload(fixture.manager, NULL), 0);
        assert_int_equal(fixture_find(&fixture, "t.slice")->unit->settings.cpu_accounting, TRUTH_NO);
        assert_string_equal(managed_unit_description(unit), "T");
        managed_unit_let_go(unit);
        fixture_run(&fixture);
        assert_int_equal(access("run/transient/t.slice", F_OK), -1);
        assert_int_equal(access("run/system.control/t.slice.d", F_OK), -1);
        fixture_end(&fixture);
}

/* A value must not become two settings in a file. */
static void test_hostile_values(void **state) {
        static const char *const hostile[] = {
                "Description=a\nWants=evil.target",
                "Description=a\rb",
                "Description=a\\",
        };
        ManagerFixture fixture;
        ManagedUnit *unit;

        if (!begin(&fixture, *state))
                return;
        for (size_t i = 0; i < ELEMENTSOF(hostile); i++) {
                const char *const assignments[] = { hostile[i], NULL };

                assert_int_equal(manager_add_transient(fixture.manager, "t.slice", assignments, NULL, &unit,
                                                       NULL),
                                 -EINVAL);
                assert_int_equal(access("run/transient/t.slice", F_OK), -1);
        }
        assert_int_equal(manager_add_transient(fixture.manager, "../t.slice", NULL, NULL, &unit, NULL),
                         -EINVAL);
        fixture_end(&fixture);
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                unit_test_in_directory(test_names),
                unit_test_in_directory(test_forgetting),
                unit_test_in_directory(test_one_change_for_each_turn),
                unit_test_in_directory(test_alias),
                unit_test_in_directory(test_reload),
                unit_test_in_directory(test_transient_and_properties),
                unit_test_in_directory(test_hostile_values),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
