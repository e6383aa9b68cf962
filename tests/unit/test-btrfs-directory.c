/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "btrfs-collision.h"
#include "btrfs-fixture.h"

static void put(const char *path) {
        assert_int_equal(file_write_text(AT_FDCWD, path, "", 0644), 0);
}

/* The items that a function adds for the node. */
static void fill(int (*add)(const BtrfsPlan *, const TreeNode *, BtrfsTree *), const char *path, Items *ret) {
        _cleanup_(ground_done) Ground ground;
        _cleanup_(tree_freep) Tree *tree = load_tree();
        _cleanup_(btrfs_plan_freep) BtrfsPlan *plan = make_plan(tree, &options);
        BtrfsTree to;

        ground_init(&ground);
        btrfs_tree_init(&to, &ground.forest, 5, BTRFS_BLOCK_GROUP_METADATA);
        assert_int_equal(add(plan, tree_find(tree, path), &to), 0);
        ground_finish(&ground, &to, ret);
}

/* The sum that mkfs.btrfs has for the same names. */
static void test_hash(void **state) {
        assert_int_equal(btrfs_name_hash("default", 7), 2378154706);
        assert_int_equal(btrfs_name_hash("sub", 3), 3841705590);
        assert_int_equal(btrfs_name_hash("user.x", 6), 153960099);
}

static void check_entry(const Found *found, size_t at, const char *name, uint64_t number, uint8_t type) {
        const struct btrfs_dir_item *entry = (const struct btrfs_dir_item *)(found->data + at);

        assert_true(at + sizeof(*entry) + strlen(name) <= found->size);
        assert_int_equal(le16toh(entry->name_len), strlen(name));
        assert_memory_equal(entry + 1, name, strlen(name));
        assert_int_equal(le64toh(entry->location.objectid), number);
        assert_int_equal(entry->location.type, BTRFS_INODE_ITEM_KEY);
        assert_int_equal(entry->type, type);
}

static void test_directory(void **state) {
        _cleanup_(items_done) Items items = {};

        put("tree/a");
        assert_int_equal(mkdir("tree/b", 0755), 0);
        assert_int_equal(symlink("a", "tree/c"), 0);
        assert_int_equal(mkfifo("tree/d", 0644), 0);
        fill(btrfs_directory_add, "", &items);
        assert_int_equal(items.n_items, 8);
        check_entry(find_item(&items, 256, BTRFS_DIR_INDEX_KEY, 2), 0, "a", 257, BTRFS_FT_REG_FILE);
        check_entry(find_item(&items, 256, BTRFS_DIR_INDEX_KEY, 3), 0, "b", 258, BTRFS_FT_DIR);
        check_entry(find_item(&items, 256, BTRFS_DIR_INDEX_KEY, 4), 0, "c", 259, BTRFS_FT_SYMLINK);
        check_entry(find_item(&items, 256, BTRFS_DIR_INDEX_KEY, 5), 0, "d", 260, BTRFS_FT_FIFO);
        check_entry(find_item(&items, 256, BTRFS_DIR_ITEM_KEY, btrfs_name_hash("c", 1)), 0, "c", 259,
                    BTRFS_FT_SYMLINK);
}

/* Names with the same sum share an item. */
static void test_collision(void **state) {
        static const char first[] = "tree/first name";
        _cleanup_(items_done) Items items = {};
        char second[sizeof(first)] = "tree/other one ", third[sizeof(first)] = "tree/what ever ";
        const size_t length = strlen(first) - 5, entry = sizeof(struct btrfs_dir_item) + length;

        assert_true(collide(first + 5, length, second + 5) && collide(first + 5, length, third + 5));
        put(first);
        put(second);
        put(third);
        fill(btrfs_directory_add, "", &items);
        assert_int_equal(items.n_items, 4);
        const Found *found = find_item(&items, 256, BTRFS_DIR_ITEM_KEY, btrfs_name_hash(first + 5, length));
        assert_int_equal(found->size, 3 * entry);
        check_entry(found, 0, first + 5, 257, BTRFS_FT_REG_FILE);
        check_entry(found, entry, second + 5, 258, BTRFS_FT_REG_FILE);
        check_entry(found, 2 * entry, third + 5, 259, BTRFS_FT_REG_FILE);
}

static void test_too_many_collisions(void **state) {
        _cleanup_(ground_done) Ground ground;
        BtrfsTree to;
        char names[2][256] = {};
        size_t n = 0;

        memset(names[0], 'n', 255);
        for (unsigned i = 0; n < 60; i++) {
                char path[270];

                memset(names[1], 'n', 255);
                (void)snprintf(names[1], 20, "%019u", i);
                names[1][19] = 'n';
                if (!collide(names[0], 255, names[1]))
                        continue;
                (void)snprintf(path, sizeof(path), "tree/%s", names[1]);
                put(path);
                n++;
        }
        _cleanup_(tree_freep) Tree *tree = load_tree();
        _cleanup_(btrfs_plan_freep) BtrfsPlan *plan = make_plan(tree, &options);
        ground_init(&ground);
        btrfs_tree_init(&to, &ground.forest, 5, BTRFS_BLOCK_GROUP_METADATA);
        assert_int_equal(btrfs_directory_add(plan, tree->nodes[0], &to), -EOVERFLOW);
        btrfs_tree_done(&to);
}

static void check_reference(const Found *found, size_t *at, const char *name, uint64_t index) {
        const struct btrfs_inode_ref *reference = (const struct btrfs_inode_ref *)(found->data + *at);

        assert_int_equal(le16toh(reference->name_len), strlen(name));
        assert_memory_equal(reference + 1, name, strlen(name));
        assert_int_equal(le64toh(reference->index), index);
        *at += sizeof(*reference) + strlen(name);
}

