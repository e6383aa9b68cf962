/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/crc32c.h"

static void fill(uint8_t *data, size_t size) {
        uint32_t number = 1;

        for (size_t i = 0; i < size; i++) {
                number = number * 1664525 + 1013904223;
                data[i] = (uint8_t)(number >> 24);
        }
}

/* Those of RFC 3720, B.4, and the usual nine digits. */
static void test_vectors(void **state) {
        uint8_t zeros[32] = {}, ones[32], up[32], down[32];

        memset(ones, 0xff, sizeof(ones));
        for (uint8_t i = 0; i < 32; i++) {
                up[i] = i;
                down[i] = (uint8_t)(31 - i);
        }
        const struct {
                const void *data;
                size_t size;
                uint32_t sum;
        } cases[] = {
                { "", 0, 0 },
                { "123456789", 9, 0xe3069283 },
                { zeros, 32, 0x8a9136aa },
                { ones, 32, 0x62a8ab43 },
                { up, 32, 0x46dd794e },
                { down, 32, 0x113fdb5c },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                assert_int_equal(~crc32c(UINT32_MAX, cases[i].data, cases[i].size), cases[i].sum);
                assert_int_equal(~crc32c_portable(UINT32_MAX, cases[i].data, cases[i].size), cases[i].sum);
        }
}

/* Both ways agree for every length and start, and in parts. */
static void test_ways_agree(void **state) {
        uint8_t data[600];

        fill(data, sizeof(data));
        for (size_t start = 0; start < 9; start++)
                for (size_t size = 0; start + size <= sizeof(data); size += 1 + size / 40) {
                        const uint32_t sum = crc32c(7, data + start, size);

                        assert_int_equal(crc32c_portable(7, data + start, size), sum);
                        assert_int_equal(crc32c(crc32c(7, data + start, size / 3), data + start + size / 3,
                                                size - size / 3),
                                         sum);
                }
}

static void test_blocks(void **state) {
        static uint8_t data[11 * 4096 + 1];
        uint32_t sums[12];

        fill(data, sizeof(data));
        for (size_t n = 0; n <= 11; n++) {
                memset(sums, 0, sizeof(sums));
                crc32c_blocks(data + 1, n, 4096, sums);
                for (size_t i = 0; i < n; i++)
                        assert_int_equal(sums[i], ~crc32c_portable(UINT32_MAX, data + 1 + i * 4096, 4096));
                assert_int_equal(sums[n], 0);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_vectors),
                cmocka_unit_test(test_ways_agree),
                cmocka_unit_test(test_blocks),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
