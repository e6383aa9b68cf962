/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>
#include <unistd.h>

#include "temporary-directory.h"
#include "unit-tree.h"
#include "unit/unit-file-state.h"

#define SERVICE "[Service]\nExecStart=/bin/true\n"
#define INSTALL SERVICE "[Install]\nWantedBy=multi-user.target\n"

#define ETC "etc/systemd/system/"
#define RUN "run/systemd/system/"
#define LIB "lib/systemd/system/"

static UnitPaths make_paths(void) {
        static const char *const directories[] = { "run/mkosi/transient", "etc/systemd/system",
                                                   "run/systemd/system", "run/systemd/generator",
                                                   "lib/systemd/system" };
        UnitPaths paths = {};

        assert_int_equal(path_absolute(".", &paths.root), 0);
        for (size_t i = 0; i < ELEMENTSOF(directories); i++) {
                assert_int_equal(path_make_directories(AT_FDCWD, directories[i], 0755), 0);
                assert_int_equal(strv_append_format(&paths.directories, "%s/%s", paths.root, directories[i]),
                                 0);
        }
        return paths;
}

static void assert_state(const UnitPaths *paths, const char *name, const char *expected) {
        _cleanup_(unit_freep) Unit *unit = NULL;

        assert_int_equal(unit_load(paths, name, &unit), 0);
        assert_string_equal(unit_file_state(paths, name, unit), expected);
}

static void test_states(void **state) {
        _cleanup_(unit_paths_done) UnitPaths paths = make_paths();

        unit_tree_write(LIB "fixed.service", SERVICE);
        unit_tree_write(LIB "also.service", SERVICE "[Install]\nAlso=x.service\n");
        unit_tree_write(LIB "off.service", INSTALL);
        unit_tree_write(LIB "on.service", INSTALL);
        unit_tree_write(LIB "now.service", INSTALL);
        unit_tree_write(LIB "both.service", INSTALL);
        unit_tree_link(ETC "multi-user.target.wants/on.service", "/" LIB "on.service");
        unit_tree_link(RUN "multi-user.target.wants/now.service", "/" LIB "now.service");
        unit_tree_link(RUN "multi-user.target.wants/both.service", "/" LIB "both.service");
        unit_tree_link(ETC "multi-user.target.wants/both.service", "/" LIB "both.service");
        assert_state(&paths, "fixed.service", "static");
        assert_state(&paths, "also.service", "indirect");
        assert_state(&paths, "off.service", "disabled");
        assert_state(&paths, "on.service", "enabled");
        assert_state(&paths, "now.service", "enabled-runtime");
        assert_state(&paths, "both.service", "enabled");
        assert_state(&paths, "none.service", "");
}

/* What is not simply a file. */
static void test_other_states(void **state) {
        _cleanup_(unit_paths_done) UnitPaths paths = make_paths();

        unit_tree_write(LIB "real.service", SERVICE);
        unit_tree_link(ETC "other.service", "real.service");
        unit_tree_write("opt/away.service", INSTALL);
        unit_tree_link(ETC "away.service", "/opt/away.service");
        unit_tree_write("opt/away-now.service", INSTALL);
        unit_tree_link(RUN "away-now.service", "/opt/away-now.service");
        unit_tree_write("opt/away-on.service", INSTALL);
        unit_tree_link(ETC "away-on.service", "/opt/away-on.service");
        unit_tree_link(ETC "multi-user.target.wants/away-on.service", "/opt/away-on.service");
        unit_tree_link(ETC "same.service", "/" LIB "same.service");
        unit_tree_write(LIB "same.service", SERVICE);
        unit_tree_link(ETC "masked.service", "/dev/null");
        unit_tree_link(RUN "masked-now.service", "/dev/null");
        unit_tree_write("run/systemd/generator/made.service", SERVICE);
        unit_tree_write("run/mkosi/transient/gone.service", SERVICE);
        assert_state(&paths, "other.service", "alias");
        assert_state(&paths, "away.service", "linked");
        assert_state(&paths, "away-now.service", "linked-runtime");
        assert_state(&paths, "away-on.service", "enabled");
        assert_state(&paths, "same.service", "static");
        assert_state(&paths, "masked.service", "masked");
        assert_state(&paths, "masked-now.service", "masked-runtime");
        assert_state(&paths, "made.service", "generated");
        assert_state(&paths, "gone.service", "transient");
}

static void test_templates(void **state) {
        _cleanup_(unit_paths_done) UnitPaths paths = make_paths();

        unit_tree_write(LIB "off@.service", INSTALL);
        unit_tree_write(LIB "some@.service", INSTALL);
        unit_tree_link(ETC "multi-user.target.wants/some@x.service", "/" LIB "some@.service");
        unit_tree_write(LIB "default@.service", INSTALL "DefaultInstance=d\n");
        unit_tree_link(ETC "multi-user.target.wants/default@d.service", "/" LIB "default@.service");
        unit_tree_link(RUN "masked@.service", "/dev/null");
        assert_state(&paths, "off@.service", "disabled");
        assert_state(&paths, "some@.service", "indirect");
        assert_state(&paths, "some@x.service", "enabled");
        assert_state(&paths, "some@y.service", "disabled");
        assert_state(&paths, "default@.service", "enabled");
        assert_state(&paths, "masked@y.service", "masked-runtime");
}

static void test_which_are_good(void **state) {
        assert_true(unit_file_state_is_good("enabled"));
        assert_true(unit_file_state_is_good("alias"));
        assert_true(unit_file_state_is_good("static"));
        assert_true(unit_file_state_is_good("generated"));
        assert_false(unit_file_state_is_good("disabled"));
        assert_false(unit_file_state_is_good("linked"));
        assert_false(unit_file_state_is_good("masked-runtime"));
        assert_false(unit_file_state_is_good(""));
}

static void assert_list(const UnitPaths *paths, const char *pattern, const char *expected) {
        const char *const patterns[] = { pattern, NULL };
        _cleanup_(unit_file_list_done) UnitFileList list = {};
        _cleanup_(freep) char *text = NULL;
        size_t size;

        assert_int_equal(unit_file_list(paths, patterns, &list), 0);
        FILE *const file = open_memstream(&text, &size);
        for (size_t i = 0; i < list.n_items; i++)
                (void)fprintf(file, "%s %s %s\n", list.items[i].name,
                              path_seen_from(list.items[i].path, paths->root), list.items[i].state);
        assert_int_equal(fclose(file), 0);
        assert_string_equal(text, expected);
}

static void test_list(void **state) {
        _cleanup_(unit_paths_done) UnitPaths paths = make_paths();

        unit_tree_write(LIB "a.service", SERVICE);
        unit_tree_write(ETC "a.service", INSTALL);
        unit_tree_write(LIB "b@.service", INSTALL);
        unit_tree_link(ETC "c.target", "/dev/null");
        unit_tree_link(ETC "d.service", "a.service");
        unit_tree_link(ETC "broken.service", "nowhere.service");
        unit_tree_write(LIB "a.service.d/x.conf", "");
        unit_tree_write(LIB "README", "");
        assert_list(&paths, NULL,
                    "a.service " ETC "a.service disabled\n"
                    "b@.service " LIB "b@.service disabled\n"
                    "c.target " ETC "c.target masked\n"
                    "d.service " ETC "d.service alias\n");
        assert_list(&paths, "*.target", "c.target " ETC "c.target masked\n");
        assert_list(&paths, "nothing*", "");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                unit_test_in_directory(test_states),    unit_test_in_directory(test_other_states),
                unit_test_in_directory(test_templates), cmocka_unit_test(test_which_are_good),
                unit_test_in_directory(test_list),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
