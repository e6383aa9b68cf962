/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/macro.h"
#include "format/image-format.h"

static void test_rows(void **state) {
        static const struct {
                const char *name;
                ImageShape shape;
                const Filesystem *root;
                bool subvolumes;
        } expected[] = {
                { "gpt_ext4", IMAGE_DISK, &filesystem_ext4, false },
                { "gpt_btrfs", IMAGE_DISK, &filesystem_btrfs, true },
                { "gpt_squashfs", IMAGE_DISK, &filesystem_squashfs, false },
                { "plain_squashfs", IMAGE_FILESYSTEM, &filesystem_squashfs, false },
                { "tar", IMAGE_ARCHIVE, NULL, false },
                { "directory", IMAGE_TREE, NULL, false },
                { "subvolume", IMAGE_TREE, NULL, true },
        };

        for (size_t i = 0; i < ELEMENTSOF(expected); i++) {
                const ImageFormat *format = image_format_find(expected[i].name);

                assert_non_null(format);
                assert_string_equal(format->name, expected[i].name);
                assert_int_equal(format->shape, expected[i].shape);
                assert_ptr_equal(format->root, expected[i].root);
                assert_int_equal(format->subvolumes, expected[i].subvolumes);
        }

        /* Old names are settled by the settings; what is not written has no row. */
        assert_null(image_format_find("raw_gpt"));
        assert_null(image_format_find("gpt_xfs"));
        assert_null(image_format_find(""));
}

int main(void) {
        const struct CMUnitTest tests[] = { cmocka_unit_test(test_rows) };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
