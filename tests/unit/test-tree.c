/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <sys/xattr.h>

#include "base/fd.h"
#include "temporary-directory.h"

static void make_file(const char *path) {
        assert_int_equal(file_write_text(AT_FDCWD, path, path, 0644), 0);
}

static void make_directory(const char *path) {
        assert_int_equal(mkdir(path, 0755), 0);
}

static Tree *load(const char *path) {
        _cleanup_(reason_done) Reason reason = {};
        Tree *tree = NULL;

        int r = tree_load(AT_FDCWD, path, &tree, &reason);
        if (r < 0)
                fail_msg("%s", reason_text(&reason, r));
        return tree;
}

static void test_order(void **state) {
        static const char *const paths[] = {
                ".", "A", "a", "a/z", "a.b", "b", "b/c", "b/c/d", "b/e", "\xff"
        };

        make_directory("b");
        make_file("\xff");
        make_directory("b/c");
        make_file("b/e");
        make_file("b/c/d");
        make_directory("a");
        make_file("a/z");
        make_file("a.b");
        make_file("A");

        _cleanup_(tree_freep) Tree *tree = load(".");
        assert_int_equal(tree->n_nodes, ELEMENTSOF(paths));
        for (size_t i = 0; i < tree->n_nodes; i++) {
                _cleanup_(freep) char *path = NULL;

                assert_int_equal(tree_node_path(tree->nodes[i], &path), 0);
                assert_string_equal(path, paths[i]);
                assert_int_equal(tree->nodes[i]->index, i);
                assert_ptr_equal(tree_find(tree, path), tree->nodes[i]);
        }
        assert_string_equal(tree->nodes[0]->name, "");
        assert_null(tree->nodes[0]->parent);
        assert_int_equal(tree->nodes[0]->n_children, 5);
}

static void test_find(void **state) {
        static const struct {
                const char *path, *name;
        } cases[] = {
                { "", "" },         { "/", "" },        { "usr/bin/", "bin" },   { "/usr//./bin", "bin" },
                { "us", NULL },     { "usrs", NULL },   { "usr/bin/x/y", NULL }, { "link/bin", NULL },
                { "usr/..", NULL }, { "link", "link" },
        };

        make_directory("usr");
        make_directory("usr/bin");
        make_file("usr/bin/x");
        assert_int_equal(symlink("usr", "link"), 0);

        _cleanup_(tree_freep) Tree *tree = load(".");
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                const TreeNode *node = tree_find(tree, cases[i].path);

                if (cases[i].name)
                        assert_string_equal(node->name, cases[i].name);
                else
                        assert_null(node);
        }
}

static void test_links(void **state) {
        make_directory("d");
        make_file("d/b");
        assert_int_equal(link("d/b", "z"), 0);
        assert_int_equal(link("d/b", "a"), 0);
        assert_int_equal(symlink("somewhere/else", "sym"), 0);
        assert_int_equal(mkfifo("fifo", 0600), 0);
        make_directory("outside");
        make_file("outside/other");
        assert_int_equal(link("outside/other", "d/other"), 0);

        _cleanup_(tree_freep) Tree *tree = load(".");
        const TreeNode *a = tree_find(tree, "a");
        assert_int_equal(a->n_links, 3);
        assert_null(a->original);
        assert_ptr_equal(tree_find(tree, "d/b")->original, a);
        assert_ptr_equal(tree_find(tree, "z")->original, a);
        assert_int_equal(tree_find(tree, "z")->n_links, 0);
        assert_string_equal(tree_find(tree, "sym")->target, "somewhere/else");
        assert_int_equal(tree_find(tree, "sym")->n_links, 1);
        assert_true(S_ISFIFO(tree_find(tree, "fifo")->status.st_mode));

        /* Names outside of the tree do not count. */
        _cleanup_(tree_freep) Tree *part = load("d");
        assert_int_equal(tree_find(part, "other")->n_links, 1);
        assert_null(tree_find(part, "other")->original);
}

