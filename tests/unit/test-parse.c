/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/parse.h"

static void test_bool(void **state) {
        static const char *const yes[] = { "yes", "true", "1", "on", "Y", "t", "YES", "True" };
        static const char *const no[] = { "no", "false", "0", "off", "N", "f", "NO" };
        static const char *const neither[] = { "", "maybe", "yess", "2", " yes", "yes " };
        bool value;

        for (size_t i = 0; i < ELEMENTSOF(yes); i++) {
                value = false;
                assert_int_equal(parse_bool(yes[i], &value), 0);
                assert_true(value);
        }
        for (size_t i = 0; i < ELEMENTSOF(no); i++) {
                value = true;
                assert_int_equal(parse_bool(no[i], &value), 0);
                assert_false(value);
        }
        for (size_t i = 0; i < ELEMENTSOF(neither); i++) {
                value = true;
                assert_int_equal(parse_bool(neither[i], &value), -EINVAL);
                assert_true(value);
        }
}

static void test_uint64(void **state) {
        static const struct {
                const char *text;
                int r;
                uint64_t value;
        } cases[] = {
                { "0", 0, 0 },
                { "18446744073709551615", 0, UINT64_MAX },
                { "18446744073709551616", -ERANGE, 0 },
                { "007", 0, 7 },
                { "", -EINVAL, 0 },
                { "-1", -EINVAL, 0 },
                { "+1", -EINVAL, 0 },
                { " 1", -EINVAL, 0 },
                { "1 ", -EINVAL, 0 },
                { "0x10", -EINVAL, 0 },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                uint64_t value = 0;

                assert_int_equal(parse_uint64(cases[i].text, &value), cases[i].r);
                assert_int_equal(value, cases[i].value);
        }
}

static void test_size(void **state) {
        static const struct {
                const char *text;
                int r;
                uint64_t value;
        } cases[] = {
                { "512", 0, 512 },     { "512B", 0, 512 },     { "1K", 0, KIB },
                { "3m", 0, 3 * MIB },  { "2G", 0, 2 * GIB },   { "1 T", 0, KIB * GIB },
                { "3GB", -EINVAL, 0 }, { "1.5G", -EINVAL, 0 }, { "G", -EINVAL, 0 },
                { "1P", -EINVAL, 0 },  { "", -EINVAL, 0 },     { "99999999999T", -ERANGE, 0 },
                { "-1G", -EINVAL, 0 }, { "1Gx", -EINVAL, 0 },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                uint64_t value = 0;

                assert_int_equal(parse_size(cases[i].text, &value), cases[i].r);
                assert_int_equal(value, cases[i].value);
        }
}

/* What is printed is read back as the same number. */
static void test_size_format(void **state) {
        static const uint64_t sizes[] = {
                0, 1, 513, KIB, KIB + 1, 1300 * MIB, GIB, 5 * KIB * GIB, UINT64_MAX
        };

        for (size_t i = 0; i < ELEMENTSOF(sizes); i++) {
                uint64_t back = 1;
                char text[24];

                size_format(sizes[i], text);
                assert_int_equal(parse_size(text, &back), 0);
                assert_int_equal(back, sizes[i]);
        }

        char text[24];
        size_format(1300 * MIB, text);
        assert_string_equal(text, "1300M");
        size_format_rounded(1300 * MIB, text);
        assert_string_equal(text, "1.2G");
        size_format_rounded(513, text);
        assert_string_equal(text, "513B");
        size_format_rounded(UINT64_MAX, text);
        assert_string_equal(text, "16777215.9T");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_bool),
                cmocka_unit_test(test_uint64),
                cmocka_unit_test(test_size),
                cmocka_unit_test(test_size_format),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
