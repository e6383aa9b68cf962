/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "btrfs-fixture.h"

/* Writes the inode of the path, with the extents as its content. */
static void write_node(const char *path, const BtrfsData *data, size_t n_extents, Items *ret) {
        _cleanup_(ground_done) Ground ground;
        _cleanup_(tree_freep) Tree *tree = load_tree();
        _cleanup_(btrfs_plan_freep) BtrfsPlan *plan = make_plan(tree, &options);
        const TreeNode *node = tree_find(tree, path);
        BtrfsTree to;

        assert_non_null(node);
        btrfs_inode(plan, node)->n_extents = n_extents;
        ground_init(&ground);
        btrfs_tree_init(&to, &ground.forest, 5, BTRFS_BLOCK_GROUP_METADATA);
        assert_int_equal(btrfs_inode_write(plan, data, node, &to, NULL), 0);
        ground_finish(&ground, &to, ret);
}

static const struct btrfs_inode_item *inode_of(const Items *items, uint64_t number) {
        const Found *found = find_item(items, number, BTRFS_INODE_ITEM_KEY, 0);

        assert_int_equal(found->size, sizeof(struct btrfs_inode_item));
        return (const struct btrfs_inode_item *)found->data;
}

static void test_file(void **state) {
        const struct timespec times[2] = { { .tv_sec = 5 }, { .tv_sec = -77, .tv_nsec = 123456789 } };
        BtrfsExtent extents[] = {
                { .offset = 0,
                  .address = 7 * MIB,
                  .size = 131072,
                  .disk_size = 8192,
                  .encoding = BTRFS_ENCODING_ZSTD },
                { .offset = GIB, .address = 8 * MIB, .size = 4096, .disk_size = 4096 },
        };
        const BtrfsData data = { .extents = extents, .n_extents = 2 };
        _cleanup_(items_done) Items items = {};

        make_file("tree/f", 10, false);
        assert_int_equal(truncate("tree/f", GIB + 100), 0);
        assert_int_equal(chmod("tree/f", 04751), 0);
        assert_int_equal(utimensat(AT_FDCWD, "tree/f", times, 0), 0);
        write_node("f", &data, 2, &items);

        const struct btrfs_inode_item *inode = inode_of(&items, 257);
        assert_int_equal(le64toh(inode->size), GIB + 100);
        assert_int_equal(le64toh(inode->nbytes), 131072 + 4096);
        assert_int_equal(le32toh(inode->mode), S_IFREG | 04751);
        assert_int_equal(le32toh(inode->nlink), 1);
        assert_int_equal((int64_t)le64toh(inode->mtime.sec), -77);
        assert_int_equal(le32toh(inode->mtime.nsec), 123456789);
        assert_memory_equal(&inode->mtime, &inode->atime, sizeof(inode->atime));
        assert_memory_equal(&inode->mtime, &inode->ctime, sizeof(inode->atime));
        assert_memory_equal(&inode->mtime, &inode->otime, sizeof(inode->atime));

        assert_int_equal(count_items(&items, 257, BTRFS_EXTENT_DATA_KEY), 2);
        const struct btrfs_file_extent_item *first =
                (const void *)find_item(&items, 257, BTRFS_EXTENT_DATA_KEY, 0)->data;
        assert_int_equal(first->type, BTRFS_FILE_EXTENT_REG);
        assert_int_equal(first->compression, 3);
        assert_int_equal(le64toh(first->ram_bytes), 131072);
        assert_int_equal(le64toh(first->disk_bytenr), 7 * MIB);
        assert_int_equal(le64toh(first->disk_num_bytes), 8192);
        assert_int_equal(le64toh(first->num_bytes), 131072);
        (void)find_item(&items, 257, BTRFS_EXTENT_DATA_KEY, GIB);
}

