/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "verity/verity-layout.h"

#define B VERITY_BLOCK_SIZE

static void test_levels(void **state) {
        static const struct {
                uint64_t n_data_blocks;
                size_t n_levels;
                uint64_t n_blocks[VERITY_LEVELS_MAX];
        } cases[] = {
                { 1, 0, {} },
                { 2, 1, { 1 } },
                { 128, 1, { 1 } },
                { 129, 2, { 2, 1 } },
                { 128 * 128, 2, { 128, 1 } },
                { 128 * 128 + 1, 3, { 129, 2, 1 } },
                { 262144, 3, { 2048, 16, 1 } },
                { INT64_MAX / B,
                  8,
                  { UINT64_C(1) << 44, UINT64_C(1) << 37, UINT64_C(1) << 30, 1 << 23, 1 << 16, 512, 4, 1 } },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                VerityLayout layout;
                uint64_t end = B;

                assert_int_equal(verity_layout_init(cases[i].n_data_blocks, &layout), 0);
                assert_int_equal(layout.n_data_blocks, cases[i].n_data_blocks);
                assert_int_equal(layout.n_levels, cases[i].n_levels);
                /* The top level is the first in the file. */
                for (size_t j = layout.n_levels; j-- > 0;) {
                        assert_int_equal(layout.levels[j].n_blocks, cases[i].n_blocks[j]);
                        assert_int_equal(layout.levels[j].offset, end);
                        end += cases[i].n_blocks[j] * B;
                }
                assert_int_equal(layout.size, end);
        }
}

/* The tree of 1 GiB, as the specification of 2017 has it. */
static void test_known_size(void **state) {
        VerityLayout layout;

        assert_int_equal(verity_layout_init(GIB / B, &layout), 0);
        assert_int_equal(layout.size, 8462336);
}

static void test_refused(void **state) {
        VerityLayout layout;

        assert_int_equal(verity_layout_init(0, &layout), -EINVAL);
        assert_int_equal(verity_layout_init(INT64_MAX / B + 1, &layout), -EFBIG);
        assert_int_equal(verity_layout_init(UINT64_MAX, &layout), -EFBIG);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_levels),
                cmocka_unit_test(test_known_size),
                cmocka_unit_test(test_refused),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
