/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/xattr.h>

#include "ext4-fixture.h"

static void test_numbers(void **state) {
        make_directory("tree/b");
        make_file("tree/b/x", 1);
        assert_int_equal(link("tree/b/x", "tree/a"), 0);
        make_file("tree/c", 1);

        _cleanup_(tree_freep) Tree *tree = load_tree();
        _cleanup_(ext4_plan_freep) Ext4Plan *plan = make_plan(tree);
        assert_int_equal(plan->n_inodes, 5);
        assert_int_equal(plan_find(plan, "")->number, 2);
        assert_null(plan->inodes[1].node);
        assert_int_equal(plan->inodes[1].number, 11);
        assert_int_equal(plan_find(plan, "a")->number, 12);
        assert_int_equal(plan_find(plan, "b")->number, 13);
        assert_ptr_equal(plan_find(plan, "b/x"), plan_find(plan, "a"));
        assert_int_equal(plan_find(plan, "c")->number, 14);
        assert_int_equal(plan_find(plan, "a")->n_links, 2);
        assert_int_equal(plan_find(plan, "b")->n_links, 2);
        assert_int_equal(plan_find(plan, "")->n_links, 4);
}

static void test_blocks(void **state) {
        static const struct {
                size_t size;
                unsigned n_blocks;
        } cases[] = { { 0, 0 }, { 1, 1 }, { 4096, 1 }, { 4097, 2 }, { 1000000, 245 } };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                make_file("tree/file", cases[i].size);

                _cleanup_(tree_freep) Tree *tree = load_tree();
                _cleanup_(ext4_plan_freep) Ext4Plan *plan = make_plan(tree);
                const Ext4Inode *inode = plan_find(plan, "file");
                assert_int_equal(inode->wanted.n_items, cases[i].n_blocks > 0);
                if (cases[i].n_blocks > 0)
                        assert_int_equal(inode->wanted.items[0].n_blocks, cases[i].n_blocks);
                assert_int_equal(plan->n_blocks, 1 + 4 + cases[i].n_blocks); /* the root, lost+found */
                assert_int_equal(plan->n_attribute_blocks, 0);
        }
}

static void test_links(void **state) {
        char target[PATH_MAX] = "";

        memset(target, 't', 59);
        assert_int_equal(symlink(target, "tree/fast"), 0);
        memset(target, 't', 60);
        assert_int_equal(symlink(target, "tree/slow"), 0);
        memset(target, 't', PATH_MAX - 1);
        assert_int_equal(symlink(target, "tree/longest"), 0);

        _cleanup_(tree_freep) Tree *tree = load_tree();
        _cleanup_(ext4_plan_freep) Ext4Plan *plan = make_plan(tree);
        assert_int_equal(plan_find(plan, "fast")->wanted.n_items, 0);
        assert_int_equal(plan_find(plan, "slow")->wanted.items[0].n_blocks, 1);
        assert_int_equal(plan_find(plan, "longest")->wanted.items[0].n_blocks, 1);
}

