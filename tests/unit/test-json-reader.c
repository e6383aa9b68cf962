/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
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

static void test_number(void **state) {
        static const struct {
                const char *json;
                int r;
                uint64_t number;
        } rows[] = {
                { "0", 0, 0 },
                { " 7", 0, 7 },
                { "18446744073709551615", 0, UINT64_MAX },
                { "18446744073709551616", -ERANGE, 0 },
                { "100000000000000000000", -ERANGE, 0 },
                { "-1", -EBADMSG, 0 },
                { "1.0", -EBADMSG, 0 },
                { "1e2", -EBADMSG, 0 },
                { "", -EBADMSG, 0 },
                { "\"1\"", -EBADMSG, 0 },
                { "true", -EBADMSG, 0 },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_(input_done) Input input = {};
                uint64_t number = 0;

                input_init(rows[i].json, &input);
                assert_int_equal(json_read_number(&input.reader, &number), rows[i].r);
                assert_int_equal(number, rows[i].number);
        }
}

static void test_bool(void **state) {
        static const struct {
                const char *json;
                int r;
                bool truth;
        } rows[] = {
                { " true", 0, true }, { "false", 0, false },       { "tru", -EBADMSG, true },
                { "", -EBADMSG, 0 },  { "\"true\"", -EBADMSG, 0 }, { "1", -EBADMSG, 0 },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_(input_done) Input input = {};
                bool truth = !rows[i].truth;

                input_init(rows[i].json, &input);
                assert_int_equal(json_read_bool(&input.reader, &truth), rows[i].r);
                assert_true(truth == (rows[i].r == 0 ? rows[i].truth : !rows[i].truth));
        }
}

static int add_number(JsonReader *reader, void *userdata, Reason *reason) {
        uint64_t *sum = userdata, number;

        const int r = json_read_number(reader, &number);
        if (r < 0)
                return reason_set(reason, r, "An element is no number");
        *sum = *sum * 10 + number;
        return 0;
}

static int add_numbers(JsonReader *reader, void *userdata, Reason *reason) {
        return json_read_items(reader, add_number, userdata, reason);
}

static void test_items(void **state) {
        static const struct {
                const char *json;
                int r;
                uint64_t sum;
        } rows[] = {
                { "[]", 0, 0 },          { " [ 1 , 2,3 ] ", 0, 123 }, { "[1", -EBADMSG, 1 },
                { "[1,]", -EBADMSG, 1 }, { "[,1]", -EBADMSG, 0 },     { "[1 2]", -EBADMSG, 1 },
                { "[1}", -EBADMSG, 1 },  { "[\"a\"]", -EBADMSG, 0 },  { "1", -EBADMSG, 0 },
                { "{}", -EBADMSG, 0 },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_(input_done) Input input = {};
                uint64_t sum = 0;

                input_init(rows[i].json, &input);
                assert_int_equal(json_read_items(&input.reader, add_number, &sum, NULL), rows[i].r);
                assert_int_equal(sum, rows[i].sum);
                if (rows[i].r == 0)
                        assert_int_equal(json_read_end(&input.reader), 0);
        }
}

static int add_named(JsonReader *reader, const char *name, void *userdata, Reason *reason) {
        if (strcmp(name, "bad") == 0)
                return reason_set(reason, -EBADMSG, "There is a bad one");
        return add_number(reader, userdata, reason);
}

static int add_all_named(JsonReader *reader, void *userdata, Reason *reason) {
        return json_read_entries(reader, add_named, userdata, reason);
}

static void test_entries(void **state) {
        static const struct {
                const char *json;
                int r;
                uint64_t sum;
                const char *reason;
        } rows[] = {
                { "{}", 0, 0, "" },
                { " { \"a\" : 1 ,\"b\":2,\"a\":3 } ", 0, 123, "" },
                { "{\"a\":1", -EBADMSG, 1, "" },
                { "{\"a\":1,}", -EBADMSG, 1, "" },
                { "{\"a\":1 \"b\":2}", -EBADMSG, 1, "" },
                { "{\"a\":[]}", -EBADMSG, 0, "An element is no number" },
                { "{\"a\":1,\"bad\":2}", -EBADMSG, 1, "There is a bad one" },
                { "[]", -EBADMSG, 0, "" },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_(reason_done) Reason reason = {};
                _cleanup_(input_done) Input input = {};
                uint64_t sum = 0;

                input_init(rows[i].json, &input);
                assert_int_equal(json_read_entries(&input.reader, add_named, &sum, &reason), rows[i].r);
                assert_int_equal(sum, rows[i].sum);
                assert_string_equal(reason.text ?: "", rows[i].reason);
                if (rows[i].r == 0)
                        assert_int_equal(json_read_end(&input.reader), 0);
        }

        /* Inside of another object, behind which more comes. */
        _cleanup_(input_done) Input input = {};
        uint64_t sum = 0, number = 0;
        const JsonField fields[] = {
                { "all", .read = add_all_named, .userdata = &sum },
                { "number", .number = &number },
        };

        input_init("{\"all\":{\"a\":1,\"b\":2},\"number\":3}", &input);
        assert_int_equal(json_read_fields(&input.reader, fields, ELEMENTSOF(fields), NULL), 0);
        assert_int_equal(sum, 12);
        assert_int_equal(number, 3);
}

