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
#include "unit/unit-files.h"

/* What is found: "NAME FRAGMENT", "NAME masked", or "NAME none". */
static char *find(const UnitPaths *paths, const char *name, SettingMistakes *mistakes) {
        UnitFiles files = {};
        char *text;

        assert_int_equal(unit_files_find(paths, name, mistakes, &files), 0);
        assert_true(!files.masked || !files.fragment);
        const char *const path = files.fragment ? path_seen_from(files.fragment, paths->root) : NULL;
        assert_int_equal(text_format(&text, "%s %s", files.name, files.masked ? "masked" : path ?: "none"), 0);
        unit_files_done(&files);
        return text;
}

static void assert_found(const UnitPaths *paths, const char *name, const char *expected) {
        SettingMistakes mistakes = {};
        char *found = find(paths, name, &mistakes);

        assert_string_equal(found, expected);
        assert_null(mistakes.texts);
        assert_null(mistakes.warnings);
        free(found);
}

static void assert_complaint(const UnitPaths *paths, const char *name, const char *expected,
                             const char *complaint, bool mistake) {
        SettingMistakes mistakes = {};
        char *found = find(paths, name, &mistakes);
        char **texts = mistake ? mistakes.texts : mistakes.warnings;

        assert_string_equal(found, expected);
        assert_int_equal(strv_length(STRV(texts)), 1);
        assert_null(mistake ? mistakes.warnings : mistakes.texts);
        assert_string_equal(texts[0] + strlen(paths->root), complaint);
        free(found);
        setting_mistakes_done(&mistakes);
}

static void test_usual_paths(void **state) {
        static const char *const own[] = { "/etc/mkosi/system.control", "/run/mkosi/transient", NULL };
        UnitPaths paths = {};

        assert_int_equal(unit_paths_new("/", own, &paths), 0);
        assert_string_equal(paths.root, "/");
        assert_string_equal(paths.directories[0], "/etc/mkosi/system.control");
        assert_string_equal(paths.directories[1], "/run/mkosi/transient");
        assert_string_equal(paths.directories[2], "/etc/systemd/system.control");
        assert_string_equal(paths.directories[5], "/etc/systemd/system");
        assert_string_equal(paths.directories[9], "/lib/systemd/system");
        assert_null(paths.directories[10]);
        unit_paths_done(&paths);

        assert_int_equal(unit_paths_new("/some//root/", NULL, &paths), 0);
        assert_string_equal(paths.root, "/some/root");
        assert_string_equal(paths.directories[3], "/some/root/etc/systemd/system");
        unit_paths_done(&paths);
}

static void test_precedence(void **state) {
        _cleanup_(unit_paths_done) UnitPaths paths = unit_tree_paths();

        assert_found(&paths, "a.service", "a.service none");
        unit_tree_write("lib/a.service", "x");
        assert_found(&paths, "a.service", "a.service lib/a.service");
        unit_tree_write("run/a.service", "x");
        assert_found(&paths, "a.service", "a.service run/a.service");
        unit_tree_write("etc/a.service", "x");
        assert_found(&paths, "a.service", "a.service etc/a.service");
}

/* An empty file or a link to /dev/null hides what lies behind it. */
static void test_masked(void **state) {
        _cleanup_(unit_paths_done) UnitPaths paths = unit_tree_paths();

        unit_tree_write("lib/a.service", "x");
        unit_tree_write("run/a.service", "");
        assert_found(&paths, "a.service", "a.service masked");
        unit_tree_write("lib/b.service", "x");
        unit_tree_link("run/b.service", "/dev/null");
        assert_found(&paths, "b.service", "b.service masked");
        /* In the image a link of its own leads there. */
        unit_tree_write("dev/null", "");
        unit_tree_link("run/c.service", "../dev/null");
        assert_found(&paths, "c.service", "c.service masked");
        unit_tree_link("run/d@.service", "/dev/null");
        assert_found(&paths, "d@x.service", "d@x.service masked");
        unit_tree_link("run/e.service", "a.service");
        assert_found(&paths, "e.service", "a.service masked");
}

static void test_templates(void **state) {
        _cleanup_(unit_paths_done) UnitPaths paths = unit_tree_paths();

        unit_tree_write("etc/a@.service", "x");
        assert_found(&paths, "a@x.service", "a@x.service etc/a@.service");
        assert_found(&paths, "a.service", "a.service none");
        /* What is for this instance counts, wherever it lies. */
        unit_tree_write("lib/a@x.service", "x");
        assert_found(&paths, "a@x.service", "a@x.service lib/a@x.service");
        assert_found(&paths, "a@y.service", "a@y.service etc/a@.service");
        /* As it is when it was enabled by hand. */
        unit_tree_link("etc/a@z.service", "a@.service");
        assert_found(&paths, "a@z.service", "a@z.service etc/a@.service");
        unit_tree_link("etc/a@w.service", "/lib/a@.service");
        assert_found(&paths, "a@w.service", "a@w.service etc/a@.service");
}

