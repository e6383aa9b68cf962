/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "format/filesystem.h"

static void test_find(void **state) {
        size_t n = 0;

        for (; filesystems[n]; n++) {
                const Filesystem *filesystem = filesystems[n];

                assert_ptr_equal(filesystem_find(filesystem->name), filesystem);
                assert_non_null(filesystem->make);
        }
        assert_int_equal(n, 5);
        assert_null(filesystem_find("ext5"));
        assert_null(filesystem_find(""));
        assert_null(filesystem_find("EXT4"));
}

static void test_compressions(void **state) {
        for (size_t i = 0; filesystems[i]; i++) {
                assert_true(filesystem_compresses(filesystems[i], COMPRESSION_NONE));
                assert_int_equal(filesystems[i]->compressions >> COMPRESSION_MAX, 0);
                assert_int_equal(filesystems[i]->compressions != 0,
                                 filesystems[i]->check_compression != NULL);
        }
        assert_false(filesystem_compresses(&filesystem_ext4, COMPRESSION_ZSTD));
}

static void test_size(void **state) {
        const FilesystemOptions none = {}, fixed = { .reserve_size = 100, .size_grain = 512 },
                                part = { .reserve_size = 100, .reserve_percent = 10 };

        assert_int_equal(filesystem_size(&none, 12345), 12345);
        assert_int_equal(filesystem_size(&fixed, 412), 512);
        assert_int_equal(filesystem_size(&fixed, 413), 1024);
        assert_int_equal(filesystem_reserve(&part, 1000), 100);
        assert_int_equal(filesystem_reserve(&part, 100000), 10000);
        assert_int_equal(filesystem_size(&part, 100000), 110000);
        /* No overflow on the way. */
        assert_int_equal(filesystem_reserve(&part, UINT64_C(1) << 62), ((UINT64_C(1) << 62) / 100) * 10);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_find),
                cmocka_unit_test(test_compressions),
                cmocka_unit_test(test_size),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
