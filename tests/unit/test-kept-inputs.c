/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "base/strv.h"
#include "image/kept-inputs.h"
#include "temporary-directory.h"

static void assert_lines(char *const *list, const char *expected) {
        _cleanup_(freep) char *text = NULL;

        assert_int_equal(strv_join(STRV(list), "\n", &text), 0);
        assert_string_equal(text, expected);
}

static void test_compare(void **state) {
        _cleanup_(kept_inputs_done) KeptInputs before = {}, now = {};
        _cleanup_(strv_freep) char **differences = NULL, **none = NULL;
        static const char longer[] = "0123456789012345678901234567890123456789012345678901234567890123";

        assert_int_equal(kept_inputs_add(&before, "Release=", "bookworm"), 0);
        assert_int_equal(kept_inputs_add(&before, "package a", NULL), 0);
        assert_int_equal(kept_inputs_add(&before, "package c", NULL), 0);
        assert_int_equal(kept_inputs_add(&before, "skeleton x", longer), 0);
        assert_int_equal(kept_inputs_add_format(&now, "other", "%s %s", "skeleton", "x"), 0);
        assert_int_equal(kept_inputs_add(&now, "package d", NULL), 0);
        assert_int_equal(kept_inputs_add(&now, "package c", NULL), 0);
        assert_int_equal(kept_inputs_add(&now, "Release=", ""), 0);
        kept_inputs_sort(&before);
        kept_inputs_sort(&now);
        assert_int_equal(kept_inputs_compare(&before, &now, &differences), 0);
        assert_lines(differences, "Release= changed from bookworm to nothing\npackage a is gone\n"
                                  "package d is new\nskeleton x changed");
        assert_int_equal(kept_inputs_compare(&now, &now, &none), 0);
        assert_null(none);
}

/* As text and back, whatever names there are. */
static void test_text(void **state) {
        _cleanup_(kept_inputs_done) KeptInputs inputs = {}, parsed = {}, bad = {};
        _cleanup_(strv_freep) char **differences = NULL;
        _cleanup_(freep) char *text = NULL;

        assert_int_equal(kept_inputs_add(&inputs, "b\tad\nname", "v\nw"), 0);
        assert_int_equal(kept_inputs_add(&inputs, "a", NULL), 0);
        kept_inputs_sort(&inputs);
        assert_int_equal(kept_inputs_format(&inputs, &text), 0);
        assert_string_equal(text, "a\t\nb?ad?name\tv?w\n");
        assert_int_equal(kept_inputs_parse(text, &parsed), 0);
        assert_int_equal(kept_inputs_compare(&inputs, &parsed, &differences), 0);
        assert_null(differences);
        assert_int_equal(kept_inputs_parse("a", &bad), -EBADMSG);
        assert_int_equal(kept_inputs_parse("a\nb\tc\n", &bad), -EBADMSG);
        assert_int_equal(kept_inputs_parse("a\tb", &bad), -EBADMSG);
}

static size_t differences_of_tree(const KeptInputs *before, char ***ret) {
        _cleanup_(kept_inputs_done) KeptInputs now = {};

        assert_int_equal(kept_inputs_add_tree(&now, "tree", "tree", NULL), 0);
        kept_inputs_sort(&now);
        assert_int_equal(kept_inputs_compare(before, &now, ret), 0);
        return strv_length(STRV(*ret));
}

/* Contents, modes, links, what comes and goes; but no times. */
static void test_tree(void **state) {
        _cleanup_(kept_inputs_done) KeptInputs before = {}, missing = {};
        _cleanup_(strv_freep) char **none = NULL, **some = NULL;

        assert_int_equal(mkdir("tree", 0755), 0);
        assert_int_equal(file_write_text(AT_FDCWD, "tree/content", "a", 0644), 0);
        assert_int_equal(file_write_text(AT_FDCWD, "tree/mode", "a", 0644), 0);
        assert_int_equal(file_write_text(AT_FDCWD, "tree/time", "a", 0644), 0);
        assert_int_equal(symlink("a", "tree/link"), 0);
        assert_int_equal(kept_inputs_add_tree(&before, "tree", "tree", NULL), 0);
        kept_inputs_sort(&before);

        const struct timespec times[2] = { { .tv_sec = 1 }, { .tv_sec = 1 } };
        assert_int_equal(utimensat(AT_FDCWD, "tree/time", times, 0), 0);
        assert_int_equal(differences_of_tree(&before, &none), 0);

        assert_int_equal(file_write_text(AT_FDCWD, "tree/content", "b", 0644), 0);
        assert_int_equal(chmod("tree/mode", 0755), 0);
        assert_int_equal(unlink("tree/link"), 0);
        assert_int_equal(symlink("b", "tree/link"), 0);
        assert_int_equal(mkdir("tree/new", 0755), 0);
        assert_int_equal(differences_of_tree(&before, &some), 4);
        assert_lines(
                some,
                "tree content changed\ntree link changed from link to a to link to b\ntree mode changed from file 0644 to file 0755\n"
                "tree new is new");

        assert_int_equal(kept_inputs_add_tree(&missing, "ring", "nowhere", NULL), 0);
        assert_string_equal(missing.items[0].name, "ring");
        assert_string_equal(missing.items[0].value, "missing");
}

/* What people read of a mode is what they would write. What looks like one in a setting is not. */
static void test_modes(void **state) {
        static const struct {
                const char *name, *before, *now, *said;
        } cases[] = {
                { "tree a", "40755 ", "40700 ", "tree a changed from directory 0755 to directory 0700" },
                { "tree a", "40755 ", "120777 b", "tree a changed from directory 0755 to link to b" },
                { "tree a", "10644 ", "140644 ", "tree a changed from pipe 0644 to socket 0644" },
                { "tree a", "60660 7:1", "60660 7:2",
                  "tree a changed from device 0660 7:1 to device 0660 7:2" },
                { "tree a", "104755 x", "100644 x", "tree a changed from file 4755 to file 0644" },
                { "tree a", "missing", "40755 ", "tree a changed from missing to directory 0755" },
                { "Release=", "100644 x", "40755 x", "Release= changed from 100644 x to 40755 x" },
                { "size", "755 x", "644 x", "size changed from 755 x to 644 x" },
                { "size", "9999999 x", "644", "size changed from 9999999 x to 644" },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(kept_inputs_done) KeptInputs before = {}, now = {};
                _cleanup_(strv_freep) char **differences = NULL;

                assert_int_equal(kept_inputs_add(&before, cases[i].name, cases[i].before), 0);
                assert_int_equal(kept_inputs_add(&now, cases[i].name, cases[i].now), 0);
                assert_int_equal(kept_inputs_compare(&before, &now, &differences), 0);
                assert_string_equal(differences[0], cases[i].said);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_compare),
                cmocka_unit_test(test_text),
                cmocka_unit_test(test_modes),
                unit_test_in_directory(test_tree),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
