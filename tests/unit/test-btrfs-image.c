/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "btrfs-fixture.h"

static void test_roots(void **state) {
        static const char *const names[] = { "a", "b", NULL };
        static const uint64_t ids[] = { 1, 2, 3, 4, 5, 7, 9, 10, 256, 257, BTRFS_DATA_RELOC_TREE_OBJECTID };
        FilesystemOptions with = options;
        _cleanup_(btrfs_image_done) BtrfsImage image = {}, again = {};

        assert_int_equal(mkdir("tree/a", 0755), 0);
        assert_int_equal(mkdir("tree/b", 0755), 0);
        with.subvolumes = names;
        _cleanup_(tree_freep) Tree *tree = load_tree();
        _cleanup_(btrfs_plan_freep) BtrfsPlan *plan = make_plan(tree, &with);
        assert_int_equal(btrfs_image_init(&image, plan, NULL), 0);
        assert_int_equal(image.n_roots, ELEMENTSOF(ids));
        for (size_t i = 0; i < ELEMENTSOF(ids); i++) {
                assert_int_equal(image.roots[i].id, ids[i]);
                assert_ptr_equal(btrfs_image_root(&image, ids[i]), &image.roots[i]);
        }

        btrfs_image_set_root(&image, &(BtrfsTree){ .owner = 257, .address = 77, .level = 3, .n_blocks = 9 });
        assert_int_equal(image.roots[9].address, 77);
        assert_int_equal(image.roots[9].level, 3);
        assert_int_equal(image.roots[9].n_blocks, 9);
        assert_int_equal(image.roots[9].id, 257);

        /* Its UUIDs come out of that of the file system, and are neither it nor each other. */
        assert_int_equal(btrfs_image_init(&again, plan, NULL), 0);
        assert_true(uuid_equal(image.device_uuid, again.device_uuid));
        assert_true(uuid_equal(image.chunk_tree_uuid, again.chunk_tree_uuid));
        assert_false(uuid_equal(image.device_uuid, image.chunk_tree_uuid));
        assert_false(uuid_equal(image.device_uuid, options.uuid));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                unit_test_with_tree(test_roots),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
