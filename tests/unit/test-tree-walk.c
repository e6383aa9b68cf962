/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/xattr.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/text.h"
#include "base/tree-walk.h"
#include "temporary-directory.h"

static void make_file(const char *path) {
        assert_int_equal(file_write_text(AT_FDCWD, path, path, 0644), 0);
}

static Tree *make_tree(void) {
        Tree *tree;

        assert_int_equal(mkdir("tree", 0755), 0);
        assert_int_equal(mkdir("tree/a", 0755), 0);
        assert_int_equal(mkdir("tree/a/b", 0755), 0);
        make_file("tree/a/b/1");
        make_file("tree/a/b/2");
        make_file("tree/a/c");
        make_file("tree/d");
        assert_int_equal(symlink("d", "tree/e"), 0);
        assert_int_equal(tree_load(AT_FDCWD, "tree", &tree, NULL), 0);
        return tree;
}

static void check_file(TreeWalk *walk, const TreeNode *node) {
        _cleanup_(freep) char *path = NULL, *expected = NULL, *text = NULL;
        _cleanup_(fd_closep) int fd = tree_walk_open(walk, node);

        assert_true(fd >= 0);
        assert_int_equal(tree_node_path(node, &path), 0);
        assert_int_equal(text_format(&expected, "tree/%s", path), 0);
        assert_int_equal(fd_read_file(fd, KIB, &text, NULL), 0);
        assert_string_equal(text, expected);
}

/* In tree order, and in one that changes directories at each step. */
static void test_open(void **state) {
        _cleanup_(tree_freep) Tree *tree = make_tree();
        _cleanup_(tree_walk_done) TreeWalk walk = tree_walk(tree);

        for (size_t step = 1; step < tree->n_nodes; step += 2) {
                for (size_t i = 0; i < tree->n_nodes; i++) {
                        const TreeNode *node = tree->nodes[i * step % tree->n_nodes];

                        if (S_ISREG(node->status.st_mode))
                                check_file(&walk, node);
                        else if (S_ISDIR(node->status.st_mode)) {
                                _cleanup_(fd_closep) int fd = tree_walk_open(&walk, node);

                                assert_int_equal(tree_node_verify(node, fd), 0);
                        }
                }
        }
}

/* Whatever has come into the place of a node, or of the directory it lies in, is not opened. */
static void test_stale(void **state) {
        _cleanup_(tree_freep) Tree *tree = make_tree();
        _cleanup_(tree_walk_done) TreeWalk walk = tree_walk(tree), late = tree_walk(tree);

        check_file(&walk, tree_find(tree, "a/b/1"));
        assert_int_equal(rename("tree/a/b/2", "moved"), 0);
        assert_int_equal(tree_walk_open(&walk, tree_find(tree, "a/b/2")), -ENOENT);
        assert_int_equal(symlink("1", "tree/a/b/2"), 0);
        assert_int_equal(tree_walk_open(&walk, tree_find(tree, "a/b/2")), -ELOOP);
        assert_int_equal(unlink("tree/a/b/2"), 0);
        assert_int_equal(mkfifo("tree/a/b/2", 0600), 0);
        assert_int_equal(tree_walk_open(&walk, tree_find(tree, "a/b/2")), -ESTALE);

        /* The directory that is open is the one that was loaded, wherever it lies by now. */
        assert_int_equal(rename("tree/a/b", "away"), 0);
        assert_int_equal(mkdir("tree/a/b", 0755), 0);
        make_file("tree/a/b/1");
        _cleanup_(fd_closep) int fd = tree_walk_open(&walk, tree_find(tree, "a/b/1"));
        assert_int_equal(tree_node_verify(tree_find(tree, "a/b/1"), fd), 0);
        assert_int_equal(tree_walk_open(&late, tree_find(tree, "a/b/1")), -ESTALE);
        assert_null(late.directory);
}

static void test_attributes(void **state) {
        _cleanup_(tree_freep) Tree *tree = make_tree();
        _cleanup_(tree_walk_done) TreeWalk walk = tree_walk(tree);
        static const char *const paths[] = { "a", "a/b/1", "d" };

        for (size_t i = 0; i < ELEMENTSOF(paths); i++) {
                _cleanup_(freep) char *path = NULL;

                assert_int_equal(text_format(&path, "tree/%s", paths[i]), 0);
                if (setxattr(path, "user.name", paths[i], strlen(paths[i]), 0) < 0 && errno == EOPNOTSUPP)
                        skip();
        }
        for (size_t i = 0; i < tree->n_nodes; i++) {
                _cleanup_(tree_attributes_done) TreeAttributes expected = {}, attributes = {};

                /* The link has none, and leads to a file with some. */
                assert_int_equal(tree_read_attributes(tree, tree->nodes[i], &expected), 0);
                assert_int_equal(tree_walk_read_attributes(&walk, tree->nodes[i], &attributes), 0);
                assert_int_equal(attributes.n_items, expected.n_items);
                for (size_t k = 0; k < expected.n_items; k++) {
                        assert_string_equal(attributes.items[k].name, expected.items[k].name);
                        assert_int_equal(attributes.items[k].size, expected.items[k].size);
                }
        }
        assert_int_equal(rename("tree/d", "moved"), 0);
        TreeAttributes none;
        assert_int_equal(tree_walk_read_attributes(&walk, tree_find(tree, "d"), &none), -ENOENT);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                unit_test_in_directory(test_open),
                unit_test_in_directory(test_stale),
                unit_test_in_directory(test_attributes),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
