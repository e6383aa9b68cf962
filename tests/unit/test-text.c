/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <limits.h>

#include "base/text.h"

static void test_affixes(void **state) {
        assert_string_equal(text_after_prefix("mkosi.default", "mkosi."), "default");
        assert_null(text_after_prefix("mkos", "mkosi."));
        assert_true(text_ends_with("image.raw", ".raw"));
        assert_false(text_ends_with("raw", ".raw"));
        assert_true(text_is_empty(NULL) && text_is_empty("") && !text_is_empty(" "));
}

static void test_strip(void **state) {
        static const char *const cases[][2] = {
                { "", "" },
                { "a", "a" },
                { " \t a b\r\n", "a b" },
                { " \n\t", "" },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(freep) char *text = strdup(cases[i][0]);

                assert_string_equal(text_strip(text), cases[i][1]);
        }
}

static void test_tame(void **state) {
        static const char *const cases[][2] = {
                { "a\tb\033[1mé\x7f\n", "a?b?[1mé??" },
                /* CSI and NEL, in UTF-8 and as single bytes. */
                { "\xc2\x9b"
                  "1m\xc2\x85",
                  "??1m??" },
                { "\x9b"
                  "1m\x85",
                  "?1m?" },
                { "\xc2\xa0\xc3\xa9\xe2\x82\xac\xf0\x9f\x8d\xb5",
                  "\xc2\xa0\xc3\xa9\xe2\x82\xac\xf0\x9f\x8d\xb5" },
                /* What changes the direction of the text behind it, and its neighbours, which do not. */
                { "\u202ecod.\u202c", "???cod.???" },
                { "\u061c\u200e\u200f\u202a\u202b\u202d\u2066\u2067\u2068\u2069",
                  "?????????????????????????????" },
                { "\u061b\u061d\u200d\u2010\u2029\u202f\u2065\u206a",
                  "\u061b\u061d\u200d\u2010\u2029\u202f\u2065\u206a" },
                /* Cut off, too long for what it says, half of a surrogate, and beyond the last character. */
                { "a\xe2\x82", "a??" },
                { "\xc0\x9b\xe0\x82\x9b", "?????" },
                { "\xed\xa0\x80\xf4\x90\x80\x80\xff", "????????" },
                { "\xf0\x9f\x8d", "???" },
                { "", "" },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(freep) char *text = strdup(cases[i][0]);

                text_tame(text);
                assert_string_equal(text, cases[i][1]);
        }
}

static void test_copies(void **state) {
        _cleanup_(freep) char *text = NULL;

        assert_int_equal(text_format(&text, "%s-%d", "a", 1), 0);
        assert_string_equal(text, "a-1");
        assert_int_equal(text_replace(&text, "b"), 0);
        assert_string_equal(text, "b");
        assert_int_equal(text_replace(&text, NULL), 0);
        assert_null(text);
}

static void test_distance(void **state) {
        static const struct {
                const char *a, *b;
                unsigned distance;
        } cases[] = {
                { "", "", 0 },
                { "", "abc", 3 },
                { "Pakages", "Packages", 1 },
                { "packages", "PACKAGES", 0 },
                { "fromat", "format", 1 }, /* swapped neighbours */
                { "kitten", "sitting", 3 },
        };
        char longer[80];

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                assert_int_equal(text_distance(cases[i].a, cases[i].b), cases[i].distance);
                assert_int_equal(text_distance(cases[i].b, cases[i].a), cases[i].distance);
        }
        memset(longer, 'a', sizeof(longer) - 1);
        longer[sizeof(longer) - 1] = '\0';
        assert_int_equal(text_distance(longer, "a"), UINT_MAX);
}

static void test_substitute(void **state) {
        static const char *const cases[][4] = {
                { "a/$x/$x", "$x", "long", "a/long/long" },
                { "$x", "$x", "", "" },
                { "$x$x", "$x", "$x", "$x$x" },
                { "none", "$x", "y", "none" },
                { "", "$x", "y", "" },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(freep) char *text = NULL;

                assert_int_equal(text_copy(cases[i][0], &text), 0);
                assert_int_equal(text_substitute(&text, cases[i][1], cases[i][2]), 0);
                assert_string_equal(text, cases[i][3]);
        }
}

static void test_nearest(void **state) {
        static const char *const words[] = { "fedora", "debian", "ubuntu", NULL };

        assert_string_equal(text_nearest("debain", words), "debian");
        assert_string_equal(text_nearest("Fedora", words), "fedora");
        assert_null(text_nearest("archlinux", words));
        assert_null(text_nearest("x", words));
}

static void test_quote(void **state) {
        static const struct {
                const char *word, *quoted;
        } cases[] = {
                { "/a/b-c.d", "/a/b-c.d" },
                { "a b", "'a b'" },
                { "", "''" },
                { "it's", "'it'\\''s'" },
                { "a\\b", "'a\\b'" },
                { "~", "'~'" },
                { "a~", "a~" },
                { "'", "''\\'''" },
                { "$x", "'$x'" },
                { "a\nb", "'a\nb'" },
                { "\xc3\xa4", "'\xc3\xa4'" },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(freep) char *quoted = NULL;

                assert_int_equal(text_quote(cases[i].word, &quoted), 0);
                assert_string_equal(quoted, cases[i].quoted);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_quote),   cmocka_unit_test(test_affixes),
                cmocka_unit_test(test_strip),   cmocka_unit_test(test_tame),
                cmocka_unit_test(test_copies),  cmocka_unit_test(test_distance),
                cmocka_unit_test(test_nearest), cmocka_unit_test(test_substitute),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
