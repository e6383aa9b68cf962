/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "manager-fixture.h"
#include "manager/job-plan.h"

/* Which jobs ended, in their order: "a.target done\n". */
typedef struct Record {
        char text[4096];
} Record;

static void on_job_removed(uint32_t id, ManagedUnit *unit, JobResult result, void *userdata) {
        Record *const record = userdata;
        const size_t length = strlen(record->text);

        (void)snprintf(record->text + length, sizeof(record->text) - length, "%s %s\n", unit->name,
                       job_result_words[result]);
}

static bool begin(ManagerFixture *fixture, const char *directory, Record *record) {
        if (!fixture_begin(fixture, directory)) {
                fixture_end(fixture);
                skip();
                return false;
        }
        *record = (Record){};
        manager_set_events(fixture->manager,
                           &(ManagerEvents){ .job_removed = on_job_removed, .userdata = record });
        return true;
}

static void on_unit_changed(ManagedUnit *unit, void *userdata) {
        Record *const record = userdata;
        const size_t length = strlen(record->text);

        (void)snprintf(record->text + length, sizeof(record->text) - length, "%s is %s\n", unit->name,
                       unit_active_state_words[unit->active]);
}

/* Whoever waits for the end of a job, and then looks at what was told of the unit, sees the end of it. */
static void test_changes_are_told_before_ends(void **state) {
        ManagerFixture fixture;
        Record record;

        fixture_unit("a.target", "[Unit]\nRequires=b.target\nAfter=b.target\n");
        fixture_unit("b.target", "[Unit]\nDescription=B\n");
        if (!begin(&fixture, *state, &record))
                return;
        manager_set_events(fixture.manager, &(ManagerEvents){ .job_removed = on_job_removed,
                                                              .unit_changed = on_unit_changed,
                                                              .userdata = &record });
        assert_int_equal(fixture_job(&fixture, "a.target", JOB_START, NULL), 0);
        assert_string_equal(record.text,
                            "a.target is active\nb.target is active\nb.target done\na.target done\n");
        fixture_end(&fixture);
}

static void test_type_waits(void **state) {
        /* Behind another: a start waits for whatever that does. */
        assert_true(job_type_waits(JOB_START, JOB_START, true));
        assert_true(job_type_waits(JOB_START, JOB_STOP, true));
        assert_false(job_type_waits(JOB_STOP, JOB_STOP, true));
        /* Before another: waits for the end of that. */
        assert_true(job_type_waits(JOB_STOP, JOB_STOP, false));
        assert_true(job_type_waits(JOB_START, JOB_STOP, false));
        assert_false(job_type_waits(JOB_START, JOB_START, false));
        assert_true(job_type_waits(JOB_STOP, JOB_RESTART, false));
}

static void test_order(void **state) {
        ManagerFixture fixture;
        Record record;

        fixture_unit("a.target", "[Unit]\nRequires=b.target\nAfter=b.target\n");
        fixture_unit("b.target", "[Unit]\nWants=c.target\nAfter=c.target\n");
        fixture_unit("c.target", "[Unit]\nDescription=C\n");
        if (!begin(&fixture, *state, &record))
                return;
        assert_int_equal(fixture_job(&fixture, "a.target", JOB_START, NULL), 0);
        assert_string_equal(record.text, "c.target done\nb.target done\na.target done\n");
        assert_int_equal(fixture_state(&fixture, "a.target"), UNIT_ACTIVE);

        /* What is required takes with it what requires it, the other way round; what is wanted does not. */
        record.text[0] = '\0';
        assert_int_equal(fixture_job(&fixture, "b.target", JOB_STOP, NULL), 0);
        assert_string_equal(record.text, "a.target done\nb.target done\n");
        assert_int_equal(fixture_state(&fixture, "c.target"), UNIT_ACTIVE);
        fixture_end(&fixture);
}

static void test_before_is_after_of_the_other(void **state) {
        ManagerFixture fixture;
        Record record;

        fixture_unit("a.target", "[Unit]\nWants=b.target c.target\n");
        fixture_unit("b.target", "[Unit]\nBefore=c.target a.target\n");
        fixture_unit("c.target", "[Unit]\nBefore=a.target\n");
        if (!begin(&fixture, *state, &record))
                return;
        assert_int_equal(fixture_job(&fixture, "a.target", JOB_START, NULL), 0);
        assert_string_equal(record.text, "b.target done\nc.target done\na.target done\n");
        fixture_end(&fixture);
}

