/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/stat.h>

#include "base/fd.h"
#include "base/strv.h"
#include "base/text.h"
#include "temporary-directory.h"
#include "unit/unit-enable.h"
#include "unit/unit-files.h"

/* A unit of that name, in a directory below the current one, with this section [Install]. */
static Unit *load(const char *file, const char *name, const char *install) {
        _cleanup_(freep) char *path = NULL, *text = NULL, *directory = getcwd(NULL, 0);
        _cleanup_(unit_paths_done) UnitPaths paths = {};
        Unit *unit = NULL;

        assert_int_equal(text_format(&path, "units/%s", file), 0);
        assert_int_equal(text_format(&text, "[Service]\nExecStart=/bin/true\n[Install]\n%s", install), 0);
        assert_true(mkdir("units", 0755) == 0 || errno == EEXIST);
        assert_int_equal(file_write_text(AT_FDCWD, path, text, 0644), 0);
        free(TAKE_PTR(path));
        assert_int_equal(text_format(&path, "%s/units", directory), 0);
        const char *const own[] = { path, NULL };
        assert_int_equal(unit_paths_new("/", own, &paths), 0);
        assert_int_equal(unit_load(&paths, name, &unit), 0);
        assert_int_equal(unit->state, UNIT_LOADED);
        return unit;
}

static void assert_link(const char *path, const char *file) {
        char target[4096];
        const ssize_t n = readlink(path, target, sizeof(target) - 1);

        assert_true(n > 0);
        target[n] = '\0';
        assert_true(text_ends_with(target, file));
}

static void make_all(const UnitLinks *links) {
        for (size_t i = 0; i < links->n_items; i++)
                assert_int_equal(unit_link_make(&links->items[i], false, NULL), 1);
}

static void test_links(void **state) {
        _cleanup_(unit_links_done) UnitLinks links = {};
        _cleanup_(unit_freep) Unit *unit =
                load("a@.service", "a@x.service",
                     "WantedBy=multi-user.target b@%i.target\nRequiredBy=c.service\n"
                     "Alias=other.service\n");

        assert_int_equal(unit_links_plan(unit, "etc", &links, NULL), 0);
        assert_int_equal(links.n_items, 4);
        make_all(&links);
        assert_link("etc/multi-user.target.wants/a@x.service", "/units/a@.service");
        assert_link("etc/b@x.target.wants/a@x.service", "/units/a@.service");
        assert_link("etc/c.service.requires/a@x.service", "/units/a@.service");
        assert_link("etc/other.service", "/units/a@.service");

        /* Twice is as once; and back. */
        for (size_t i = 0; i < links.n_items; i++) {
                assert_int_equal(unit_link_make(&links.items[i], false, NULL), 0);
                assert_int_equal(unit_link_exists(&links.items[i]), 1);
                assert_int_equal(unit_link_remove(&links.items[i], NULL), 1);
                assert_int_equal(unit_link_exists(&links.items[i]), 0);
                assert_int_equal(unit_link_remove(&links.items[i], NULL), 0);
        }
        assert_int_equal(access("etc/multi-user.target.wants", F_OK), -1);
}

/* What somebody else has put there stays, but for links when that is asked for. */
static void test_in_the_way(void **state) {
        _cleanup_(unit_links_done) UnitLinks links = {};
        _cleanup_(reason_done) Reason reason = {};
        _cleanup_(unit_freep) Unit *unit = load("a.service", "a.service", "Alias=other.service\n");

        assert_int_equal(unit_links_plan(unit, "etc", &links, NULL), 0);
        assert_int_equal(links.n_items, 1);
        assert_int_equal(mkdir("etc", 0755), 0);
        assert_int_equal(symlink("/elsewhere/b.service", "etc/other.service"), 0);
        assert_int_equal(unit_link_make(&links.items[0], false, &reason), -EEXIST);
        assert_non_null(strstr(reason.text, "--force"));
        assert_link("etc/other.service", "/elsewhere/b.service");
        assert_int_equal(unit_link_make(&links.items[0], true, NULL), 1);
        assert_link("etc/other.service", "/units/a.service");

        assert_int_equal(unlink("etc/other.service"), 0);
        assert_int_equal(file_write_text(AT_FDCWD, "etc/other.service", "mine", 0644), 0);
        assert_int_equal(unit_link_make(&links.items[0], true, NULL), -EEXIST);
        assert_int_equal(unit_link_remove(&links.items[0], NULL), -EEXIST);
        assert_int_equal(access("etc/other.service", F_OK), 0);
}

static void assert_refused(const char *install, const char *words) {
        _cleanup_(unit_links_done) UnitLinks links = {};
        _cleanup_(reason_done) Reason reason = {};
        _cleanup_(unit_freep) Unit *unit = load("a.service", "a.service", install);

        assert_int_equal(unit_links_plan(unit, "etc", &links, &reason), -EINVAL);
        assert_non_null(strstr(reason.text, words));
        assert_int_equal(links.n_items, 0);
}

/* No name leads out of the directory. */
static void test_refusals(void **state) {
        assert_refused("WantedBy=../../x\n", "is no name of a unit");
        assert_refused("Alias=a.target\n", "another kind of unit");
        assert_refused("RequiredBy=%\n", "");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                unit_test_in_directory(test_links),
                unit_test_in_directory(test_in_the_way),
                unit_test_in_directory(test_refusals),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
