/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/siphash.h"

/* From the paper's appendix: the key and the data are the numbers from 0 on. */
static void test_vectors(void **state) {
        static const struct {
                size_t size;
                uint64_t hash;
        } cases[] = {
                { 0, UINT64_C(0x726fdb47dd0e0e31) },
                { 1, UINT64_C(0x74f839c593dc67fd) },
                { 8, UINT64_C(0x93f5f5799a932462) },
                { 15, UINT64_C(0xa129ca6149be45e5) },
        };
        uint8_t numbers[SIPHASH_KEY_SIZE];

        for (uint8_t i = 0; i < sizeof(numbers); i++)
                numbers[i] = i;
        for (size_t i = 0; i < ELEMENTSOF(cases); i++)
                assert_true(siphash24(numbers, numbers, cases[i].size) == cases[i].hash);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_vectors),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
