/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/fd.h"
#include "base/json.h"

static void test_document(void **state) {
        static const char expected[] = "{\n"
                                       "\t\"a\": \"x\\\"\\\\\\n\\t\\u0001\xc3\xa4\xef\xbf\xbd\",\n"
                                       "\t\"list\": [\n"
                                       "\t\t1,\n"
                                       "\t\ttrue,\n"
                                       "\t\tnull,\n"
                                       "\t\t{}\n"
                                       "\t],\n"
                                       "\t\"empty\": [],\n"
                                       "\t\"none\": null\n"
                                       "}\n";
        _cleanup_(freep) char *text = NULL;
        size_t size;
        FILE *file = open_memstream(&text, &size);
        JsonWriter writer = { .file = file };

        json_begin_object(&writer, NULL);
        json_text(&writer, "a", "x\"\\\n\t\x01\xc3\xa4\xff");
        json_begin_array(&writer, "list");
        json_number(&writer, NULL, 1);
        json_bool(&writer, NULL, true);
        json_null(&writer, NULL);
        json_begin_object(&writer, NULL);
        json_end_object(&writer);
        json_end_array(&writer);
        json_begin_array(&writer, "empty");
        json_end_array(&writer);
        json_text(&writer, "none", NULL);
        json_end_object(&writer);
        assert_int_equal(fclose(file), 0);
        assert_string_equal(text, expected);
}

static void test_compact(void **state) {
        _cleanup_(freep) char *text = NULL;
        size_t size;
        FILE *file = open_memstream(&text, &size);
        JsonWriter writer = { .file = file, .compact = true };

        json_begin_object(&writer, NULL);
        json_text(&writer, "a", "b\n\xc2\x9b\xc2\xa0");
        json_begin_array(&writer, "list");
        json_number(&writer, NULL, 1);
        json_real(&writer, NULL, 1.5);
        json_integer(&writer, NULL, -7);
        json_end_array(&writer);
        json_end_object(&writer);
        assert_int_equal(fclose(file), 0);
        assert_string_equal(text, "{\"a\":\"b\\n\\u009b\xc2\xa0\",\"list\":[1,1.500,-7]}\n");
}

/* Overlong forms, surrogates and half sequences are not UTF-8, and each byte of them is replaced. */
static void test_not_utf8(void **state) {
        static const struct {
                const char *bytes;
                size_t replaced;
        } cases[] = {
                { "\xc0\x80", 2 }, { "\xed\xa0\x80", 3 },     { "\xf4\x90\x80\x80", 4 },
                { "\xe2\x82", 2 }, { "\xf0\x9f\x98\x80", 0 },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(freep) char *text = NULL;
                size_t size, replaced = 0;
                FILE *file = open_memstream(&text, &size);

                json_text(&(JsonWriter){ .file = file }, NULL, cases[i].bytes);
                assert_int_equal(fclose(file), 0);
                for (const char *at = text; (at = __builtin_strstr(at, "\xef\xbf\xbd")); at += 3)
                        replaced++;
                assert_int_equal(replaced, cases[i].replaced);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_document),
                cmocka_unit_test(test_compact),
                cmocka_unit_test(test_not_utf8),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
