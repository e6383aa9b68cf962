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
                assert_non_null(filesystem->measure);
                assert_non_null(filesystem->make);
        }
        assert_int_equal(n, 2);
        assert_null(filesystem_find("ext5"));
        assert_null(filesystem_find(""));
        assert_null(filesystem_find("EXT4"));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_find),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
