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
#include "unit/unit-additions.h"

static void assert_drop_ins(const UnitPaths *paths, const char *name, const char *expected) {
        _cleanup_(setting_mistakes_done) SettingMistakes mistakes = {};
        _cleanup_(strv_freep) char **list = NULL;

        assert_int_equal(unit_drop_ins_find(paths, name, &mistakes, &list), 0);
        _cleanup_(freep) char *joined = unit_tree_join(paths, list);
        assert_string_equal(joined, expected);
        assert_null(mistakes.texts);
}

/* Sorted by their names alone, of which each counts where it comes first. */
static void test_merged(void **state) {
        _cleanup_(unit_paths_done) UnitPaths paths = unit_tree_paths();

        assert_drop_ins(&paths, "a.service", "");
        unit_tree_write("lib/a.service.d/20-b.conf", "");
        unit_tree_write("lib/a.service.d/10-a.conf", "");
        unit_tree_write("etc/a.service.d/15-c.conf", "");
        unit_tree_write("etc/a.service.d/20-b.conf", "");
        unit_tree_write("run/a.service.d/20-b.conf", "");
        unit_tree_write("run/a.service.d/30-d.conf", "");
        unit_tree_write("etc/a.service.d/.hidden.conf", "");
        unit_tree_write("etc/a.service.d/README", "");
        unit_tree_write("etc/a.service.d/x.conf.bak", "");
        unit_tree_write("etc/aa.service.d/x.conf", "");
        assert_drop_ins(&paths, "a.service",
                        "lib/a.service.d/10-a.conf etc/a.service.d/15-c.conf etc/a.service.d/20-b.conf "
                        "run/a.service.d/30-d.conf");
        /* A link to /dev/null takes one away. */
        assert_int_equal(unlink("etc/a.service.d/20-b.conf"), 0);
        unit_tree_link("etc/a.service.d/20-b.conf", "/dev/null");
        assert_drop_ins(&paths, "a.service",
                        "lib/a.service.d/10-a.conf etc/a.service.d/15-c.conf run/a.service.d/30-d.conf");
}

/* What stands beside another name of a unit is for the unit, whichever it is asked for. */
static void test_aliases(void **state) {
        _cleanup_(unit_paths_done) UnitPaths paths = unit_tree_paths();

        unit_tree_write("lib/b.service", "x");
        unit_tree_link("lib/a.service", "b.service");
        unit_tree_link("etc/c.service", "a.service");
        unit_tree_link("lib/d.service", "b.service");
        unit_tree_write("etc/d.service", "another");
        unit_tree_link("lib/e.service", "../opt/b.service");
        unit_tree_write("lib/b.service.d/20.conf", "");
        unit_tree_write("lib/a.service.d/10.conf", "");
        unit_tree_write("lib/a.service.d/20.conf", "");
        unit_tree_write("lib/c.service.d/30.conf", "");
        unit_tree_write("lib/d.service.d/40.conf", "");
        unit_tree_write("lib/e.service.d/50.conf", "");
        assert_drop_ins(&paths, "b.service",
                        "lib/a.service.d/10.conf lib/b.service.d/20.conf lib/c.service.d/30.conf");
        assert_drop_ins(&paths, "d.service", "lib/d.service.d/40.conf");
}

