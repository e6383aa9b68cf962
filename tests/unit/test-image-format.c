/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "format/image-format.h"

static void test_rows(void **state) {
        const ImageFormat *disk = image_format_find("gpt_ext4"), *directory = image_format_find("directory");

        assert_non_null(disk);
        assert_ptr_equal(disk->root, &filesystem_ext4);
        assert_non_null(directory);
        assert_null(directory->root);

        /* Old names are settled by the settings; what is not written has no row. */
        assert_null(image_format_find("raw_gpt"));
        assert_null(image_format_find("gpt_btrfs"));
        assert_null(image_format_find(""));
}

int main(void) {
        const struct CMUnitTest tests[] = { cmocka_unit_test(test_rows) };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