static void test_conflicts(void **state) {
        ManagerFixture fixture;
        Record record;

        fixture_unit("a.target", "[Unit]\nConflicts=b.target\n");
        fixture_unit("b.target", "[Unit]\nDescription=B\n");
        if (!begin(&fixture, *state, &record))
                return;
        assert_int_equal(fixture_job(&fixture, "b.target", JOB_START, NULL), 0);
        assert_int_equal(fixture_job(&fixture, "a.target", JOB_START, NULL), 0);
        assert_int_equal(fixture_state(&fixture, "b.target"), UNIT_INACTIVE);
        /* It holds in both directions. */
        assert_int_equal(fixture_job(&fixture, "b.target", JOB_START, NULL), 0);
        assert_int_equal(fixture_state(&fixture, "a.target"), UNIT_INACTIVE);
        assert_int_equal(fixture_state(&fixture, "b.target"), UNIT_ACTIVE);
        fixture_end(&fixture);
}

static void test_refusals(void **state) {
        ManagerFixture fixture;
        Record record;

        fixture_unit("round.target", "[Unit]\nRequires=back.target\nAfter=back.target\n");
        fixture_unit("back.target", "[Unit]\nRequires=round.target\nAfter=round.target\n");
        fixture_unit("both.target", "[Unit]\nRequires=x.target\nConflicts=x.target\n");
        fixture_unit("x.target", "[Unit]\nDescription=X\n");
        fixture_unit("lonely.target", "[Unit]\nRequires=missing.service\n");
        fixture_unit("easy.target", "[Unit]\nWants=missing.service\n");
        if (!begin(&fixture, *state, &record))
                return;
        assert_int_equal(fixture_job(&fixture, "missing.target", JOB_START, NULL), -ENOENT);
        assert_int_equal(fixture_job(&fixture, "lonely.target", JOB_START, NULL), -ENOENT);
        assert_int_equal(fixture_job(&fixture, "easy.target", JOB_START, NULL), 0);
        assert_int_equal(fixture_job(&fixture, "round.target", JOB_START, NULL), -EDEADLK);
        assert_int_equal(fixture_job(&fixture, "x.target", JOB_START, NULL), 0);
        assert_int_equal(fixture_job(&fixture, "both.target", JOB_START, NULL), -EDEADLK);
        fixture_end(&fixture);
}

/* What is only wanted is left out when the order goes round. */
static void test_wanted_cycle(void **state) {
        ManagerFixture fixture;
        Record record;

        fixture_unit("a.target", "[Unit]\nWants=b.target\nAfter=b.target\n");
        fixture_unit("b.target", "[Unit]\nAfter=a.target\n");
        if (!begin(&fixture, *state, &record))
                return;
        assert_int_equal(fixture_job(&fixture, "a.target", JOB_START, NULL), 0);
        assert_int_equal(fixture_state(&fixture, "a.target"), UNIT_ACTIVE);
        assert_int_equal(fixture_state(&fixture, "b.target"), UNIT_INACTIVE);
        fixture_end(&fixture);
}

static void test_restart(void **state) {
        ManagerFixture fixture;
        Record record;

        fixture_unit("a.target", "[Unit]\nPartOf=b.target\nAfter=b.target\n");
        fixture_unit("b.target", "[Unit]\nDescription=B\n");
        if (!begin(&fixture, *state, &record))
                return;
        assert_int_equal(fixture_job(&fixture, "b.target", JOB_START, NULL), 0);
        assert_int_equal(fixture_job(&fixture, "a.target", JOB_START, NULL), 0);
        record.text[0] = '\0';
        assert_int_equal(fixture_job(&fixture, "b.target", JOB_RESTART, NULL), 0);
        assert_string_equal(record.text, "b.target done\na.target done\n");
        assert_int_equal(fixture_state(&fixture, "a.target"), UNIT_ACTIVE);
        fixture_end(&fixture);
}

static ManagedUnit *find(ManagerFixture *fixture, const char *name) {
        ManagedUnit *unit;

        assert_int_equal(manager_find_unit(fixture->manager, name, &unit), 0);
        return unit;
}

/* Those that are about to be started, and whose files are to be read anew, are stopped by what was read: no edge goes while
 * it is followed. */
