/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "view-fixture.h"

#include "sandbox/view-owners.h"
#include "sandbox/view-tree.h"

static void test_map(void **state) {
        _cleanup_(fd_closep) int tree_fd = -EBADF, target_fd = -EBADF;
        struct stat status;

        world_only_as_root();
        make_directory("/mnt/a");
        make_directory("/mnt/b");
        make_file("/mnt/a/file", "");
        make_file("/mnt/a/others", "");
        make_file("/mnt/a/group", "");
        assert_int_equal(chown("/mnt/a/file", 63000, 63000), 0);
        assert_int_equal(chown("/mnt/a/group", 0, 63000), 0);
        assert_int_equal(view_tree_clone(AT_FDCWD, "/mnt/a", true, &tree_fd), 0);
        assert_int_equal(view_owners_map(tree_fd, 63000, 64000), 0);
        target_fd = open("/mnt/b", O_PATH | O_CLOEXEC);
        assert_int_equal(view_tree_attach(tree_fd, target_fd), 0);
        assert_int_equal(stat("/mnt/b/file", &status), 0);
        assert_int_equal(status.st_uid, 64000);
        assert_int_equal(status.st_gid, 64000);
        assert_int_equal(stat("/mnt/b/others", &status), 0);
        assert_int_equal(status.st_uid, 65534);
        assert_int_equal(stat("/mnt/b/group", &status), 0);
        assert_int_equal(status.st_uid, 65534);
        assert_int_equal(status.st_gid, 64000);
        /* Nobody else can make anything there, and there is nothing left of the way. */
        assert_int_equal(write_error("/mnt/b"), EOVERFLOW);
        assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
        assert_int_equal(errno, ECHILD);
        /* What is in the tree already cannot be mapped any more. */
        assert_int_equal(view_owners_map(tree_fd, 1, 2), -EPERM);
        assert_int_equal(view_can_map_owners(tree_fd), 0);
}

static void test_can(void **state) {
        _cleanup_(fd_closep) int tmpfs_fd = -EBADF,
                                 proc_fd = open("/proc/self", O_PATH | O_DIRECTORY | O_CLOEXEC);

        world_only_as_root();
        tmpfs_fd = open("/mnt", O_PATH | O_DIRECTORY | O_CLOEXEC);
        assert_int_equal(view_can_map_owners(tmpfs_fd), 1);
        assert_int_equal(view_can_map_owners(proc_fd), 0);
        assert_int_equal(view_can_map_owners(-EBADF), -EBADF);
}

/* An overlay shows what is on other file systems, and cannot. */
static void test_overlay(void **state) {
        world_only_as_root();
        make_directory("/mnt/lower");
        make_directory("/mnt/other");
        make_directory("/mnt/merged");
        if (mount("overlay", "/mnt/merged", "overlay", MS_RDONLY, "lowerdir=/mnt/lower:/mnt/other") < 0)
                skip();
        _cleanup_(fd_closep) int fd = open("/mnt/merged", O_PATH | O_DIRECTORY | O_CLOEXEC);
        assert_int_equal(view_can_map_owners(fd), 0);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                world_test(test_map),
                world_test(test_can),
                world_test(test_overlay),
        };

        return cmocka_run_group_tests(tests, world_enter, NULL);
}
