/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "compress-fixture.h"

static void test_checksum(void **state) {
        _cleanup_(sample_done) Sample sample = sample_new(MIB);
        _cleanup_(freep) char *list = NULL;

        assert_int_equal(
                compress_sample(&compressor_zstd, &(CompressOptions){}, &sample, SIZE_MAX, "packed.zst"), 0);
        list = FOREIGN_CHECK("zstd", "-l", "-v", "packed.zst");
        assert_non_null(strstr(list, "Check: XXH64"));
}

static void test_round_trips(void **state) {
        check_round_trips(&compressor_zstd);
}

static void test_same_bytes(void **state) {
        check_same_bytes(&compressor_zstd);
}

static void test_errors(void **state) {
        check_errors(&compressor_zstd);
}

static void test_given_up(void **state) {
        check_given_up(&compressor_zstd);
}

static void test_levels(void **state) {
        check_levels(&compressor_zstd);
}

/* The last one: an interrupt stays. */
static void test_interrupt(void **state) {
        check_interrupt(&compressor_zstd);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                unit_test_in_directory(test_round_trips), unit_test_in_directory(test_same_bytes),
                unit_test_in_directory(test_errors),      unit_test_in_directory(test_given_up),
                unit_test_in_directory(test_levels),      unit_test_in_directory(test_checksum),
                unit_test_in_directory(test_interrupt),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
