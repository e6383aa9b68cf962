/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "compress-fixture.h"

/* As xz(1) does it with threads: CRC64, blocks of three dictionaries that say their size. */
static void test_blocks(void **state) {
        _cleanup_(sample_done) Sample sample = sample_new(9 * MIB + 1);
        const CompressOptions options = { .level = 1 };
        _cleanup_(freep) char *list = NULL;

        assert_int_equal(compress_sample(&compressor_xz, &options, &sample, SIZE_MAX, "packed.xz"), 0);
        list = FOREIGN_CHECK("xz", "--robot", "--list", "-v", "packed.xz");
        assert_non_null(strstr(list, "\nfile\t1\t4\t"));
        assert_non_null(strstr(list, "\tCRC64\t"));
        assert_non_null(strstr(list, "\t3145728\t"));
}

static void test_round_trips(void **state) {
        check_round_trips(&compressor_xz);
}

static void test_same_bytes(void **state) {
        check_same_bytes(&compressor_xz);
}

static void test_errors(void **state) {
        check_errors(&compressor_xz);
}

static void test_given_up(void **state) {
        check_given_up(&compressor_xz);
}

static void test_levels(void **state) {
        check_levels(&compressor_xz);
}

/* The last one: an interrupt stays. */
static void test_interrupt(void **state) {
        check_interrupt(&compressor_xz);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                unit_test_in_directory(test_round_trips), unit_test_in_directory(test_same_bytes),
                unit_test_in_directory(test_errors),      unit_test_in_directory(test_given_up),
                unit_test_in_directory(test_levels),      unit_test_in_directory(test_blocks),
                unit_test_in_directory(test_interrupt),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
