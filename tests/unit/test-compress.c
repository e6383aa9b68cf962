/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/text.h"
#include "format/compress.h"

static void test_rows(void **state) {
        size_t n = 0;

        for (const Compressor *const *row = compressors; *row; row++, n++) {
                const Compressor *compressor = *row;

                assert_ptr_equal(compressor_find(compressor->name), compressor);
                assert_int_equal(compressor->suffix[0], '.');
                /* 0 is the wish for the default. */
                assert_true(compressor->level_min > 0);
                assert_true(compressor->level_min <= compressor->level_default);
                assert_true(compressor->level_default <= compressor->level_max);
                assert_true(compressor->new && compressor->feed && compressor->finish && compressor->free);
        }
        assert_int_equal(n, 3);
}

static void test_find(void **state) {
        assert_ptr_equal(compressor_find("zstd"), &compressor_zstd);
        assert_null(compressor_find("zst"));
        assert_null(compressor_find(""));
}

static void test_level(void **state) {
        assert_int_equal(compressor_level(&compressor_xz, 0), 6);
        assert_int_equal(compressor_level(&compressor_zstd, 19), 19);
        assert_int_equal(compressor_level(&compressor_gzip, 10), -ERANGE);
        assert_int_equal(compressor_level(&compressor_gzip, -1), -ERANGE);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_rows),
                cmocka_unit_test(test_find),
                cmocka_unit_test(test_level),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
