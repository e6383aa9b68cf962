/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "compress-fixture.h"

/* Without name and time, and with what the levels say of themselves. */
static void test_header(void **state) {
        static const struct {
                int level;
                uint8_t header[10];
        } cases[] = {
                { 0, { 0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3 } },
                { 1, { 0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 4, 3 } },
                { 9, { 0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 2, 3 } },
        };
        _cleanup_(sample_done) Sample sample = sample_new(1000);

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                const CompressOptions options = { .level = cases[i].level };
                _cleanup_(freep) char *text = NULL;
                size_t size;

                assert_int_equal(compress_sample(&compressor_gzip, &options, &sample, SIZE_MAX, "packed"), 0);
                assert_int_equal(file_read(AT_FDCWD, "packed", MIB, &text, &size), 0);
                assert_memory_equal(text, cases[i].header, sizeof(cases[i].header));
        }
}

/* What cannot be made smaller grows by little. */
static void test_noise(void **state) {
        _cleanup_(sample_done) Sample sample = sample_new(3 * MIB);
        uint64_t number = 1;
        struct stat status;

        for (size_t i = 0; i < sample.size; i++) {
                number = number * UINT64_C(6364136223846793005) + 1442695040888963407;
                sample.data[i] = (uint8_t)(number >> 56);
        }
        for (int level = 1; level <= 9; level++) {
                const CompressOptions options = { .level = level };

                assert_int_equal(compress_sample(&compressor_gzip, &options, &sample, SIZE_MAX, "packed.gz"),
                                 0);
                free(FOREIGN_CHECK("gzip", "-t", "packed.gz"));
                assert_int_equal(stat("packed.gz", &status), 0);
                assert_true(status.st_size < 3 * (off_t)MIB + 5000);
        }
}

static void test_round_trips(void **state) {
        check_round_trips(&compressor_gzip);
}

static void test_same_bytes(void **state) {
        check_same_bytes(&compressor_gzip);
}

static void test_errors(void **state) {
        check_errors(&compressor_gzip);
}

static void test_given_up(void **state) {
        check_given_up(&compressor_gzip);
}

static void test_levels(void **state) {
        check_levels(&compressor_gzip);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                unit_test_in_directory(test_round_trips), unit_test_in_directory(test_same_bytes),
                unit_test_in_directory(test_errors),      unit_test_in_directory(test_given_up),
                unit_test_in_directory(test_levels),      unit_test_in_directory(test_header),
                unit_test_in_directory(test_noise),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
