/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "format/lzo.h"
#include "lzo-reader.h"

static size_t check(const uint8_t *data, size_t size) {
        uint8_t compressed[LZO_OUTPUT_SIZE_MAX], again[LZO_SIZE_MAX];

        const size_t n = lzo_compress(data, size, compressed);
        assert_true(n <= sizeof(compressed));
        assert_int_equal(lzo_read(compressed, n, again, sizeof(again)), size);
        assert_memory_equal(again, data, size);
        return n;
}

static uint32_t next_random(uint64_t *state) {
        *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        return (uint32_t)(*state >> 33);
}

/* Every length of a run of literals: at the start, behind a copy, and at the end. */
static void test_literals(void **state) {
        uint64_t seed = 1;
        uint8_t data[LZO_SIZE_MAX];

        for (size_t n = 1; n <= LZO_SIZE_MAX; n += 1 + n / 300) {
                for (size_t i = 0; i < n; i++)
                        data[i] = (uint8_t)next_random(&seed);
                (void)check(data, n);
                if (2 * n + 20 > LZO_SIZE_MAX)
                        continue;
                memset(data + n, 'x', 20);
                for (size_t i = 0; i < n; i++)
                        data[n + 20 + i] = (uint8_t)next_random(&seed);
                (void)check(data, 2 * n + 20);
        }
}

/* Every length and distance of a copy. */
static void test_copies(void **state) {
        uint64_t seed = 2;
        uint8_t data[LZO_SIZE_MAX];

        for (size_t distance = 1; distance < 4080; distance += 1 + distance / 50)
                for (size_t length = 1; distance + length <= 4090; length += 1 + length / 20) {
                        for (size_t i = 0; i < distance; i++)
                                data[i] = (uint8_t)next_random(&seed);
                        for (size_t i = 0; i < length; i++)
                                data[distance + i] = data[i];
                        for (size_t i = 0; i < length % 6; i++)
                                data[distance + length + i] = (uint8_t)next_random(&seed);
                        (void)check(data, distance + length + length % 6);
                }
}

static void test_random(void **state) {
        uint64_t seed = 3;
        uint8_t data[LZO_SIZE_MAX];

        for (size_t round = 0; round < 2000; round++) {
                const uint32_t n_symbols = 1 + next_random(&seed) % 6;
                const size_t size = 1 + next_random(&seed) % LZO_SIZE_MAX;

                for (size_t i = 0; i < size; i++)
                        data[i] = i > 60 && next_random(&seed) % 9 != 0
                                          ? data[i - 50 - round % 10]
                                          : (uint8_t)(next_random(&seed) % n_symbols);
                (void)check(data, size);
        }
}

static void test_saves(void **state) {
        uint8_t data[LZO_SIZE_MAX] = {};

        assert_true(check(data, sizeof(data)) < 32);
        for (size_t i = 0; i < sizeof(data); i++)
                data[i] = (uint8_t) "some text that is said again and again, "[i % 40];
        assert_true(check(data, sizeof(data)) < 80);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_literals),
                cmocka_unit_test(test_copies),
                cmocka_unit_test(test_random),
                cmocka_unit_test(test_saves),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
