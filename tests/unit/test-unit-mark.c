/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "temporary-directory.h"
#include "unit-tree.h"
#include "unit/unit-mark.h"

#define DROP_IN "etc/a.service.d/x.conf"

static void set_time(const char *path, time_t time) {
        const struct timespec times[2] = { { .tv_sec = time }, { .tv_sec = time } };

        assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
}

static bool differs(const Unit *unit, const UnitPaths *paths, const char *path) {
        _cleanup_(freep) char *full = NULL;

        assert_int_equal(path_join(paths->root, path, &full), 0);
        return unit_mark_differs(unit, paths, full);
}

/* All files of a unit are noted when it is loaded. */
static void test_changes(void **state) {
        UnitPaths paths = unit_tree_paths();
        _cleanup_(unit_freep) Unit *unit = NULL;

        unit_tree_write("lib/real", "[Service]\nExecStart=/bin/true\n");
        unit_tree_link("etc/a.service", "/lib/real");
        unit_tree_write(DROP_IN, "[Service]\nNice=1\n");
        set_time("lib/real", 1000);
        set_time(DROP_IN, 1000);
        assert_int_equal(unit_load(&paths, "a.service", &unit), 0);
        assert_int_equal(unit->n_marks, 2);
        assert_false(differs(unit, &paths, "etc/a.service"));
        assert_false(differs(unit, &paths, DROP_IN));

        /* To an older time, and back. */
        set_time(DROP_IN, 999);
        assert_true(differs(unit, &paths, DROP_IN));
        set_time(DROP_IN, 1000);
        assert_false(differs(unit, &paths, DROP_IN));

        /* As long as before, and of the same time, but another file. */
        unit_tree_write("new", "[Service]\nNice=2\n");
        set_time("new", 1000);
        assert_int_equal(rename("new", DROP_IN), 0);
        assert_true(differs(unit, &paths, DROP_IN));

        /* The file behind a link counts. */
        set_time("lib/real", 2000);
        assert_true(differs(unit, &paths, "etc/a.service"));
        assert_int_equal(unlink("lib/real"), 0);
        assert_true(differs(unit, &paths, "etc/a.service"));
        unit_paths_done(&paths);
}

static void test_copies(void **state) {
        UnitPaths paths = unit_tree_paths();
        _cleanup_(unit_freep) Unit *unit = NULL, *copy = NULL;
        _cleanup_(freep) char *path = NULL, *absent = NULL;

        unit_tree_write("etc/b.service", "[Service]\nExecStart=/bin/true\n");
        assert_int_equal(path_join(paths.root, "etc/b.service", &path), 0);
        assert_int_equal(path_join(paths.root, "etc/absent", &absent), 0);
        assert_int_equal(unit_load(&paths, "b.service", &unit), 0);
        assert_int_equal(unit_new_transient("b.service", NULL, "test", &copy), 0);
        assert_true(unit_mark_differs(copy, &paths, path));
        assert_int_equal(unit_mark_copy(copy, unit, path), 0);
        assert_false(unit_mark_differs(copy, &paths, path));

        /* What is noted again is noted once. */
        set_time("etc/b.service", 1000);
        assert_true(unit_mark_differs(copy, &paths, path));
        assert_int_equal(unit_mark_file(copy, &paths, path), 0);
        assert_false(unit_mark_differs(copy, &paths, path));
        assert_int_equal(copy->n_marks, 1);

        assert_int_equal(unit_mark_copy(copy, unit, absent), 0);
        assert_int_equal(copy->n_marks, 1);
        assert_false(unit_mark_differs(copy, &paths, absent));
        unit_tree_write("etc/absent", "");
        assert_true(unit_mark_differs(copy, &paths, absent));
        unit_paths_done(&paths);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_changes),
                cmocka_unit_test(test_copies),
        };

        return cmocka_run_group_tests(tests, temporary_directory_enter, temporary_directory_leave);
}
