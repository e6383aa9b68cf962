/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/text.h"
#include "temporary-directory.h"
#include "unit/specifier.h"
#include "unit/unit-fragment.h"

static Unit *make(const char *fragment, const char *const *settings) {
        Unit *unit;

        assert_int_equal(unit_new_transient("a@b.service", settings, "--property", &unit), 0);
        if (fragment)
                assert_int_equal(text_copy(fragment, &unit->fragment), 0);
        return unit;
}

static void assert_expands(const Unit *unit, const char *text, const char *before, const char *path,
                           const char *behind) {
        _cleanup_(freep) char *expected = NULL, *found = NULL;

        assert_int_equal(text_format(&expected, "%s%s%s", before, path, behind), 0);
        assert_int_equal(specifier_expand(text, unit->name, &found, NULL), 0);
        assert_string_equal(found, expected);
}

/* Of texts, paths and lists; a link to the file is followed, and a percent sign in its path is one. */
static void test_values(void **state) {
        static const char *const settings[] = {
                "ExecStart=/bin/cat %y %y", "Description=%Y of %i, 100%%y",
                "TTYPath=%Y/tty",           "Environment=A=%y",
                "Environment=B=%%Y",        NULL,
        };
        _cleanup_(freep) char *here = getcwd(NULL, 0), *directory = NULL, *file = NULL;
        _cleanup_(unit_freep) Unit *unit = make("link", settings);

        assert_int_equal(mkdir("di%r", 0755), 0);
        assert_int_equal(file_write_text(AT_FDCWD, "di%r/a@.service", "", 0644), 0);
        assert_int_equal(symlink("di%r/a@.service", "link"), 0);
        assert_int_equal(text_format(&directory, "%s/di%%r", here), 0);
        assert_int_equal(text_format(&file, "%s/a@.service", directory), 0);
        assert_int_equal(unit_fragment_expand(unit), 0);

        char **const commands = unit->settings.commands[SERVICE_START];
        _cleanup_(freep) char *both = NULL;
        assert_int_equal(text_format(&both, "%s %s", file, file), 0);
        assert_expands(unit, commands[0], "/bin/cat ", both, "");
        assert_expands(unit, unit->settings.description, "", directory, " of b, 100%y");
        assert_expands(unit, unit->settings.tty_path, "", directory, "/tty");
        assert_expands(unit, unit->settings.environment[0], "A=", file, "");
        assert_expands(unit, unit->settings.environment[1], "B=%Y", "", "");
}

/* Without a file there is nothing to put there, and whoever uses the value is told. */
static void test_no_file(void **state) {
        static const char *const settings[] = { "ExecStart=/bin/true %y", "Description=%Y", NULL };
        _cleanup_(unit_freep) Unit *unit = make(NULL, settings);
        _cleanup_(reason_done) Reason reason = {};
        _cleanup_(freep) char *found = NULL;

        assert_int_equal(unit_fragment_expand(unit), 0);
        assert_string_equal(unit->settings.description, "%Y");
        assert_int_equal(specifier_expand("%y", unit->name, &found, &reason), -EINVAL);
        assert_string_equal(reason.text, "specifier \"%y\" has no value here: No such file or directory");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                unit_test_in_directory(test_values),
                unit_test_in_directory(test_no_file),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
