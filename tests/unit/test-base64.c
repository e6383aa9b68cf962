/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/base64.h"

/* RFC 4648, section 10, and bytes of which the signs differ from those of other alphabets. */
static void test_vectors(void **state) {
        static const struct {
                const char *bytes, *text;
        } rows[] = {
                { "", "" },
                { "f", "Zg==" },
                { "fo", "Zm8=" },
                { "foo", "Zm9v" },
                { "foob", "Zm9vYg==" },
                { "fooba", "Zm9vYmE=" },
                { "foobar", "Zm9vYmFy" },
                { "\xfb\xff\xfe", "+//+" },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_(freep) uint8_t *bytes = NULL;
                _cleanup_(freep) char *text = NULL;
                size_t size;

                assert_int_equal(base64_encode(rows[i].bytes, strlen(rows[i].bytes), &text), 0);
                assert_string_equal(text, rows[i].text);
                assert_int_equal(base64_decode(text, &bytes, &size), 0);
                assert_int_equal(size, strlen(rows[i].bytes));
                assert_memory_equal(bytes, rows[i].bytes, size);
        }
}

static void test_refused(void **state) {
        static const char *const rows[] = {
                "=",    "==",     "====",  "Z",        "Zg",       "Zg=",      "Zh==",
                "Zm9=", "Zm9v\n", " Zm9v", "Zm9v ",    "Zm 9v",    "Zm9v=",    "Zg==Zg",
                "Zm-_", "Zm9*",   "Z===",  "Zg==Zg==", "Zm9vY===", "\xc3\xa9",
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                uint8_t *bytes = NULL;
                size_t size;

                assert_int_equal(base64_decode(rows[i], &bytes, &size), -EBADMSG);
                assert_null(bytes);
        }
}

static void test_too_large(void **state) {
        char *text = NULL;

        assert_int_equal(base64_encode("", BASE64_LENGTH_MAX, &text), -EFBIG);
        assert_null(text);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_vectors),
                cmocka_unit_test(test_refused),
                cmocka_unit_test(test_too_large),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
