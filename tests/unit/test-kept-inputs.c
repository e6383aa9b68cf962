/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include "base/fd.h"
#include "base/strv.h"
#include "base/text.h"
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
        assert_non_null(text_after_prefix(text, "a\t\nb?ad?name "));
        assert_non_null(strstr(text, "\tv?w "));
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

/* What differs in a control character only is not the same. */
static void test_control_characters(void **state) {
        _cleanup_(kept_inputs_done) KeptInputs before = {}, now = {};
        _cleanup_(strv_freep) char **differences = NULL;

        assert_int_equal(kept_inputs_add(&before, "x", "a\tb"), 0);
        assert_int_equal(kept_inputs_add(&now, "x", "a\nb"), 0);
        assert_int_equal(kept_inputs_compare(&before, &now, &differences), 0);
        assert_int_equal(strv_length(STRV(differences)), 1);
}

static void test_order(void **state) {
        char *const ab[] = { (char *)"a", (char *)"b", NULL }, *const ba[] = { (char *)"b", (char *)"a",
                                                                               NULL };
        _cleanup_(kept_inputs_done) KeptInputs before = {}, now = {};
        _cleanup_(strv_freep) char **differences = NULL;

        assert_int_equal(kept_inputs_add_order(&before, "letters", ab), 0);
        assert_int_equal(kept_inputs_add_order(&now, "letters", ba), 0);
        assert_int_equal(kept_inputs_compare(&before, &now, &differences), 0);
        assert_lines(differences, "order of letters changed");
        assert_int_equal(kept_inputs_add_order(&now, "letter", &ab[1]), 0);
        assert_int_equal(kept_inputs_add_order(&now, "letter", NULL), 0);
        assert_int_equal(now.n_items, 1);
}

static void assert_copied(const KeptCopy *copy, KeptInputs *before, const char *expected) {
        _cleanup_(kept_inputs_done) KeptInputs now = {};
        _cleanup_(strv_freep) char **differences = NULL;
        _cleanup_(freep) char *text = NULL;

        assert_int_equal(kept_inputs_add_copied(&now, "tree", "tree", copy), 0);
        kept_inputs_sort(&now);
        if (before->n_items > 0) {
                assert_int_equal(kept_inputs_compare(before, &now, &differences), 0);
                assert_int_equal(strv_join(STRV(differences), "\n", &text), 0);
                assert_string_equal(text, expected);
        }
        kept_inputs_done(before);
        *before = now;
        now = (KeptInputs){};
}

static void set_time(const char *path, time_t seconds) {
        const struct timespec times[2] = { { .tv_sec = seconds }, { .tv_sec = seconds } };

        assert_int_equal(utimensat(AT_FDCWD, path, times, AT_SYMLINK_NOFOLLOW), 0);
}

/* All that copy_tree() takes over, and nothing else. */
static void test_copied(void **state) {
        const KeptCopy copy = { .time_bound = 1000 }, whole = { .time_bound = INT64_MAX, .with_root = true };
        _cleanup_(kept_inputs_done) KeptInputs inputs = {}, all = {};

        assert_int_equal(mkdir("tree", 0755), 0);
        assert_int_equal(file_write_text(AT_FDCWD, "tree/a", "x", 0644), 0);
        assert_int_equal(file_write_text(AT_FDCWD, "tree/b", "x", 0644), 0);
        set_time("tree/a", 10);
        set_time("tree/b", 10);
        assert_copied(&copy, &inputs, "");
        assert_copied(&copy, &inputs, "");
        set_time("tree/a", 11);
        assert_copied(&copy, &inputs, "tree a changed");
        /* Later than all times in the image. */
        set_time("tree/a", 1000);
        assert_copied(&copy, &inputs, "tree a changed");
        set_time("tree/a", 2000);
        assert_copied(&copy, &inputs, "");
        set_time("tree", 5);
        assert_int_equal(chmod("tree", 0700), 0);
        assert_copied(&copy, &inputs, "");

        if (setxattr("tree/a", "user.test", "1", 1, 0) == 0) {
                assert_copied(&copy, &inputs, "tree a changed");
                assert_int_equal(setxattr("tree/a", "user.test", "2", 1, 0), 0);
                assert_copied(&copy, &inputs, "tree a changed");
                assert_int_equal(setxattr("tree/a", "user.other", "", 0, 0), 0);
                assert_copied(&copy, &inputs, "tree a changed");
        } else
                assert_int_equal(errno, EOPNOTSUPP);

        assert_int_equal(unlink("tree/b"), 0);
        assert_int_equal(link("tree/a", "tree/b"), 0);
        assert_copied(&copy, &inputs, "tree b changed");
        if (mknod("tree/c", S_IFCHR | 0600, makedev(1, 3)) == 0) {
                set_time("tree/c", 10);
                assert_copied(&copy, &inputs, "tree c is new");
                assert_int_equal(unlink("tree/c"), 0);
                assert_int_equal(mknod("tree/c", S_IFCHR | 0600, makedev(1, 5)), 0);
                set_time("tree/c", 10);
                assert_copied(&copy, &inputs, "tree c changed");
        } else
                assert_int_equal(errno, EPERM);

        set_time("tree", 5);
        assert_copied(&whole, &all, "");
        set_time("tree", 7);
        assert_copied(&whole, &all, "");
        assert_int_equal(chmod("tree", 0755), 0);
        assert_copied(&whole, &all, "tree . changed from directory 0700 to directory 0755");
        set_time("tree/a", 3000);
        assert_copied(&whole, &all, "tree a changed");
}

static void test_fingerprint(void **state) {
        _cleanup_(freep) char *before = NULL, *moved = NULL, *changed = NULL, *mode = NULL;

        assert_int_equal(mkdir("tree", 0755), 0);
        assert_int_equal(file_write_text(AT_FDCWD, "tree/a", "x", 0644), 0);
        assert_int_equal(kept_inputs_fingerprint("tree", &before), 0);
        assert_int_equal(rename("tree", "moved"), 0);
        assert_int_equal(kept_inputs_fingerprint("moved", &moved), 0);
        assert_string_equal(before, moved);
        assert_int_equal(chmod("moved/a", 0600), 0);
        assert_int_equal(kept_inputs_fingerprint("moved", &mode), 0);
        assert_string_not_equal(before, mode);
        /* Of the same size, at the same time of modification: what says it is the time of the change. */
        assert_int_equal(chmod("moved/a", 0644), 0);
        struct stat status, now;
        assert_int_equal(stat("moved/a", &status), 0);
        do {
                assert_int_equal(file_write_text(AT_FDCWD, "moved/a", "y", 0644), 0);
                assert_int_equal(utimensat(AT_FDCWD, "moved/a",
                                           (const struct timespec[]){ status.st_mtim, status.st_mtim }, 0),
                                 0);
                assert_int_equal(stat("moved/a", &now), 0);
        } while (now.st_ctim.tv_sec == status.st_ctim.tv_sec &&
                 now.st_ctim.tv_nsec == status.st_ctim.tv_nsec);
        assert_int_equal(kept_inputs_fingerprint("moved", &changed), 0);
        assert_string_not_equal(before, changed);
        assert_int_equal(kept_inputs_fingerprint("nowhere", &changed), -ENOENT);
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
                { "tree a", "10644 ", "10644 , link of b",
                  "tree a changed from pipe 0644 to pipe 0644, link of b" },
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
                cmocka_unit_test(test_control_characters),
                cmocka_unit_test(test_order),
                unit_test_in_directory(test_copied),
                unit_test_in_directory(test_fingerprint),
                cmocka_unit_test(test_modes),
                unit_test_in_directory(test_tree),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
