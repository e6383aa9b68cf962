/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "btrfs-fixture.h"

static const struct btrfs_root_item *root_of(const Items *items, uint64_t id) {
        const Found *found = find_item(items, id, BTRFS_ROOT_ITEM_KEY, 0);

        assert_int_equal(found->size, sizeof(struct btrfs_root_item));
        return (const struct btrfs_root_item *)found->data;
}

static void check_reference(const Items *items, uint64_t parent, uint64_t id, uint64_t directory,
                            uint64_t index, const char *name) {
        const Found *found[] = { find_item(items, parent, BTRFS_ROOT_REF_KEY, id),
                                 find_item(items, id, BTRFS_ROOT_BACKREF_KEY, parent) };

        for (size_t i = 0; i < 2; i++) {
                const struct btrfs_root_ref *reference = (const void *)found[i]->data;

                assert_int_equal(found[i]->size, sizeof(*reference) + strlen(name));
                assert_int_equal(le64toh(reference->dirid), directory);
                assert_int_equal(le64toh(reference->sequence), index);
                assert_int_equal(le16toh(reference->name_len), strlen(name));
                assert_memory_equal(reference + 1, name, strlen(name));
        }
}

static void fill(bool read_only, Items *ret) {
        static const char *const names[] = { "home", "var", "var/lib/machines", NULL };
        FilesystemOptions with = options;
        _cleanup_(ground_done) Ground ground;
        _cleanup_(btrfs_image_done) BtrfsImage image = {};

        assert_int_equal(path_make_directories(AT_FDCWD, "tree/home", 0755), 0);
        assert_int_equal(path_make_directories(AT_FDCWD, "tree/var/lib/machines", 0755), 0);
        with.subvolumes = names;
        with.read_only = read_only;
        _cleanup_(tree_freep) Tree *tree = load_tree();
        _cleanup_(btrfs_plan_freep) BtrfsPlan *plan = make_plan(tree, &with);
        assert_int_equal(btrfs_image_init(&image, plan, NULL), 0);
        for (size_t i = 0; i < image.n_roots; i++)
                image.roots[i] = (BtrfsRoot){ .id = image.roots[i].id,
                                              .address = i * MIB,
                                              .n_blocks = i + 1,
                                              .level = (uint8_t)(i % 3) };
        ground_init(&ground);
        ground_fill(&ground, btrfs_fill_root_tree, &image, ret);
        for (size_t i = 0; i < image.n_roots; i++) {
                if (image.roots[i].id == BTRFS_ROOT_TREE_OBJECTID ||
                    image.roots[i].id == BTRFS_CHUNK_TREE_OBJECTID)
                        continue;
                const struct btrfs_root_item *root = root_of(ret, image.roots[i].id);

                assert_int_equal(le64toh(root->bytenr), i * MIB);
                assert_int_equal(le64toh(root->bytes_used), (i + 1) * BTRFS_NODE_SIZE);
                assert_int_equal(root->level, i % 3);
                assert_int_equal(le32toh(root->refs), 1);
        }
}

static void test_subvolumes(void **state) {
        _cleanup_(items_done) Items items = {}, read_only = {};

        fill(false, &items);
        check_reference(&items, 5, 256, 256, 2, "home");
        check_reference(&items, 5, 257, 256, 3, "var");
        check_reference(&items, 257, 258, 257, 2, "machines");
        assert_int_equal(le64toh(root_of(&items, 256)->flags), 0);
        assert_int_equal(le64toh(root_of(&items, 256)->root_dirid), 256);
        assert_int_equal(le64toh(root_of(&items, BTRFS_EXTENT_TREE_OBJECTID)->root_dirid), 0);
        (void)root_of(&items, BTRFS_DATA_RELOC_TREE_OBJECTID);

        /* The flag counts only where the inode in the root says so. */
        fill(true, &read_only);
        static const uint64_t ids[] = { 5, 256, 257, 258 };
        for (size_t i = 0; i < ELEMENTSOF(ids); i++) {
                const struct btrfs_root_item *root = root_of(&read_only, ids[i]);

                assert_int_equal(le64toh(root->flags), BTRFS_ROOT_SUBVOL_RDONLY);
                assert_int_equal(le64toh(root->inode.flags), UINT64_C(1) << 31);
                assert_memory_not_equal(root->uuid, (uint8_t[16]){}, 16);
        }
        assert_int_equal(le64toh(root_of(&read_only, BTRFS_CSUM_TREE_OBJECTID)->flags), 0);
}

/* The top volume is the default. */
static void test_default(void **state) {
        _cleanup_(items_done) Items items = {};

        fill(false, &items);
        const struct btrfs_dir_item *entry =
                (const void *)find_item(&items, BTRFS_ROOT_TREE_DIR_OBJECTID, BTRFS_DIR_ITEM_KEY,
                                        btrfs_name_hash("default", 7))
                        ->data;
        assert_int_equal(le64toh(entry->location.objectid), BTRFS_FS_TREE_OBJECTID);
        assert_int_equal(entry->location.type, BTRFS_ROOT_ITEM_KEY);
        (void)find_item(&items, BTRFS_FS_TREE_OBJECTID, BTRFS_INODE_REF_KEY, BTRFS_ROOT_TREE_DIR_OBJECTID);
        const struct btrfs_inode_item *inode =
                (const void *)find_item(&items, BTRFS_ROOT_TREE_DIR_OBJECTID, BTRFS_INODE_ITEM_KEY, 0)->data;
        assert_int_equal(le64toh(inode->mtime.sec), TIME_MAX);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                unit_test_with_tree(test_subvolumes),
                unit_test_with_tree(test_default),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
