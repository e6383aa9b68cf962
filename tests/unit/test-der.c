/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/text.h"
#include "secureboot/der.h"

static void assert_bytes(const Der *der, const void *expected, size_t size) {
        assert_int_equal(der_finish(der), 0);
        assert_int_equal(der->size, size);
        assert_memory_equal(der->bytes, expected, size);
}

static void test_values(void **state) {
        static const uint8_t identifier[] = { 0x2a, 0x03 };
        static const uint8_t expected[] = { 0x30, 0x0d, 0x02, 0x01, 0x05, 0x06, 0x02, 0x2a,
                                            0x03, 0xa1, 0x04, 0x05, 0x00, 0x05, 0x00 };
        _cleanup_(der_done) Der der = {};

        const size_t sequence = der_begin(&der, DER_SEQUENCE);
        der_add_integer(&der, 5);
        der_add_identifier(&der, identifier, sizeof(identifier));
        const size_t context = der_begin(&der, DER_CONTEXT_CONSTRUCTED + 1);
        der_add(&der, DER_NULL, NULL, 0);
        der_add_raw(&der, "\x05\x00", 2);
        der_end(&der, context);
        der_end(&der, sequence);
        assert_bytes(&der, expected, sizeof(expected));
}

/* A length takes as many bytes as it needs, and no more. */
static void test_lengths(void **state) {
        static const struct {
                size_t size, header_size;
                uint8_t header[5];
        } cases[] = {
                { 0, 2, { 0x04, 0x00 } },
                { 0x7f, 2, { 0x04, 0x7f } },
                { 0x80, 3, { 0x04, 0x81, 0x80 } },
                { 0xff, 3, { 0x04, 0x81, 0xff } },
                { 0x100, 4, { 0x04, 0x82, 0x01, 0x00 } },
                { 0xffff, 4, { 0x04, 0x82, 0xff, 0xff } },
                { 0x10000, 5, { 0x04, 0x83, 0x01, 0x00, 0x00 } },
        };
        _cleanup_(freep) uint8_t *content = calloc(1, 0x10000);

        assert_non_null(content);
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(der_done) Der der = {};

                der_add(&der, DER_OCTET_STRING, content, cases[i].size);
                assert_int_equal(der_finish(&der), 0);
                assert_int_equal(der.size, cases[i].header_size + cases[i].size);
                assert_memory_equal(der.bytes, cases[i].header, cases[i].header_size);
        }
}

static void test_times(void **state) {
        static const struct {
                int64_t time;
                const char *expected;
        } cases[] = {
                { 0, "\x17\x0d"
                     "700101000000Z" },
                { 1700000000, "\x17\x0d"
                              "231114221320Z" },
                { INT64_C(2524607999), "\x17\x0d"
                                       "491231235959Z" },
                { INT64_C(2524608000), "\x18\x0f"
                                       "20500101000000Z" },
                { -1, "\x18\x0f"
                      "19691231235959Z" },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(der_done) Der der = {};

                der_add_time(&der, cases[i].time);
                assert_bytes(&der, cases[i].expected, strlen(cases[i].expected));
        }
}

/* The first failure stays, whatever comes behind it. */
static void test_failure(void **state) {
        _cleanup_(der_done) Der der = {}, late = {};

        der_add_time(&der, INT64_MAX);
        assert_int_equal(der_finish(&der), -ERANGE);
        const size_t start = der_begin(&der, DER_SEQUENCE);
        der_add_integer(&der, 1);
        der_end(&der, start);
        assert_int_equal(der_finish(&der), -ERANGE);

        der_add_integer(&late, 1);
        der_add_raw(&late, "", 64 * MIB);
        der_add_time(&late, INT64_MAX);
        assert_int_equal(der_finish(&late), -EFBIG);
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_values),
                cmocka_unit_test(test_lengths),
                cmocka_unit_test(test_times),
                cmocka_unit_test(test_failure),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
