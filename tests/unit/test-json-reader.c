/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/json-reader.h"

/* Every test reads a copy of just the size, so that the address sanitizer sees a byte too many. */
typedef struct Input {
        char *bytes;
        JsonReader reader;
} Input;

static void input_init(const char *text, Input *ret) {
        const size_t size = strlen(text);

        ret->bytes = malloc(size + (size == 0));
        assert_non_null(ret->bytes);
        memcpy(ret->bytes, text, size);
        ret->reader = (JsonReader){ .position = ret->bytes, .end = ret->bytes + size };
}

static void input_done(Input *input) {
        free(input->bytes);
}

static void test_object(void **state) {
        static const struct {
                const char *name, *value;
        } members[] = { { "a", "one" }, { "", "" }, { "skipped", NULL }, { "b \"", "last" } };
        _cleanup_(input_done) Input input = {};

        input_init(
                " { \"a\" : \"one\",\n\"\":\"\"\r\t, \"skipped\": [{\"x\":{}}, 1], \"b \\\"\":\"last\"} \n",
                &input);
        assert_int_equal(json_read_object(&input.reader), 0);
        for (size_t i = 0; i < ELEMENTSOF(members); i++) {
                _cleanup_(freep) char *name = NULL, *value = NULL;

                assert_int_equal(json_read_member(&input.reader, &name), 1);
                assert_string_equal(name, members[i].name);
                if (members[i].value) {
                        assert_int_equal(json_read_text(&input.reader, &value), 0);
                        assert_string_equal(value, members[i].value);
                } else
                        assert_int_equal(json_skip_value(&input.reader), 0);
        }
        char *none = NULL;
        assert_int_equal(json_read_member(&input.reader, &none), 0);
        assert_null(none);
        assert_int_equal(json_read_end(&input.reader), 0);
}

/* Objects within objects, read and not skipped. */
static void test_nested_objects(void **state) {
        _cleanup_(input_done) Input input = {};
        char *name;

        input_init("{\"a\":{\"b\":{}},\"c\":null}", &input);
        assert_int_equal(json_read_object(&input.reader), 0);
        for (size_t i = 0; i < 2; i++) {
                assert_int_equal(json_read_member(&input.reader, &name), 1);
                free(name);
                assert_int_equal(json_read_object(&input.reader), 0);
        }
        assert_int_equal(json_read_member(&input.reader, &name), 0);
        assert_int_equal(json_read_member(&input.reader, &name), 0);
        assert_int_equal(json_read_member(&input.reader, &name), 1);
        assert_string_equal(name, "c");
        free(name);
        assert_int_equal(json_skip_value(&input.reader), 0);
        assert_int_equal(json_read_member(&input.reader, &name), 0);
        assert_int_equal(json_read_end(&input.reader), 0);
}

static void test_text(void **state) {
        static const struct {
                const char *json, *text;
        } good[] = {
                { "\"\"", "" },
                { "\"plain\"", "plain" },
                { "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\/\b\f\n\r\t" },
                { "\"\\u0041\\u00e9\\u20AC\\ud83d\\ude00\"", "A\u00e9\u20ac\U0001f600" },
                { "\"\\u0001\\u007f\\u0080\\u07ff\\u0800\\uffff\"",
                  "\x01\x7f\xc2\x80\xdf\xbf\xe0\xa0\x80\xef\xbf\xbf" },
                { "\"\u00e9\"", "\u00e9" },
                { "\"\\\\\"", "\\" },
        };
        static const char *const bad[] = {
                "",
                "plain",
                "\"",
                "\"open",
                "\"open\\\"",
                "\"\\",
                "\"\\x\"",
                "\"\\u\"",
                "\"\\u123\"",
                "\"\\u123g\"",
                "\"\\u0000\"",
                "\"\\udc00\"",
                "\"\\ud800\"",
                "\"\\ud800\\n\"",
                "\"line\n\"",
                "\"\\u12",
                "\"\\ud800\\u\"",
                "\"\\ud800\\ud800\"",
                "1",
                "null",
                "\"\x01\"",
                "'a'",
        };

        for (size_t i = 0; i < ELEMENTSOF(good); i++) {
                _cleanup_(input_done) Input input = {};
                _cleanup_(freep) char *text = NULL;

                input_init(good[i].json, &input);
                assert_int_equal(json_read_text(&input.reader, &text), 0);
                assert_string_equal(text, good[i].text);
                assert_int_equal(json_read_end(&input.reader), 0);
        }
        for (size_t i = 0; i < ELEMENTSOF(bad); i++) {
                _cleanup_(input_done) Input input = {};
                char *text = NULL;

                input_init(bad[i], &input);
                assert_int_equal(json_read_text(&input.reader, &text), -EBADMSG);
                assert_null(text);
        }
}

static void test_skip(void **state) {
        static const char *const good[] = {
                "0",
                "-0",
                "12",
                "-3.25",
                "1e9",
                "1E+10",
                "2.5e-3",
                "true",
                "false",
                "null",
                "[]",
                "[ ]",
                "[1, \"2\", []]",
                "{}",
                "{ }",
                "{\"a\":{\"b\":[{}]}, \"c\":1}",
                "\"text\"",
                "  7  ",
        };
        static const char *const bad[] = {
                "",           "-",   "01",     "1.",        ".5",
                "1e",         "+1",  "tru",    "nul",       "truex",
                "[",          "[1",  "[1,",    "[1,]",      "[,]",
                "[1 2]",      "{",   "{\"a\"", "{\"a\":",   "{\"a\":1",
                "{\"a\":1,}", "{,}", "{1:2}",  "{\"a\" 1}", "{\"a\":1 \"b\":2}",
                "1 2",        "]",   "}",
        };

        for (size_t i = 0; i < ELEMENTSOF(good); i++) {
                _cleanup_(input_done) Input input = {};

                input_init(good[i], &input);
                assert_int_equal(json_skip_value(&input.reader), 0);
                assert_int_equal(json_read_end(&input.reader), 0);
        }
        for (size_t i = 0; i < ELEMENTSOF(bad); i++) {
                _cleanup_(input_done) Input input = {};

                input_init(bad[i], &input);
                const int r = json_skip_value(&input.reader);
                if (r >= 0 && json_read_end(&input.reader) >= 0)
                        fail_msg("%s is not refused", bad[i]);
        }
}

/* As deep as is fine, and a little deeper; and so deep that the stack would not do. */
static void test_depth(void **state) {
        static const size_t depths[] = { 60, 100, 1000000 };

        for (size_t i = 0; i < ELEMENTSOF(depths); i++) {
                _cleanup_(freep) char *text = malloc(2 * depths[i] + 1);
                _cleanup_(input_done) Input input = {};

                assert_non_null(text);
                memset(text, '[', depths[i]);
                memset(text + depths[i], ']', depths[i]);
                text[2 * depths[i]] = '\0';
                input_init(text, &input);
                assert_int_equal(json_skip_value(&input.reader), i == 0 ? 0 : -EBADMSG);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_object), cmocka_unit_test(test_nested_objects),
                cmocka_unit_test(test_text),   cmocka_unit_test(test_skip),
                cmocka_unit_test(test_depth),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
