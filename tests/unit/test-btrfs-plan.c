/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "btrfs-fixture.h"

static void put(const char *path) {
        _cleanup_(freep) char *parent = NULL;

        assert_int_equal(path_parent(path, &parent), 0);
        assert_int_equal(path_make_directories(AT_FDCWD, parent, 0755), 0);
        assert_int_equal(file_write_text(AT_FDCWD, path, "", 0644), 0);
}

static const BtrfsInode *find(const BtrfsPlan *plan, const char *path) {
        const TreeNode *node = tree_find(plan->tree, path);

        assert_non_null(node);
        return btrfs_inode(plan, node);
}

static void check(const BtrfsPlan *plan, const char *path, uint32_t volume, uint64_t number, uint64_t index) {
        const BtrfsInode *inode = find(plan, path);

        assert_int_equal(inode->volume, volume);
        assert_int_equal(inode->number, number);
        assert_int_equal(inode->index, index);
}

static void test_numbers(void **state) {
        _cleanup_(tree_freep) Tree *tree = NULL;
        _cleanup_(btrfs_plan_freep) BtrfsPlan *plan = NULL;

        put("tree/a/x");
        put("tree/a/y");
        put("tree/b");
        tree = load_tree();
        plan = make_plan(tree, &options);
        assert_int_equal(plan->n_volumes, 1);
        assert_int_equal(plan->volumes[0].id, BTRFS_FS_TREE_OBJECTID);
        assert_int_equal(plan->volumes[0].n_inodes, 5);
        assert_int_equal(plan->inodes[0].number, 256);
        check(plan, "a", 0, 257, 2);
        check(plan, "a/x", 0, 258, 2);
        check(plan, "a/y", 0, 259, 3);
        check(plan, "b", 0, 260, 3);
}

/* Subvolumes are numbered in the order of the tree, whatever the list; what is no directory is none. */
static void test_subvolumes(void **state) {
        static const char *const names[] = { "var",     "home", "var/tmp", "var/lib/machines",
                                             "missing", "file", "home",    "var/link",
                                             "",        NULL };
        FilesystemOptions with = options;
        _cleanup_(tree_freep) Tree *tree = NULL;
        _cleanup_(btrfs_plan_freep) BtrfsPlan *plan = NULL;

        put("tree/file");
        put("tree/home/user/f");
        put("tree/var/lib/machines/m");
        put("tree/var/tmp/t");
        put("tree/var/z");
        assert_int_equal(symlink("lib", "tree/var/link"), 0);
        tree = load_tree();
        with.subvolumes = names;
        plan = make_plan(tree, &with);

        assert_int_equal(plan->n_volumes, 5);
        for (size_t i = 1; i < 5; i++)
                assert_int_equal(plan->volumes[i].id, 255 + i);
        check(plan, "file", 0, 257, 2);
        check(plan, "home", 1, 256, 3);
        check(plan, "home/user", 1, 257, 2);
        check(plan, "home/user/f", 1, 258, 2);
        check(plan, "var", 2, 256, 4);
        check(plan, "var/lib", 2, 257, 2);
        check(plan, "var/lib/machines", 3, 256, 2);
        check(plan, "var/lib/machines/m", 3, 257, 2);
        check(plan, "var/link", 2, 258, 3);
        check(plan, "var/tmp", 4, 256, 4);
        check(plan, "var/z", 2, 259, 5);
        assert_true(btrfs_is_volume(plan, tree_find(tree, "var/tmp")));
        assert_false(btrfs_is_volume(plan, tree_find(tree, "var/lib")));
        for (size_t i = 0; i < 5; i++)
                for (size_t k = 0; k < i; k++)
                        assert_false(uuid_equal(plan->volumes[i].uuid, plan->volumes[k].uuid));
}

/* Links are one inode, and one in each volume that they reach into. */
static void test_links(void **state) {
        static const char *const names[] = { "b", "c", NULL };
        static const char *const links[] = { "tree/a/2", "tree/b/1", "tree/b/2", "tree/c/1", "tree/d" };
        FilesystemOptions with = options;
        _cleanup_(tree_freep) Tree *tree = NULL;
        _cleanup_(btrfs_plan_freep) BtrfsPlan *plan = NULL;

        put("tree/a/1");
        put("tree/b/0");
        put("tree/c/0");
        for (size_t i = 0; i < ELEMENTSOF(links); i++)
                assert_int_equal(link("tree/a/1", links[i]), 0);
        tree = load_tree();
        with.subvolumes = names;
        plan = make_plan(tree, &with);

        check(plan, "a/1", 0, 258, 2);
        check(plan, "a/2", 0, 258, 3);
        check(plan, "d", 0, 258, 5);
        check(plan, "b/1", 1, 258, 3);
        check(plan, "b/2", 1, 258, 4);
        check(plan, "c/1", 2, 258, 3);
        assert_int_equal(find(plan, "a/1")->n_names, 3);
        assert_int_equal(find(plan, "b/1")->n_names, 2);
        assert_int_equal(find(plan, "c/1")->n_names, 1);
        assert_ptr_equal(find(plan, "d")->first, tree_find(tree, "a/1"));
        assert_ptr_equal(find(plan, "b/2")->first, tree_find(tree, "b/1"));
        assert_ptr_equal(find(plan, "a/1")->next, tree_find(tree, "a/2"));
        assert_ptr_equal(find(plan, "a/2")->next, tree_find(tree, "d"));
        assert_null(find(plan, "d")->next);
        assert_ptr_equal(find(plan, "b/1")->next, tree_find(tree, "b/2"));
        assert_null(find(plan, "b/2")->next);
        assert_null(find(plan, "c/1")->next);
}

static void test_time(void **state) {
        static const struct timespec cases[][2] = {
                { { -1, 999999999 }, { -1, 999999999 } },
                { { TIME_MAX - 1, 5 }, { TIME_MAX - 1, 5 } },
                { { TIME_MAX, 5 }, { TIME_MAX, 0 } },
                { { TIME_MAX + 1, 5 }, { TIME_MAX, 0 } },
        };
        _cleanup_(tree_freep) Tree *tree = NULL;
        _cleanup_(btrfs_plan_freep) BtrfsPlan *plan = NULL;

        put("tree/f");
        tree = load_tree();
        plan = make_plan(tree, &options);
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                tree->nodes[1]->status.st_mtim = cases[i][0];
                const struct timespec time = btrfs_time(plan, tree->nodes[1]);
                assert_int_equal(time.tv_sec, cases[i][1].tv_sec);
                assert_int_equal(time.tv_nsec, cases[i][1].tv_nsec);
        }
}

static void test_label(void **state) {
        _cleanup_(reason_done) Reason reason = {};
        _cleanup_(tree_freep) Tree *tree = load_tree();
        _cleanup_(btrfs_plan_freep) BtrfsPlan *plan = NULL;
        FilesystemOptions with = options;
        char label[257] = {};

        memset(label, 'x', 256);
        with.label = label;
        assert_int_equal(btrfs_plan_new(tree, &with, &plan, &reason), -EINVAL);
        assert_non_null(strstr(reason.text, "has 255 bytes"));
        assert_null(plan);
        label[255] = '\0';
        plan = make_plan(tree, &with);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                unit_test_with_tree(test_numbers), unit_test_with_tree(test_subvolumes),
                unit_test_with_tree(test_links),   unit_test_with_tree(test_time),
                unit_test_with_tree(test_label),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