static void test_fields(void **state) {
        static const struct {
                const char *json, *reason; /* no reason: it is taken */
        } rows[] = {
                { "{\"text\":\"a\",\"number\":1,\"list\":[2,3]}", NULL },
                { "{\"list\":[2,3],\"other\":{\"text\":[]},\"number\":1,\"text\":\"a\"} ", NULL },
                { "{\"list\":[2,3],\"number\":1,\"text\":\"a\",\"truth\":true}", NULL },
                { "{\"list\":[2,3],\"number\":1}", "The member \"text\" is missing" },
                { "{\"text\":1}", "The member \"text\" is no text" },
                { "{\"number\":-1}", "The member \"number\" is no whole number" },
                { "{\"number\":99999999999999999999}", "The member \"number\" is no whole number" },
                { "{\"truth\":1}", "The member \"truth\" is no true or false" },
                { "{\"text\":\"a\",\"text\":\"a\"}", "There are two members \"text\"" },
                { "{\"list\":[[]]}", "An element is no number" },
                { "{\"list\":1}", "The member \"list\" is not what it should be" },
                { "{\"other\":}", "" },
                { "[]", "" },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_(input_done) Input input = {};
                _cleanup_(reason_done) Reason reason = {};
                _cleanup_(freep) char *text = NULL;
                uint64_t number = 0, sum = 0;
                bool truth = false;
                const JsonField fields[] = {
                        { "text", .text = &text },
                        { "number", .number = &number },
                        { "list", .read = add_numbers, .userdata = &sum },
                        { "truth", .truth = &truth, .optional = true },
                };

                input_init(rows[i].json, &input);
                const int r = json_read_fields(&input.reader, fields, ELEMENTSOF(fields), &reason);
                assert_int_equal(r, rows[i].reason ? -EBADMSG : 0);
                if (rows[i].reason) {
                        assert_string_equal(reason.text ?: "", rows[i].reason);
                        continue;
                }
                assert_int_equal(json_read_end(&input.reader), 0);
                assert_string_equal(text, "a");
                assert_int_equal(number, 1);
                assert_int_equal(sum, 23);
                assert_true(truth == (i == 2));
        }
}

/* Each of as many as there may be is told from all others. */
static void test_many_fields(void **state) {
        char names[JSON_FIELDS_MAX][24], json[JSON_FIELDS_MAX * 24];
        JsonField fields[JSON_FIELDS_MAX] = {};
        uint64_t numbers[JSON_FIELDS_MAX];

        for (size_t i = 0; i < JSON_FIELDS_MAX; i++) {
                (void)snprintf(names[i], sizeof(names[i]), "n%zu", i);
                fields[i] = (JsonField){ names[i], .number = &numbers[i] };
        }
        /* Without one of them; at last with all. */
        for (size_t missing = 0; missing <= JSON_FIELDS_MAX; missing++) {
                _cleanup_(input_done) Input input = {};
                _cleanup_(reason_done) Reason reason = {};
                char *end = stpcpy(json, "{");
                char wanted[64] = "";

                for (size_t i = 0; i < JSON_FIELDS_MAX; i++)
                        if (i != missing)
                                end += snprintf(end, 24, "%s\"n%zu\":%zu", end[-1] == '{' ? "" : ",", i, i);
                (void)stpcpy(end, "}");
                if (missing < JSON_FIELDS_MAX)
                        (void)snprintf(wanted, sizeof(wanted), "The member \"n%zu\" is missing", missing);
                input_init(json, &input);
                assert_int_equal(json_read_fields(&input.reader, fields, JSON_FIELDS_MAX, &reason),
                                 wanted[0] ? -EBADMSG : 0);
                assert_string_equal(reason.text ?: "", wanted);
        }
        for (size_t i = 0; i < JSON_FIELDS_MAX; i++)
                assert_int_equal(numbers[i], i);
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

static void test_line(void **state) {
        _cleanup_(input_done) Input input = {};

        input_init("{\n \"a\":\n1,\n2}\n", &input);
        assert_int_equal(json_reader_line(&input.reader, input.bytes), 1);
        assert_int_equal(json_skip_value(&input.reader), -EBADMSG);
        assert_int_equal(json_reader_line(&input.reader, input.bytes), 4);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_object),  cmocka_unit_test(test_nested_objects),
                cmocka_unit_test(test_text),    cmocka_unit_test(test_number),
                cmocka_unit_test(test_bool),    cmocka_unit_test(test_items),
                cmocka_unit_test(test_entries), cmocka_unit_test(test_fields),
                cmocka_unit_test(test_skip),    cmocka_unit_test(test_depth),
                cmocka_unit_test(test_line),    cmocka_unit_test(test_many_fields),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
