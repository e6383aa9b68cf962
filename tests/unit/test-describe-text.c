/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "setting-table.h"
#include "setting/describe-text.h"

static void test_wrapped(void **state) {
        static const char long_text[] =
                "aaaaaaaaa bbbbbbbbb ccccccccc ddddddddd eeeeeeeee fffffffff ggggggggg hhhhhhhhh iiiiiiiii";
        static const struct {
                const char *text;
                size_t column;
                const char *result;
        } cases[] = {
                { "", 0, "" },
                { " a\n b  c ", 0, "a b c" },
                { long_text, 0,
                  "aaaaaaaaa bbbbbbbbb ccccccccc ddddddddd eeeeeeeee fffffffff ggggggggg hhhhhhhhh\n> iiiiiiiii" },
                { long_text, 1,
                  "aaaaaaaaa bbbbbbbbb ccccccccc ddddddddd eeeeeeeee fffffffff ggggggggg\n> hhhhhhhhh iiiiiiiii" },
                { "a b", 79, "a\n> b" },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(freep) char *text = NULL;
                size_t size;
                FILE *stream = open_memstream(&text, &size);

                describe_wrapped(stream, cases[i].text, cases[i].column, "> ");
                assert_int_equal(fclose(stream), 0);
                assert_string_equal(text, cases[i].result);
        }
}

static void test_width(void **state) {
        assert_int_equal(describe_width(""), 0);
        assert_int_equal(describe_width("a…é"), 3);
}

static void test_rows(void **state) {
        const Setting *compress = EXAMPLE_ROW(compress), *bootable = EXAMPLE_ROW(bootable);

        assert_true(describe_is_in(compress, &example_sections[0]));
        assert_false(describe_is_in(compress, &example_sections[1]));
        assert_false(describe_is_in(compress, NULL));
        assert_true(describe_is_in(EXAMPLE_ROW(directory), NULL));
        assert_false(describe_is_in(EXAMPLE_ROW(directory), &example_sections[0]));

        assert_string_equal(describe_word(compress, 0), "no");
        assert_string_equal(describe_word(compress, 2), "zstd");
        assert_null(describe_word(compress, 3));
        assert_string_equal(describe_word(bootable, 1), "no");
        assert_null(describe_word(bootable, 2));
        assert_null(describe_word(EXAMPLE_ROW(title), 0));

        assert_string_equal(describe_metavar(compress), "ALGORITHM");
        assert_string_equal(describe_metavar(EXAMPLE_ROW(root_size)), "SIZE");
        assert_null(describe_metavar(bootable));
        assert_true(describe_is_value_optional(compress));
        assert_true(describe_is_value_optional(bootable));
        assert_false(describe_is_value_optional(EXAMPLE_ROW(format)));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_wrapped),
                cmocka_unit_test(test_width),
                cmocka_unit_test(test_rows),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