/* The more special of two in one directory counts; what is for a whole type yields to all others. */
static void test_places(void **state) {
        static const char *const places[] = { "service",        "a-@.service",    "a-@i.service",
                                              "a-b-@.service",  "a-b-@i.service", "a-b-c@.service",
                                              "a-b-c@i.service" };
        _cleanup_(unit_paths_done) UnitPaths paths = unit_tree_paths();

        for (size_t i = 0; i < ELEMENTSOF(places); i++) {
                _cleanup_(freep) char *path = NULL, *expected = NULL;

                assert_int_equal(text_format(&path, "run/%s.d/x.conf", places[i]), 0);
                unit_tree_write(path, "");
                assert_int_equal(text_copy(path, &expected), 0);
                assert_drop_ins(&paths, "a-b-c@i.service", expected);
        }
        unit_tree_write("lib/a-b-c@i.service.d/x.conf", "");
        assert_drop_ins(&paths, "a-b-c@i.service", "run/a-b-c@i.service.d/x.conf");
        unit_tree_write("etc/service.d/x.conf", "");
        assert_drop_ins(&paths, "a-b-c@i.service", "run/a-b-c@i.service.d/x.conf");
        unit_tree_write("etc/a-@.service.d/x.conf", "");
        assert_drop_ins(&paths, "a-b-c@i.service", "etc/a-@.service.d/x.conf");
        /* It is the dashes of the prefix that count, and other units and types have nothing of it. */
        assert_drop_ins(&paths, "a@i-j.service", "etc/service.d/x.conf");
        assert_drop_ins(&paths, "a-b.socket", "");
        unit_tree_write("etc/-.service.d/y.conf", "");
        unit_tree_write("etc/--.service.d/z.conf", "");
        unit_tree_write("etc/--b-.service.d/w.conf", "");
        assert_drop_ins(&paths, "--b-.service",
                        "etc/--b-.service.d/w.conf etc/service.d/x.conf etc/-.service.d/y.conf "
                        "etc/--.service.d/z.conf");
}

static void test_names(void **state) {
        _cleanup_(unit_paths_done) UnitPaths paths = unit_tree_paths();
        _cleanup_(setting_mistakes_done) SettingMistakes mistakes = {};
        _cleanup_(strv_freep) char **list = NULL;

        unit_tree_link("etc/a.target.wants/c.service", "/lib/c.service");
        unit_tree_link("lib/a.target.wants/b@x.service", "../b@.service");
        unit_tree_link("lib/a.target.wants/d.service", "../d.service");
        unit_tree_link("etc/a.target.wants/d.service", "/dev/null");
        unit_tree_link("etc/a.target.wants/b@.service", "/lib/b@.service");
        unit_tree_link("etc/a.target.wants/bad name.service", "/lib/x.service");
        unit_tree_link("etc/a.target.requires/e.service", "/lib/e.service");
        assert_int_equal(unit_names_find(&paths, "a.target", ".wants", &mistakes, &list), 0);
        _cleanup_(freep) char *joined = unit_tree_join(&paths, list);
        assert_string_equal(joined, "b@x.service c.service");
        assert_null(mistakes.texts);
}

/* What cannot be read might have said anything. */
static void test_mistakes(void **state) {
        _cleanup_(unit_paths_done) UnitPaths paths = unit_tree_paths();
        _cleanup_(setting_mistakes_done) SettingMistakes mistakes = {};
        _cleanup_(strv_freep) char **list = NULL;

        unit_tree_link("etc/a.service.d", "a.service.d");
        unit_tree_write("run/a.service.d", "a file");
        unit_tree_write("lib/a.service.d/x.conf", "");
        assert_int_equal(unit_drop_ins_find(&paths, "a.service", &mistakes, &list), 0);
        _cleanup_(freep) char *joined = unit_tree_join(&paths, list);
        assert_string_equal(joined, "lib/a.service.d/x.conf");
        assert_int_equal(strv_length(STRV(mistakes.texts)), 1);
        assert_string_equal(mistakes.texts[0] + strlen(paths.root),
                            "/etc/a.service.d: Too many levels of symbolic links");
}

static void test_limit(void **state) {
        _cleanup_(unit_paths_done) UnitPaths paths = unit_tree_paths();
        _cleanup_(setting_mistakes_done) SettingMistakes mistakes = {};
        _cleanup_(strv_freep) char **list = NULL;

        for (size_t i = 0; i < UNIT_FILES_MAX + 5; i++) {
                char path[64];

                (void)snprintf(path, sizeof(path), "%s/a.service.d/%zu.conf", i % 2 ? "etc" : "lib", i);
                unit_tree_write(path, "");
        }
        assert_int_equal(unit_drop_ins_find(&paths, "a.service", &mistakes, &list), 0);
        assert_int_equal(strv_length(STRV(list)), UNIT_FILES_MAX);
        assert_int_equal(strv_length(STRV(mistakes.texts)), 1);
        assert_non_null(strstr(mistakes.texts[0], "More than 1000 files"));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                unit_test_in_directory(test_merged),   unit_test_in_directory(test_aliases),
                unit_test_in_directory(test_places),   unit_test_in_directory(test_names),
                unit_test_in_directory(test_mistakes), unit_test_in_directory(test_limit),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