static void test_names(void **state) {
        _cleanup_(items_done) Items items = {};
        size_t at = 0;

        assert_int_equal(mkdir("tree/d", 0755), 0);
        put("tree/a");
        assert_int_equal(link("tree/a", "tree/b"), 0);
        assert_int_equal(link("tree/a", "tree/d/e"), 0);
        assert_int_equal(link("tree/a", "tree/z"), 0);
        fill(btrfs_names_add, "a", &items);
        assert_int_equal(items.n_items, 2);
        const Found *found = find_item(&items, 257, BTRFS_INODE_REF_KEY, 256);
        check_reference(found, &at, "a", 2);
        check_reference(found, &at, "b", 3);
        check_reference(found, &at, "z", 5);
        assert_int_equal(at, found->size);
        at = 0;
        check_reference(find_item(&items, 257, BTRFS_INODE_REF_KEY, 258), &at, "e", 2);
}

/* What is too much for an item is sorted by sums of its own. */
static void test_many_names(void **state) {
        _cleanup_(items_done) Items items = {};
        const size_t n = 300;
        char path[270];
        size_t n_found = 0;

        put("tree/0");
        for (size_t i = 0; i < n; i++) {
                (void)snprintf(path, sizeof(path), "tree/%0200zu", i);
                assert_int_equal(link("tree/0", path), 0);
        }
        fill(btrfs_names_add, "0", &items);

        const Found *found = find_item(&items, 257, BTRFS_INODE_REF_KEY, 256);
        assert_true(found->size > BTRFS_ITEM_SIZE_MAX - 210);
        for (size_t i = 0; i < items.n_items; i++) {
                const bool extended = items.items[i].key.type == BTRFS_INODE_EXTREF_KEY;

                for (size_t at = 0; at < items.items[i].size; n_found++) {
                        const uint8_t *data = items.items[i].data + at;

                        if (!extended) {
                                at += sizeof(struct btrfs_inode_ref) +
                                      le16toh(((const struct btrfs_inode_ref *)data)->name_len);
                                continue;
                        }
                        const struct btrfs_inode_extref *reference = (const struct btrfs_inode_extref *)data;
                        const size_t length = le16toh(reference->name_len);
                        assert_int_equal(le64toh(reference->parent_objectid), 256);
                        assert_int_equal(items.items[i].key.offset, crc32c(256, reference->name, length));
                        at += sizeof(*reference) + length;
                }
        }
        assert_int_equal(n_found, n + 1);
        assert_true(items.n_items > n / 2);
}

static void add_attributes(const TreeAttribute *attributes, size_t n, int r, Items *ret, Reason *reason) {
        _cleanup_(ground_done) Ground ground;
        const TreeAttributes list = { .items = (TreeAttribute *)attributes, .n_items = n };
        BtrfsTree to;

        ground_init(&ground);
        btrfs_tree_init(&to, &ground.forest, 5, BTRFS_BLOCK_GROUP_METADATA);
        assert_int_equal(btrfs_attributes_add(&list, 300, &to, reason), r);
        if (r >= 0)
                ground_finish(&ground, &to, ret);
        else
                btrfs_tree_done(&to);
}

static void test_attributes(void **state) {
        _cleanup_(items_done) Items items = {};
        const TreeAttribute attributes[] = {
                { (char *)"btrfs.compression", (void *)"zstd", 4 },
                { (char *)"security.capability", (void *)"\1\0\0\2", 4 },
                { (char *)"system.nfs4_acl", (void *)"x", 1 }, /* no such thing in btrfs */
                { (char *)"system.posix_acl_access", (void *)"acl", 3 },
                { (char *)"user.empty", NULL, 0 },
        };

        add_attributes(attributes, ELEMENTSOF(attributes), 0, &items, NULL);
        assert_int_equal(items.n_items, 4);
        for (size_t i = 0; i < ELEMENTSOF(attributes); i++) {
                if (i == 2)
                        continue;
                const char *name = attributes[i].name;
                const Found *found =
                        find_item(&items, 300, BTRFS_XATTR_ITEM_KEY, btrfs_name_hash(name, strlen(name)));
                const struct btrfs_dir_item *item = (const struct btrfs_dir_item *)found->data;

                assert_int_equal(item->type, BTRFS_FT_XATTR);
                assert_int_equal(le16toh(item->data_len), attributes[i].size);
                assert_memory_equal(item + 1, name, strlen(name));
                if (attributes[i].size > 0)
                        assert_memory_equal((const uint8_t *)(item + 1) + strlen(name), attributes[i].value,
                                            attributes[i].size);
        }
}

static void test_large_attribute(void **state) {
        static uint8_t value[65536];
        const size_t size_max = BTRFS_ITEM_SIZE_MAX - sizeof(struct btrfs_dir_item) - strlen("user.x");
        static const size_t more[] = { 1, 4096, 30000 };
        _cleanup_(items_done) Items items = {};

        add_attributes(&(TreeAttribute){ (char *)"user.x", value, size_max }, 1, 0, &items, NULL);
        assert_int_equal(items.items[0].size, BTRFS_ITEM_SIZE_MAX);
        for (size_t i = 0; i < ELEMENTSOF(more); i++) {
                _cleanup_(reason_done) Reason reason = {};

                add_attributes(&(TreeAttribute){ (char *)"user.x", value, size_max + more[i] }, 1, -EOVERFLOW,
                               NULL, &reason);
                assert_non_null(strstr(reason.text, "\"user.x\""));
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_hash),         unit_test_with_tree(test_directory),
                unit_test_with_tree(test_collision), unit_test_with_tree(test_too_many_collisions),
                unit_test_with_tree(test_names),     unit_test_with_tree(test_many_names),
                cmocka_unit_test(test_attributes),   cmocka_unit_test(test_large_attribute),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