static void test_aliases(void **state) {
        _cleanup_(unit_paths_done) UnitPaths paths = unit_tree_paths();

        unit_tree_write("lib/a.service", "x");
        unit_tree_write("lib/t@.service", "x");
        unit_tree_link("etc/b.service", "/lib/a.service");
        assert_found(&paths, "b.service", "a.service lib/a.service");
        unit_tree_link("run/c.service", "../etc/b.service");
        assert_found(&paths, "c.service", "a.service lib/a.service");
        /* The unit is looked for by its name, and not where the link leads. */
        unit_tree_write("etc/a.service", "y");
        assert_found(&paths, "c.service", "a.service etc/a.service");
        unit_tree_link("etc/s@.service", "../lib/t@.service");
        assert_found(&paths, "s@x.service", "t@x.service lib/t@.service");
        unit_tree_link("etc/r@x.service", "../lib/t@.service");
        assert_found(&paths, "r@x.service", "t@x.service lib/t@.service");
        unit_tree_link("etc/q.service", "../lib/t@one.service");
        assert_found(&paths, "q.service", "t@one.service lib/t@.service");
        unit_tree_link("etc/p@x.service", "../lib/t@x.service");
        assert_found(&paths, "p@x.service", "t@x.service lib/t@.service");
        unit_tree_link("etc/gone.service", "nowhere.service");
        assert_found(&paths, "gone.service", "nowhere.service none");
        /* Of the same name it is no alias. */
        unit_tree_link("etc/d.service", "/lib/d.service");
        unit_tree_write("lib/d.service", "x");
        assert_found(&paths, "d.service", "d.service etc/d.service");
}

/* What lies elsewhere is called as the link is. */
static void test_linked(void **state) {
        _cleanup_(unit_paths_done) UnitPaths paths = unit_tree_paths();

        unit_tree_write("opt/vendor/x.service", "x");
        unit_tree_link("etc/a.service", "/opt/vendor/x.service");
        assert_found(&paths, "a.service", "a.service etc/a.service");
        unit_tree_link("etc/b.service", "../opt/vendor/x.service");
        assert_found(&paths, "b.service", "b.service etc/b.service");
        unit_tree_link("opt/lib", "../lib");
        unit_tree_write("lib/y.service", "x");
        unit_tree_link("etc/c.service", "../opt/lib/y.service");
        assert_found(&paths, "c.service", "y.service lib/y.service");
        /* Below the root whatever it says. */
        unit_tree_link("etc/d.service", "../../../../../../../opt/vendor/x.service");
        assert_found(&paths, "d.service", "d.service etc/d.service");
        _cleanup_(freep) char *path = NULL, *text = NULL;
        assert_int_equal(path_join(paths.root, "etc/d.service", &path), 0);
        assert_int_equal(unit_file_read(&paths, path, &text, NULL), 0);
        assert_string_equal(text, "x");
}

static void test_complaints(void **state) {
        _cleanup_(unit_paths_done) UnitPaths paths = unit_tree_paths();

        unit_tree_write("lib/t@.service", "x");
        unit_tree_write("lib/a.service", "x");
        unit_tree_write("lib/a.target", "x");
        unit_tree_link("etc/b.service", "/lib/a.target");
        assert_complaint(&paths, "b.service", "b.service none",
                         "/etc/b.service: b.service cannot be another name of a.target", false);
        unit_tree_link("etc/c.service", "/lib/t@.service");
        assert_complaint(&paths, "c.service", "c.service none",
                         "/etc/c.service: c.service cannot be another name of t@.service", false);
        unit_tree_link("etc/d@x.service", "/lib/t@y.service");
        assert_complaint(&paths, "d@x.service", "d@x.service none",
                         "/etc/d@x.service: d@x.service cannot be another name of t@y.service", false);
        unit_tree_link("etc/e@.service", "/lib/a.service");
        assert_complaint(&paths, "e@x.service", "e@x.service none",
                         "/etc/e@.service: e@.service cannot be another name of a.service", false);
        unit_tree_link("etc/a.service", "../opt/nothing");
        assert_complaint(&paths, "a.service", "a.service lib/a.service",
                         "/etc/a.service: The link leads nowhere", false);
        assert_int_equal(mkdir("etc/f.service", 0755), 0);
        assert_complaint(&paths, "f.service", "f.service none", "/etc/f.service: Not a regular file", true);
        assert_int_equal(mkfifo("etc/g.service", 0644), 0);
        assert_complaint(&paths, "g.service", "g.service none", "/etc/g.service: Not a regular file", true);
        unit_tree_link("etc/h.service", "h.service");
        assert_complaint(&paths, "h.service", "h.service none",
                         "/etc/h.service: Too many levels of symbolic links", true);
}

static void test_loop(void **state) {
        _cleanup_(unit_paths_done) UnitPaths paths = unit_tree_paths();
        SettingMistakes mistakes = {};
        char *found;

        unit_tree_link("etc/a.service", "b.service");
        unit_tree_link("etc/b.service", "a.service");
        found = find(&paths, "a.service", &mistakes);
        assert_string_equal(found + 2, "service none");
        assert_int_equal(strv_length(STRV(mistakes.texts)), 1);
        assert_non_null(
                strstr(mistakes.texts[0], "More than 16 aliases, or aliases that lead to each other"));
        setting_mistakes_done(&mistakes);
        free(found);
}

/* Without a root links mean what they say; directories that are not there are no mistake. */
static void test_without_root(void **state) {
        _cleanup_(unit_paths_done) UnitPaths rooted = unit_tree_paths(), paths = {};
        UnitFiles files = {};

        assert_int_equal(strv_append(&paths.directories, "/nowhere/at/all"), 0);
        assert_int_equal(strv_append(&paths.directories, rooted.directories[0]), 0);
        unit_tree_write("opt/a", "x");
        unit_tree_link("etc/a.service", "../opt/a");
        assert_int_equal(unit_files_find(&paths, "a.service", NULL, &files), 0);
        assert_string_equal(files.name, "a.service");
        assert_non_null(files.fragment);
        unit_files_done(&files);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_usual_paths),        unit_test_in_directory(test_precedence),
                unit_test_in_directory(test_masked),       unit_test_in_directory(test_templates),
                unit_test_in_directory(test_aliases),      unit_test_in_directory(test_linked),
                unit_test_in_directory(test_complaints),   unit_test_in_directory(test_loop),
                unit_test_in_directory(test_without_root),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
