/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "view-fixture.h"

#include <sys/statvfs.h>

#include "sandbox/view-tree.h"

static void attach_at(int tree_fd, const char *path) {
        _cleanup_(fd_closep) int target_fd = open(path, O_PATH | O_CLOEXEC);

        assert_int_equal(view_tree_attach(tree_fd, target_fd), 0);
}

static void test_tmpfs(void **state) {
        static const struct {
                const char *options;
                unsigned long flags;
                mode_t mode;
        } rows[] = {
                { NULL, 0, 01777 },
                { "", 0, 01777 },
                { "mode=0700", 0, 0700 },
                { "ro,rw,defaults,mode=0755", 0, 0755 }, /* read-only is left to the caller */
                { "nosuid,nodev,noexec", ST_NOSUID | ST_NODEV | ST_NOEXEC, 01777 },
                { "nosuid,nodev,suid,dev,noexec", ST_NOEXEC, 01777 },
                { "noatime,nodiratime", ST_NOATIME | ST_NODIRATIME, 01777 },
                { "noatime,strictatime", 0, 01777 },
                { "size=1M,nr_inodes=100", 0, 01777 },
        };
        const unsigned long known = ST_RDONLY | ST_NOSUID | ST_NODEV | ST_NOEXEC | ST_NOATIME | ST_NODIRATIME;

        world_only_as_root();
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_(fd_closep) int fd = -EBADF;
                struct statvfs vfs;
                struct stat status;

                assert_int_equal(view_tree_tmpfs(rows[i].options, &fd, NULL), 0);
                attach_at(fd, "/mnt");
                assert_int_equal(statvfs("/mnt", &vfs), 0);
                assert_int_equal(vfs.f_flag & known, rows[i].flags);
                assert_int_equal(stat("/mnt", &status), 0);
                assert_int_equal(status.st_mode & 07777, rows[i].mode);
                if (i == ELEMENTSOF(rows) - 1)
                        assert_int_equal(vfs.f_blocks * vfs.f_frsize, MIB);
                assert_int_equal(umount2("/mnt", MNT_DETACH), 0);
        }
}

static void test_bad_options(void **state) {
        static const struct {
                const char *options, *text;
        } rows[] = {
                { "mode=0755,x=y", "option \"x=y\" of a tmpfs: tmpfs: Unknown parameter 'x'" },
                { "size=much", "option \"size=much\" of a tmpfs: tmpfs: Bad value for 'size'" },
        };

        world_only_as_root();
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                Reason reason = {};
                int fd = -EBADF;

                assert_int_equal(view_tree_tmpfs(rows[i].options, &fd, &reason), -EINVAL);
                assert_string_equal(reason.text, rows[i].text);
                assert_int_equal(fd, -EBADF);
                reason_done(&reason);
        }
}

static void test_clone(void **state) {
        _cleanup_(fd_closep) int shallow = -EBADF, deep = -EBADF, fd = open("/mnt", O_PATH | O_CLOEXEC);

        world_only_as_root();
        make_mount("/mnt/a/mounted", 0);
        make_file("/mnt/a/mounted/file", "");
        make_directory("/mnt/b");
        assert_int_equal(view_tree_clone(fd, "a", false, &shallow), 0);
        attach_at(shallow, "/mnt/b");
        assert_int_equal(access("/mnt/b/mounted/file", F_OK), -1);
        assert_int_equal(umount2("/mnt/b", MNT_DETACH), 0);
        assert_int_equal(view_tree_clone(AT_FDCWD, "/mnt/a", true, &deep), 0);
        assert_int_equal(view_tree_set(deep, MOUNT_ATTR_RDONLY, true), 0);
        attach_at(deep, "/mnt/b");
        assert_int_equal(access("/mnt/b/mounted/file", F_OK), 0);
        assert_int_equal(write_error("/mnt/b"), EROFS);
        assert_int_equal(write_error("/mnt/b/mounted"), EROFS);
        assert_int_equal(write_error("/mnt/a"), 0);
        assert_int_equal(write_error("/mnt/a/mounted"), 0);
        assert_int_equal(view_tree_clone(fd, "none", false, &deep), -ENOENT);
}

static void test_clone_below(void **state) {
        _cleanup_(fd_closep) int fd = -EBADF;

        world_only_as_root();
        make_directory("/mnt/real/a/b");
        assert_int_equal(symlink("real", "/mnt/link"), 0);
        assert_int_equal(symlink("a", "/mnt/real/link"), 0);
        assert_int_equal(view_tree_clone_below("/mnt/link", "a/b", false, &fd), 0);
        (void)close(TAKE_FD(fd));
        assert_int_equal(view_tree_clone_below("/mnt/link", "link", false, &fd), -ELOOP);
        assert_int_equal(view_tree_clone_below("/mnt/link", "link/b", false, &fd), -ELOOP);
        assert_int_equal(view_tree_clone_below("/mnt/real", "../real", false, &fd), -EXDEV);
        assert_int_equal(view_tree_clone_below("/mnt/none", "a", false, &fd), -ENOENT);
}

static void test_attach(void **state) {
        _cleanup_(fd_closep) int tree_fd = -EBADF, file_fd = -EBADF, directory_fd = -EBADF;

        world_only_as_root();
        make_file("/mnt/file", "");
        make_directory("/mnt/a");
        file_fd = open("/mnt/file", O_PATH | O_CLOEXEC);
        directory_fd = open("/mnt/a", O_PATH | O_CLOEXEC);
        assert_int_equal(view_tree_tmpfs(NULL, &tree_fd, NULL), 0);
        assert_int_equal(view_tree_attach(tree_fd, file_fd), -ENOTDIR);
        assert_int_equal(view_tree_set(directory_fd, MOUNT_ATTR_RDONLY, false), -EINVAL);
        assert_int_equal(view_tree_attach(tree_fd, directory_fd), 0);
}

static void test_targets(void **state) {
        _cleanup_(fd_closep) int fd = -EBADF;
        struct stat status;

        world_only_as_root();
        assert_int_equal(view_tree_tmpfs("mode=0755", &fd, NULL), 0);
        assert_int_equal(view_tree_make_target(fd, "a/b/c", true), 0);
        assert_int_equal(view_tree_make_target(fd, "/a/b/file", false), 0);
        assert_int_equal(view_tree_make_target(fd, "a/b/file", false), 0);
        assert_int_equal(view_tree_make_target(fd, "file", false), 0);
        assert_int_equal(view_tree_make_target(fd, "file/x", false), -ENOTDIR);
        assert_int_equal(fstatat(fd, "a/b/c", &status, 0), 0);
        assert_int_equal(status.st_mode, S_IFDIR | 0755);
        assert_int_equal(fstatat(fd, "a/b/file", &status, 0), 0);
        assert_int_equal(status.st_mode, S_IFREG);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                world_test(test_tmpfs),       world_test(test_bad_options), world_test(test_clone),
                world_test(test_clone_below), world_test(test_attach),      world_test(test_targets),
        };

        return cmocka_run_group_tests(tests, world_enter, NULL);
}