static void test_open(void **state) {
        _cleanup_(fd_closep) int file = -EBADF, directory = -EBADF;
        char text[4] = "";

        make_directory("tree");
        make_directory("tree/d");
        make_file("tree/d/f");
        make_file("tree/gone");
        make_file("tree/pipe");
        assert_int_equal(link("tree/pipe", "pipe"), 0); /* so that its inode is not used again */
        make_directory("secret");
        make_file("secret/f");

        _cleanup_(tree_freep) Tree *tree = load("tree");
        file = tree_open(tree, tree_find(tree, "d/f"));
        assert_true(file >= 0);
        assert_int_equal(fd_pread_all(file, text, 3, 0), 0);
        assert_string_equal(text, "tre");
        directory = tree_open(tree, tree_find(tree, "d"));
        assert_true(directory >= 0);

        /* Whatever has come into its place is not opened: nothing, another file, a pipe, a way out of the tree. */
        assert_int_equal(rename("tree/gone", "moved"), 0);
        assert_int_equal(tree_open(tree, tree_find(tree, "gone")), -ENOENT);
        make_file("tree/new");
        assert_int_equal(rename("tree/new", "tree/gone"), 0);
        assert_int_equal(tree_open(tree, tree_find(tree, "gone")), -ESTALE);
        assert_int_equal(mkfifo("tree/new", 0600), 0);
        assert_int_equal(rename("tree/new", "tree/pipe"), 0);
        assert_int_equal(tree_open(tree, tree_find(tree, "pipe")), -ESTALE);
        assert_int_equal(rename("tree/d", "tree/e"), 0);
        assert_int_equal(symlink("../secret", "tree/d"), 0);
        assert_true(tree_open(tree, tree_find(tree, "d/f")) < 0);
}

static void test_attributes(void **state) {
        make_file("f");
        make_file("none");
        make_directory("d");
        assert_int_equal(symlink("f", "link"), 0);
        if (setxattr("f", "user.b", "1", 1, 0) < 0 && errno == EOPNOTSUPP)
                skip();
        assert_int_equal(setxattr("f", "user.a", "", 0, 0), 0);
        assert_int_equal(setxattr("d", "user.binary", "a\0b", 3, 0), 0);

        _cleanup_(tree_freep) Tree *tree = load(".");
        _cleanup_(tree_attributes_done) TreeAttributes f = {}, d = {}, none = {}, link = {}, open_f = {},
                                                       open_none = {};
        assert_int_equal(tree_read_attributes(tree, tree_find(tree, "f"), &f), 0);
        assert_int_equal(f.n_items, 2);
        assert_string_equal(f.items[0].name, "user.a");
        assert_int_equal(f.items[0].size, 0);
        assert_string_equal(f.items[1].name, "user.b");
        assert_int_equal(tree_read_attributes(tree, tree_find(tree, "d"), &d), 0);
        assert_int_equal(d.n_items, 1);
        assert_int_equal(d.items[0].size, 3);
        assert_memory_equal(d.items[0].value, "a\0b", 3);
        assert_int_equal(tree_read_attributes(tree, tree_find(tree, "none"), &none), 0);
        assert_int_equal(none.n_items, 0);
        /* Those of the link, not of what it points to. */
        assert_int_equal(tree_read_attributes(tree, tree_find(tree, "link"), &link), 0);
        assert_int_equal(link.n_items, 0);

        _cleanup_(fd_closep) int f_fd = tree_open(tree, tree_find(tree, "f")),
                                 none_fd = tree_open(tree, tree_find(tree, "none"));
        assert_int_equal(tree_read_open_attributes(f_fd, &open_f), 0);
        assert_int_equal(open_f.n_items, 2);
        assert_string_equal(open_f.items[1].name, "user.b");
        assert_memory_equal(open_f.items[1].value, "1", 1);
        assert_int_equal(tree_read_open_attributes(none_fd, &open_none), 0);
        assert_int_equal(open_none.n_items, 0);
}