static void test_inline(void **state) {
        BtrfsExtent extent = { .address = 3, .size = 5, .disk_size = 5, .is_inline = true };
        const BtrfsData data = { .extents = &extent,
                                 .n_extents = 1,
                                 .inline_content = (uint8_t *)"abcvalue" };
        _cleanup_(items_done) Items items = {};

        make_file("tree/f", 5, false);
        write_node("f", &data, 1, &items);
        assert_int_equal(le64toh(inode_of(&items, 257)->nbytes), 5);
        const Found *found = find_item(&items, 257, BTRFS_EXTENT_DATA_KEY, 0);
        assert_int_equal(found->size, 21 + 5);
        assert_memory_equal(found->data + 21, "value", 5);
}

static void test_link(void **state) {
        static const size_t lengths[] = { 1, 100, 4095 };

        for (size_t i = 0; i < ELEMENTSOF(lengths); i++) {
                _cleanup_(items_done) Items items = {};
                char target[4096] = {};

                memset(target, 't', lengths[i]);
                (void)unlink("tree/l");
                assert_int_equal(symlink(target, "tree/l"), 0);
                write_node("l", &(BtrfsData){}, 0, &items);
                assert_int_equal(le64toh(inode_of(&items, 257)->size), lengths[i]);
                assert_int_equal(le64toh(inode_of(&items, 257)->nbytes), lengths[i]);
                const Found *found = find_item(&items, 257, BTRFS_EXTENT_DATA_KEY, 0);
                assert_int_equal(found->size, 21 + lengths[i]);
                assert_memory_equal(found->data + 21, target, lengths[i]);
        }
}

static void test_directory(void **state) {
        _cleanup_(items_done) Items items = {}, top = {}, empty = {};

        assert_int_equal(path_make_directories(AT_FDCWD, "tree/d/one", 0755), 0);
        make_file("tree/d/three", 0, false);
        write_node("d", &(BtrfsData){}, 0, &items);
        assert_int_equal(le64toh(inode_of(&items, 257)->size), 2 * (3 + 5));
        assert_int_equal(le64toh(inode_of(&items, 257)->nbytes), 0);
        assert_int_equal(le32toh(inode_of(&items, 257)->nlink), 1);
        assert_int_equal(count_items(&items, 257, BTRFS_DIR_INDEX_KEY), 2);
        assert_int_equal(count_items(&items, 257, BTRFS_INODE_REF_KEY), 1);

        /* The root directory is called ".." in itself. */
        write_node("", &(BtrfsData){}, 0, &top);
        const Found *found = find_item(&top, 256, BTRFS_INODE_REF_KEY, 256);
        assert_int_equal(found->size, sizeof(struct btrfs_inode_ref) + 2);
        assert_memory_equal(found->data + sizeof(struct btrfs_inode_ref), "..", 2);

        _cleanup_(ground_done) Ground ground;
        BtrfsTree to;
        ground_init(&ground);
        btrfs_tree_init(&to, &ground.forest, 5, BTRFS_BLOCK_GROUP_METADATA);
        assert_int_equal(btrfs_inode_write_empty(&to), 0);
        ground_finish(&ground, &to, &empty);
        assert_int_equal(empty.n_items, 2);
        assert_int_equal(le32toh(inode_of(&empty, 256)->mode), S_IFDIR | 0755);
}

static void test_reason(void **state) {
        _cleanup_(reason_done) Reason reason = {};
        _cleanup_(ground_done) Ground ground;
        BtrfsTree to;

        make_file("tree/f", 1, false);
        _cleanup_(tree_freep) Tree *tree = load_tree();
        _cleanup_(btrfs_plan_freep) BtrfsPlan *plan = make_plan(tree, &options);
        assert_int_equal(unlink("tree/f"), 0);
        ground_init(&ground);
        btrfs_tree_init(&to, &ground.forest, 5, BTRFS_BLOCK_GROUP_METADATA);
        assert_int_equal(btrfs_inode_write(plan, &(BtrfsData){}, tree->nodes[1], &to, &reason), -ENOENT);
        assert_string_equal(reason.text,
                            "Cannot put 'f' into a btrfs file system: No such file or directory");
        btrfs_tree_done(&to);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                unit_test_with_tree(test_file),   unit_test_with_tree(test_inline),
                unit_test_with_tree(test_link),   unit_test_with_tree(test_directory),
                unit_test_with_tree(test_reason),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
