/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "format/utf16.h"

static void test_valid(void **state) {
        static const struct {
                const char *text;
                size_t n;
                uint16_t units[4];
        } cases[] = {
                { "", 0, {} },
                { "az", 2, { 'a', 'z' } },
                { "\x7f\xc2\x80", 2, { 0x7f, 0x80 } },
                { "\xdf\xbf\xe0\xa0\x80", 2, { 0x7ff, 0x800 } },
                { "é€", 2, { 0xe9, 0x20ac } },
                { "\xed\x9f\xbf\xee\x80\x80", 2, { 0xd7ff, 0xe000 } },
                { "\xef\xbf\xbf\xf0\x90\x80\x80", 3, { 0xffff, 0xd800, 0xdc00 } },
                { "\xf4\x8f\xbf\xbf", 2, { 0xdbff, 0xdfff } },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                uint16_t units[4] = {};

                assert_int_equal(utf16_from_utf8(cases[i].text, units, cases[i].n), cases[i].n);
                assert_memory_equal(units, cases[i].units, sizeof(units));
                assert_int_equal(utf16_from_utf8(cases[i].text, NULL, 4), cases[i].n);

                _cleanup_(freep) char *text = NULL;
                assert_int_equal(utf16_to_utf8(units, cases[i].n, &text), 0);
                assert_string_equal(text, cases[i].text);
        }
}

static void test_refused(void **state) {
        static const char *const cases[] = {
                "\x80", /* continues nothing */
                "\xbf",
                "\xc3", /* ends early */
                "\xe2\x82",
                "\xf0\x9f\x98",
                "\xc3(",    /* not continued */
                "\xc0\xaf", /* longer than it has to be */
                "\xc1\xbf",
                "\xe0\x9f\xbf",
                "\xf0\x8f\xbf\xbf",
                "\xed\xa0\x80", /* half of a surrogate pair */
                "\xed\xbf\xbf",
                "\xf4\x90\x80\x80", /* beyond the last character */
                "\xf8\x88\x80\x80\x80",
                "\xff",
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++)
                assert_int_equal(utf16_from_utf8(cases[i], NULL, 4), -EILSEQ);
}

/* Halves of pairs. */
static void test_lonely(void **state) {
        static const uint16_t cases[][3] = {
                { 0xd800, 'a', 'b' },
                { 'a', 'b', 0xd800 },
                { 0xdc00, 0xd800, 'a' },
                { 0xd800, 0xd800, 0xdc00 },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                char *text;

                assert_int_equal(utf16_to_utf8(cases[i], 3, &text), -EILSEQ);
        }
}

static void test_limit(void **state) {
        uint16_t units[3] = { 7, 7, 7 };

        assert_int_equal(utf16_from_utf8("abc", units, 2), -ENAMETOOLONG);
        assert_int_equal(utf16_from_utf8("ab\U0001f600", units, 3), -ENAMETOOLONG);
        assert_int_equal(units[2], 7);
        assert_int_equal(utf16_from_utf8("a", NULL, 0), -ENAMETOOLONG);
        assert_int_equal(utf16_from_utf8("", NULL, 0), 0);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_valid),
                cmocka_unit_test(test_refused),
                cmocka_unit_test(test_lonely),
                cmocka_unit_test(test_limit),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
