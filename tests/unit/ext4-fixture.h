/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the tests of ext4 share: making file systems of the directory "tree" in the current directory, reading them back
 * through libext2fs, and having e2fsck look at them. */

#include <sys/stat.h>
#include <sys/wait.h>

#include <ext2fs/ext2fs.h>

#include "base/fd.h"
#include "base/path.h"
#include "base/text.h"
#include "format/ext4.h"
#include "temporary-directory.h"

#define TIME_MAX INT64_C(1700000000)

static const FilesystemOptions options = {
        .label = "label",
        .last_mounted = "/",
        .uuid = { { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16 } },
        .hash_seed = { { 0xff, 2, 0xfd, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 0xf0 } },
        .time = TIME_MAX,
};

_unused_ static void make_directory(const char *path) {
        assert_int_equal(mkdir(path, 0755), 0);
}

_unused_ static void make_file(const char *path, size_t size) {
        _cleanup_(freep) char *data = malloc(size + 1);

        assert_non_null(data);
        memset(data, 'x', size);
        assert_int_equal(file_write(AT_FDCWD, path, data, size, 0644), 0);
}

_unused_ static void make_files(const char *directory, unsigned n, int name_length) {
        for (unsigned i = 0; i < n; i++) {
                _cleanup_(freep) char *path = NULL;

                assert_int_equal(text_format(&path, "%s/%0*u", directory, name_length, i), 0);
                make_file(path, 0);
        }
}

_unused_ static Tree *load_tree(void) {
        Tree *tree = NULL;

        assert_int_equal(tree_load(AT_FDCWD, "tree", &tree, NULL), 0);
        return tree;
}

_unused_ static Ext4Plan *make_plan(const Tree *tree) {
        _cleanup_(reason_done) Reason reason = {};
        Ext4Plan *plan = NULL;

        int r = ext4_plan_new(tree, &options, &plan, &reason);
        if (r < 0)
                fail_msg("%s", reason_text(&reason, r));
        return plan;
}

_unused_ static const Ext4Inode *plan_find(const Ext4Plan *plan, const char *path) {
        const TreeNode *node = tree_find(plan->tree, path);

        assert_non_null(node);
        for (size_t i = 0; i < plan->n_inodes; i++) {
                if (plan->inodes[i].number == plan->numbers[node->index])
                        return &plan->inodes[i];
        }
        fail();
        return NULL;
}

/* Makes a file system of the size (0: what content and reserve need), and returns its size. */
_unused_ static uint64_t make_with(const Tree *tree, const char *path, uint64_t size,
                                   const FilesystemOptions *with) {
        _cleanup_(fd_closep) int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        _cleanup_(reason_done) Reason reason = {};
        uint64_t made = 0;

        int r = filesystem_ext4.make(tree, with, &(FilesystemPlace){ .fd = fd, .size = size }, &made,
                                     &reason);
        if (r < 0)
                fail_msg("%s", reason_text(&reason, r));
        assert_int_equal(size == 0 ? made % EXT4_BLOCK_SIZE : made, size);
        return made;
}

_unused_ static uint64_t make(const Tree *tree, const char *path, uint64_t size) {
        return make_with(tree, path, size, &options);
}

/* The size that is chosen for the tree with so much reserve. */
_unused_ static uint64_t measure(const Tree *tree, uint64_t reserve) {
        FilesystemOptions with = options;

        with.reserve_size = reserve;
        return make_with(tree, "measured", 0, &with);
}

/* Makes a file system of the directory "tree", in the file "image", as small as it can be. */
_unused_ static void make_image(void) {
        _cleanup_(tree_freep) Tree *tree = load_tree();

        (void)make(tree, "image", 0);
}

_unused_ static struct struct_ext2_filsys *open_image(void) {
        struct struct_ext2_filsys *volume = NULL;

        assert_int_equal(ext2fs_open("image", EXT2_FLAG_64BITS, 0, 0, unix_io_manager, &volume), 0);
        return volume;
}

_unused_ static ext2_ino_t find_inode(struct struct_ext2_filsys *volume, const char *path) {
        ext2_ino_t number = 0;

        assert_int_equal(ext2fs_namei(volume, EXT2_ROOT_INO, EXT2_ROOT_INO, path, &number), 0);
        return number;
}

_unused_ static struct ext2_inode_large read_inode(struct struct_ext2_filsys *volume, const char *path) {
        struct ext2_inode_large inode = {};

        assert_int_equal(ext2fs_read_inode_full(volume, find_inode(volume, path), EXT2_INODE(&inode),
                                                sizeof(inode)),
                         0);
        return inode;
}

/* e2fsck has nothing to say against the image; where there is no e2fsck, neither has this test. */
_unused_ static void check_image(const char *image) {
        _cleanup_(freep) char *program = NULL;
        int status;

        if (path_find_program("e2fsck", NULL, &program) < 0)
                return;

        const pid_t pid = fork();
        if (pid == 0) {
                const char *const arguments[] = { program, "-fn", image, NULL };

                const int log = open("e2fsck.log", O_WRONLY | O_CREAT | O_TRUNC, 0600);

                if (dup2(log, STDOUT_FILENO) >= 0 && dup2(log, STDERR_FILENO) >= 0)
                        (void)execv(program, (char *const *)arguments);
                _exit(127);
        }
        assert_true(pid > 0);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
                _cleanup_(freep) char *text = NULL;

                (void)file_read(AT_FDCWD, "e2fsck.log", MIB, &text, NULL);
                fail_msg("e2fsck: %s", text ? text : "?");
        }
}

_unused_ static int enter_with_tree(void **state) {
        return temporary_directory_enter(state) < 0 ? -1 : mkdir("tree", 0755);
}

#define unit_test_with_tree(function) \
        cmocka_unit_test_setup_teardown(function, enter_with_tree, temporary_directory_leave)
