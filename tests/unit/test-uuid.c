/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/uuid.h"

static void test_text(void **state) {
        static const char *const bad[] = {
                "",
                "4f68bce3",
                "4f68bce3-e8cd-4db1-96e7-fbcaf984b70",
                "4f68bce3-e8cd-4db1-96e7-fbcaf984b7099",
                "4f68bce3-e8cd-4db1-96e7_fbcaf984b709",
                "4f68bce3e8cd4db196e7fbcaf984b70g",
        };
        char text[UUID_TEXT_SIZE];
        Uuid uuid, other;

        assert_int_equal(uuid_parse("4F68BCE3-e8cd-4db1-96e7-fbcaf984b709", &uuid), 0);
        uuid_format(uuid, text);
        assert_string_equal(text, "4f68bce3-e8cd-4db1-96e7-fbcaf984b709");
        assert_int_equal(uuid_parse("4f68bce3e8cd4db196e7fbcaf984b709", &other), 0);
        assert_true(uuid_equal(uuid, other));
        for (size_t i = 0; i < ELEMENTSOF(bad); i++)
                assert_int_equal(uuid_parse(bad[i], &other), -EINVAL);
        assert_true(uuid_equal(uuid, other));
        assert_true(uuid_is_null((Uuid){}) && !uuid_is_null(uuid));
}

static void test_random(void **state) {
        Uuid a, b;

        assert_int_equal(uuid_random(&a), 0);
        assert_int_equal(uuid_random(&b), 0);
        assert_false(uuid_equal(a, b));
        assert_int_equal(a.bytes[6] >> 4, 4);
        assert_int_equal(a.bytes[8] >> 6, 2);
}

/* The value is part of what users rely on: images must not change when this program is updated. Checked against
 * `printf disk | openssl dgst -sha256 -mac HMAC -macopt hexkey:4f68bce3e8cd4db196e7fbcaf984b709`. */
static void test_derive(void **state) {
        char text[UUID_TEXT_SIZE];
        Uuid seed, disk, other;

        assert_int_equal(uuid_parse("4f68bce3-e8cd-4db1-96e7-fbcaf984b709", &seed), 0);
        assert_int_equal(uuid_derive(seed, "disk", &disk), 0);
        uuid_format(disk, text);
        assert_string_equal(text, "7b69c69a-4b42-8d2d-b267-ae82c0ef14a0");
        assert_int_equal(uuid_derive(seed, "disk2", &other), 0);
        assert_false(uuid_equal(disk, other));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_text),
                cmocka_unit_test(test_random),
                cmocka_unit_test(test_derive),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