static void test_stop_of_stale(void **state) {
        ManagerFixture fixture;
        Record record;
        uint32_t id;

        fixture_unit("a1.target", "[Unit]\nRequires=b.target\n");
        fixture_unit("a2.target", "[Unit]\nRequires=b.target\n");
        fixture_unit("b.target", "[Unit]\nDescription=B\n");
        if (!begin(&fixture, *state, &record))
                return;
        assert_int_equal(fixture_job(&fixture, "b.target", JOB_START, NULL), 0);
        ManagedUnit *const a1 = find(&fixture, "a1.target"), *const a2 = find(&fixture, "a2.target");
        assert_int_equal(manager_start_job(fixture.manager, a1, JOB_START, JOB_REPLACE, &id, NULL), 0);
        assert_int_equal(manager_start_job(fixture.manager, a2, JOB_START, JOB_REPLACE, &id, NULL), 0);
        assert_int_equal(manager_reload(fixture.manager, NULL), 0);
        assert_int_equal(manager_start_job(fixture.manager, find(&fixture, "b.target"), JOB_STOP, JOB_REPLACE,
                                           &id, NULL),
                         0);
        assert_true(a1->stale && a2->stale);
        assert_int_equal(a1->job->type, JOB_STOP);
        assert_int_equal(a2->job->type, JOB_STOP);
        fixture_run(&fixture);
        fixture_end(&fixture);
}

/* Whoever is told of the end of a job has the files read anew, which takes all edges of the unit away. */
static void on_job_removed_read_anew(uint32_t id, ManagedUnit *unit, JobResult result, void *userdata) {
        ManagedUnit *read = unit;

        on_job_removed(id, unit, result, userdata);
        read->stale = true;
        assert_int_equal(managed_unit_load(&read), 0);
        assert_ptr_equal(read, unit);
}

/* All that require what could not be started are told so, whatever becomes of the edges that led to them. */
static void test_edges_that_change(void **state) {
        static const char *const names[] = { "a1.target", "a2.target", "a3.target" };
        ManagerFixture fixture;
        Record record;
        uint32_t id;

        fixture_unit("b.target", "[Unit]\nAssertPathExists=/nowhere\n");
        for (size_t i = 0; i < ELEMENTSOF(names); i++)
                fixture_unit(names[i], "[Unit]\nRequires=b.target\nBindsTo=b.target\nAfter=b.target\n");
        if (!begin(&fixture, *state, &record))
                return;
        manager_set_events(fixture.manager,
                           &(ManagerEvents){ .job_removed = on_job_removed_read_anew, .userdata = &record });
        for (size_t i = 0; i < ELEMENTSOF(names); i++)
                assert_int_equal(manager_start_job(fixture.manager, fixture_find(&fixture, names[i]),
                                                   JOB_START, JOB_REPLACE, &id, NULL),
                                 0);
        fixture_run(&fixture);
        for (size_t i = 0; i < ELEMENTSOF(names); i++) {
                _cleanup_(freep) char *line = NULL;

                assert_int_equal(text_format(&line, "%s dependency\n", names[i]), 0);
                assert_non_null(strstr(record.text, line));
        }
        assert_non_null(strstr(record.text, "b.target assert\n"));
        fixture_end(&fixture);
}

/* A unit that something is done with does not become another name of another unit meanwhile. */
static void test_no_alias_in_use(void **state) {
        ManagerFixture fixture;
        Record record;
        uint32_t id;

        fixture_unit("a.target", "[Unit]\nDescription=A\n");
        fixture_unit("b.target", "[Unit]\nDescription=B\n");
        if (!begin(&fixture, *state, &record))
                return;
        ManagedUnit *const a = find(&fixture, "a.target");
        assert_int_equal(manager_start_job(fixture.manager, a, JOB_START, JOB_REPLACE, &id, NULL), 0);
        assert_int_equal(unlink("units/a.target"), 0);
        assert_int_equal(symlink("b.target", "units/a.target"), 0);
        assert_int_equal(manager_reload(fixture.manager, NULL), 0);
        assert_ptr_equal(find(&fixture, "a.target"), a);
        assert_int_equal(manager_reload(fixture.manager, NULL), 0);
        fixture_run(&fixture);
        assert_int_equal(fixture_job(&fixture, "a.target", JOB_STOP, NULL), 0);
        assert_string_equal(find(&fixture, "a.target")->name, "b.target");
        fixture_end(&fixture);
}

/* What waits for its start waits for a restart of what it needs, and is not taken back by it. */
static void test_start_outlives_restart(void **state) {
        ManagerFixture fixture;
        Record record;
        uint32_t id;

        fixture_unit("a.target", "[Unit]\nRequires=b.target\nAfter=b.target\n");
        fixture_unit("b.target", "[Unit]\nDescription=B\n");
        if (!begin(&fixture, *state, &record))
                return;
        assert_int_equal(fixture_job(&fixture, "b.target", JOB_START, NULL), 0);
        record.text[0] = '\0';
        assert_int_equal(manager_start_job(fixture.manager, find(&fixture, "a.target"), JOB_START,
                                           JOB_REPLACE, &id, NULL),
                         0);
        assert_int_equal(manager_start_job(fixture.manager, find(&fixture, "b.target"), JOB_RESTART,
                                           JOB_REPLACE, &id, NULL),
                         0);
        fixture_run(&fixture);
        assert_string_equal(record.text, "b.target done\na.target done\n");
        fixture_end(&fixture);
}