static void test_holes(void **state) {
        static const Ext4Extent expected[] = { { 0, 1, 0 }, { 100, 2, 0 }, { 1000, 1, 0 } };
        _cleanup_(fd_closep) int fd = open("tree/file", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

        assert_int_equal(fd_write_all(fd, "x", 1), 0);
        assert_int_equal(fd_pwrite_all(fd, "xx", 2, 101 * EXT4_BLOCK_SIZE - 1), 0);
        assert_int_equal(fd_pwrite_all(fd, "x", 1, 1000 * EXT4_BLOCK_SIZE), 0);
        assert_int_equal(ftruncate(fd, (off_t)(10 * GIB)), 0);
        make_file("tree/all", 0);
        assert_int_equal(truncate("tree/all", (off_t)GIB), 0);

        _cleanup_(tree_freep) Tree *tree = load_tree();
        _cleanup_(ext4_plan_freep) Ext4Plan *plan = make_plan(tree);
        const Ext4Inode *inode = plan_find(plan, "file");
        assert_int_equal(inode->wanted.n_items, ELEMENTSOF(expected));
        for (size_t i = 0; i < ELEMENTSOF(expected); i++) {
                assert_int_equal(inode->wanted.items[i].logical, expected[i].logical);
                assert_int_equal(inode->wanted.items[i].n_blocks, expected[i].n_blocks);
        }
        assert_int_equal(plan_find(plan, "all")->wanted.n_items, 0);
}

static void set_attribute(const char *path, const char *name, size_t size) {
        static const char value[EXT4_BLOCK_SIZE] = "value";

        if (setxattr(path, name, value, size, 0) < 0) {
                assert_true(errno == EOPNOTSUPP || errno == ENOSPC);
                skip(); /* what the tests' file system cannot hold cannot be tested here */
        }
}

/* In the inode there are 88 bytes, of which an attribute takes 16, its name and its value in steps of 4. */
static void test_attributes(void **state) {
        make_file("tree/small", 0);
        set_attribute("tree/small", "user.name", 68);
        make_file("tree/more", 0);
        set_attribute("tree/more", "user.name", 69);
        make_file("tree/two", 0);
        set_attribute("tree/two", "user.a", 20);
        set_attribute("tree/two", "user.b", 24);

        _cleanup_(tree_freep) Tree *tree = load_tree();
        _cleanup_(ext4_plan_freep) Ext4Plan *plan = make_plan(tree);
        assert_false(plan_find(plan, "small")->attribute_block);
        assert_true(plan_find(plan, "more")->attribute_block);
        assert_false(plan_find(plan, "two")->attribute_block);
        assert_int_equal(plan->n_attribute_blocks, 1);
}

/* On a file system that takes more than ext4 does. */
static void test_too_many_attributes(void **state) {
        _cleanup_(reason_done) Reason reason = {};
        char directory[] = "/dev/shm/mkosi-test-XXXXXX", path[64];
        static const char value[4096] = "value";
        Ext4Plan *plan = NULL;
        Tree *tree = NULL;

        if (!mkdtemp(directory))
                skip();
        (void)snprintf(path, sizeof(path), "%s/f", directory);
        make_file(path, 0);
        const bool set = setxattr(path, "user.large", value, 4036, 0) == 0;
        const int fits = tree_load(AT_FDCWD, directory, &tree, NULL) == 0
                                 ? ext4_plan_new(tree, &options, &plan, NULL)
                                 : -EIO;
        ext4_plan_free(plan);
        plan = NULL;
        const bool set_more = setxattr(path, "user.large", value, sizeof(value), 0) == 0;
        const int r = ext4_plan_new(tree, &options, &plan, &reason);
        tree_free(tree);
        assert_int_equal(tree_remove(AT_FDCWD, directory), 0);
        if (!set || !set_more)
                skip();

        assert_int_equal(fits, 0);
        assert_int_equal(r, -E2BIG);
        assert_string_equal(reason.text,
                            "The extended attributes of 'f' take 4120 bytes, ext4 stores at most 4060");
}

static void test_too_big(void **state) {
        _cleanup_(reason_done) Reason reason = {};
        Ext4Plan *plan = NULL;

        make_file("tree/huge", 0);
        _cleanup_(tree_freep) Tree *tree = load_tree();
        tree->nodes[1]->status.st_size = INT64_C(16) << 40;
        assert_int_equal(ext4_plan_new(tree, &options, &plan, &reason), -EFBIG);
        assert_string_equal(reason.text, "Cannot put 'huge' into an ext4 file system: File too large");

        tree->nodes[1]->status.st_size = 0;
        tree->nodes[1]->n_links = EXT4_LINKS_MAX + 1;
        assert_int_equal(ext4_plan_new(tree, &options, &plan, NULL), -EMLINK);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                unit_test_with_tree(test_numbers),    unit_test_with_tree(test_blocks),
                unit_test_with_tree(test_links),      unit_test_with_tree(test_holes),
                unit_test_with_tree(test_attributes), unit_test_with_tree(test_too_many_attributes),
                unit_test_with_tree(test_too_big),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