/* Whose paths are longer than any system call takes. */
static void test_open_deep(void **state) {
        char name[201] = "";
        _cleanup_(fd_closep) int fd = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        _cleanup_(tree_freep) Tree *tree = NULL;
        char text[4];

        memset(name, 'd', 200);
        for (size_t i = 0; i < 50; i++) {
                assert_int_equal(mkdirat(fd, name, 0700), 0);
                const int below = openat(fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

                (void)fd_close(fd);
                fd = below;
        }
        assert_int_equal(file_write(fd, "bottom", "deep", 4, 0600), 0);
        tree = load(".");
        assert_int_equal(tree->n_nodes, 52);
        _cleanup_(fd_closep) int file = tree_open(tree, tree->nodes[51]);
        assert_true(file >= 0);
        assert_int_equal(fd_pread_all(file, text, 4, 0), 0);
        assert_memory_equal(text, "deep", 4);
}

static void test_errors(void **state) {
        _cleanup_(reason_done) Reason reason = {};
        Tree *tree = NULL;

        assert_int_equal(tree_load(AT_FDCWD, "missing", &tree, &reason), -ENOENT);
        assert_string_equal(reason.text, "Cannot open 'missing': No such file or directory");
        make_file("file");
        assert_int_equal(tree_load(AT_FDCWD, "file", &tree, NULL), -ENOTDIR);
        assert_null(tree);

        /* The path itself may be a link. */
        make_directory("d");
        assert_int_equal(symlink("d", "link"), 0);
        _cleanup_(tree_freep) Tree *linked = load("link");
        assert_int_equal(linked->n_nodes, 1);
}

static void test_depth(void **state) {
        _cleanup_(fd_closep) int fd = open(".", O_PATH | O_CLOEXEC);
        _cleanup_(reason_done) Reason reason = {};
        Tree *tree = NULL;

        for (unsigned i = 0; i <= TREE_DEPTH_MAX; i++) {
                assert_int_equal(mkdirat(fd, "d", 0755), 0);
                const int next = openat(fd, "d", O_PATH | O_CLOEXEC);
                assert_true(next >= 0);
                assert_int_equal(close(fd), 0);
                fd = next;
        }
        assert_int_equal(tree_load(AT_FDCWD, ".", &tree, &reason), -ELOOP);
        assert_non_null(strstr(reason.text, "'d/d/d/"));
        assert_int_equal(tree_load(AT_FDCWD, "d", &tree, NULL), 0);
        assert_int_equal(tree->n_nodes, TREE_DEPTH_MAX + 1);
        tree_free(tree);
}

/* What is mounted below is not part of the tree. In a mount namespace of its own, which needs privilege. */
static void test_mounts(void **state) {
        int status;

        make_directory("mounted");
        make_directory("full");
        make_file("full/file");

        const pid_t pid = fork();
        if (pid == 0) {
                _cleanup_(tree_freep) Tree *tree = NULL;

                if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
                    mount("full", "mounted", NULL, MS_BIND, NULL) < 0)
                        _exit(77);
                if (tree_load(AT_FDCWD, ".", &tree, NULL) < 0)
                        _exit(1);
                const TreeNode *node = tree_find(tree, "mounted");
                const bool fine = node && S_ISDIR(node->status.st_mode) && node->n_children == 0 &&
                                  tree_find(tree, "full/file") &&
                                  tree_open_directory(AT_FDCWD, "mounted") == -EXDEV;
                _exit(fine ? 0 : 1);
        }
        assert_true(pid > 0);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFEXITED(status));
        if (WEXITSTATUS(status) == 77)
                skip();
        assert_int_equal(WEXITSTATUS(status), 0);
}

/* A directory becomes a tree of its own, and stays behind empty. */
static void test_split(void **state) {
        make_directory("home");
        make_directory("home/user");
        make_file("home/user/file");
        make_file("a");
        assert_int_equal(link("a", "home/linked"), 0);
        assert_int_equal(link("home/user/file", "home/user/same"), 0);
        make_file("z");
        assert_int_equal(chmod("home", 0711), 0);

        Tree *split = NULL;
        _cleanup_(tree_freep) Tree *tree = load(".");
        assert_int_equal(tree_split(tree, "a", &split), -ENOTDIR);
        assert_int_equal(tree_split(tree, "missing", &split), -ENOENT);
        assert_null(split);
        assert_int_equal(tree_split(tree, "home", &split), 0);
        _cleanup_(tree_freep) Tree *home = split;

        static const char *const left[] = { ".", "a", "home", "z" };
        assert_int_equal(tree->n_nodes, ELEMENTSOF(left));
        for (size_t i = 0; i < ELEMENTSOF(left); i++) {
                assert_ptr_equal(tree_find(tree, left[i]), tree->nodes[i]);
                assert_int_equal(tree->nodes[i]->index, i);
        }
        assert_int_equal(tree_find(tree, "home")->n_children, 0);
        assert_int_equal(tree_find(tree, "a")->n_links, 1);

        static const char *const taken[] = { ".", "linked", "user", "user/file", "user/same" };
        assert_int_equal(home->n_nodes, ELEMENTSOF(taken));
        for (size_t i = 0; i < ELEMENTSOF(taken); i++) {
                _cleanup_(freep) char *path = NULL;

                assert_int_equal(tree_node_path(home->nodes[i], &path), 0);
                assert_string_equal(path, taken[i]);
        }
        assert_int_equal(home->nodes[0]->status.st_mode, S_IFDIR | 0711);
        assert_int_equal(tree_find(home, "linked")->n_links, 1);
        assert_null(tree_find(home, "linked")->original);
        assert_ptr_equal(tree_find(home, "user/same")->original, tree_find(home, "user/file"));
        assert_int_equal(tree_find(home, "user/file")->n_links, 2);

        _cleanup_(fd_closep) int fd = tree_open(home, tree_find(home, "user/file"));
        assert_true(fd >= 0);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                unit_test_in_directory(test_order),      unit_test_in_directory(test_find),
                unit_test_in_directory(test_links),      unit_test_in_directory(test_open),
                unit_test_in_directory(test_attributes), unit_test_in_directory(test_open_deep),
                unit_test_in_directory(test_errors),     unit_test_in_directory(test_depth),
                unit_test_in_directory(test_mounts),     unit_test_in_directory(test_split),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