static int job_in_mode(ManagerFixture *fixture, const char *name, JobType type, JobMode mode) {
        uint32_t id;

        return manager_start_job(fixture->manager, find(fixture, name), type, mode, &id, NULL);
}

/* Jobs that would have to become their opposite are left alone by those that may not replace them. */
static void test_mode_fail(void **state) {
        ManagerFixture fixture;
        Record record;

        fixture_unit("a.target", "[Unit]\nRequires=b.target\nAfter=b.target\n");
        fixture_unit("b.target", "[Unit]\nDescription=B\n");
        if (!begin(&fixture, *state, &record))
                return;
        assert_int_equal(job_in_mode(&fixture, "a.target", JOB_START, JOB_FAIL), 0);
        assert_int_equal(job_in_mode(&fixture, "b.target", JOB_STOP, JOB_FAIL), -EBUSY);
        assert_int_equal(job_in_mode(&fixture, "b.target", JOB_TRY_RESTART, JOB_FAIL), 0);
        fixture_run(&fixture);
        assert_int_equal(fixture_state(&fixture, "a.target"), UNIT_ACTIVE);
        assert_int_equal(job_in_mode(&fixture, "a.target", JOB_STOP, JOB_REPLACE), 0);
        assert_int_equal(job_in_mode(&fixture, "a.target", JOB_RESTART, JOB_FAIL), -EBUSY);
        fixture_run(&fixture);
        assert_int_equal(fixture_state(&fixture, "a.target"), UNIT_INACTIVE);
        fixture_end(&fixture);
}

/* What the unit says of others does not count; its order does, unless that is not to count either. */
static void test_modes_that_ignore(void **state) {
        ManagerFixture fixture;
        Record record;

        fixture_unit("a.target",
                     "[Unit]\nRequires=b.target missing.target\nConflicts=c.target\nAfter=c.target\n");
        fixture_unit("b.target", "[Unit]\nDescription=B\n");
        fixture_unit("c.target", "[Unit]\nDescription=C\n");
        if (!begin(&fixture, *state, &record))
                return;
        assert_int_equal(job_in_mode(&fixture, "a.target", JOB_START, JOB_REPLACE), -ENOENT);
        assert_int_equal(job_in_mode(&fixture, "a.target", JOB_START, JOB_IGNORE_REQUIREMENTS), 0);
        assert_int_equal(job_in_mode(&fixture, "c.target", JOB_START, JOB_IGNORE_REQUIREMENTS), 0);
        fixture_run(&fixture);
        assert_string_equal(record.text, "c.target done\na.target done\n");
        assert_int_equal(fixture_state(&fixture, "b.target"), UNIT_INACTIVE);
        assert_int_equal(fixture_state(&fixture, "c.target"), UNIT_ACTIVE);

        assert_int_equal(job_in_mode(&fixture, "a.target", JOB_STOP, JOB_REPLACE), 0);
        assert_int_equal(job_in_mode(&fixture, "c.target", JOB_STOP, JOB_REPLACE), 0);
        fixture_run(&fixture);
        record.text[0] = '\0';
        assert_int_equal(job_in_mode(&fixture, "a.target", JOB_START, JOB_IGNORE_DEPENDENCIES), 0);
        assert_int_equal(job_in_mode(&fixture, "c.target", JOB_START, JOB_IGNORE_REQUIREMENTS), 0);
        fixture_run(&fixture);
        assert_string_equal(record.text, "a.target done\nc.target done\n");
        fixture_end(&fixture);
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_type_waits),
                unit_test_in_directory(test_changes_are_told_before_ends),
                unit_test_in_directory(test_order),
                unit_test_in_directory(test_before_is_after_of_the_other),
                unit_test_in_directory(test_conflicts),
                unit_test_in_directory(test_refusals),
                unit_test_in_directory(test_wanted_cycle),
                unit_test_in_directory(test_restart),
                unit_test_in_directory(test_stop_of_stale),
                unit_test_in_directory(test_edges_that_change),
                unit_test_in_directory(test_no_alias_in_use),
                unit_test_in_directory(test_start_outlives_restart),
                unit_test_in_directory(test_mode_fail),
                unit_test_in_directory(test_modes_that_ignore),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
