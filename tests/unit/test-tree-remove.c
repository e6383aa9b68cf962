/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>

#include "base/fd.h"
#include "base/subvolume.h"
#include "btrfs-mount.h"

static void make_file(const char *path) {
        assert_int_equal(file_write_text(AT_FDCWD, path, "", 0644), 0);
}

static void make_directory(const char *path) {
        assert_int_equal(mkdir(path, 0755), 0);
}

static bool exists(const char *path) {
        struct stat status;

        return lstat(path, &status) == 0;
}

static void test_simple(void **state) {
        make_file("file");
        make_directory("d");
        make_directory("d/e");
        make_file("d/e/f");
        make_file("d/.hidden");
        assert_int_equal(mkfifo("d/fifo", 0600), 0);
        make_directory("empty");

        static const char *const paths[] = { "file", "d", "empty", "missing", "missing/below" };
        for (size_t i = 0; i < ELEMENTSOF(paths); i++) {
                assert_int_equal(tree_remove(AT_FDCWD, paths[i]), 0);
                assert_false(exists(paths[i]));
        }
}

static void test_links_are_not_followed(void **state) {
        make_directory("kept");
        make_file("kept/file");
        make_directory("d");
        assert_int_equal(symlink("../kept", "d/link"), 0);
        assert_int_equal(symlink("kept", "link"), 0);

        assert_int_equal(tree_remove(AT_FDCWD, "link"), 0);
        assert_int_equal(tree_remove(AT_FDCWD, "d"), 0);
        assert_false(exists("link") || exists("d"));
        assert_true(exists("kept/file"));
}

static void test_refused(void **state) {
        static const char *const paths[] = { "", ".", "..", "d/", "d/.", "d/..", "/" };

        make_directory("d");
        for (size_t i = 0; i < ELEMENTSOF(paths); i++)
                assert_int_equal(tree_remove(AT_FDCWD, paths[i]), -EINVAL);
        assert_true(exists("d"));
        make_file("file");
        assert_int_equal(tree_remove(AT_FDCWD, "file/below"), -ENOTDIR);
}

/* Far deeper than there are descriptors and than a path may be long, with something beside every directory. */
static void test_deep(void **state) {
        _cleanup_(fd_closep) int fd = -EBADF;

        make_directory("d");
        fd = open("d", O_PATH | O_CLOEXEC);
        for (unsigned i = 0; i < 3000; i++) {
                assert_int_equal(mkdirat(fd, "some-directory", 0755), 0);
                assert_int_equal(symlinkat("x", fd, "beside"), 0);
                const int next = openat(fd, "some-directory", O_PATH | O_CLOEXEC);
                assert_true(next >= 0);
                assert_int_equal(close(fd), 0);
                fd = next;
        }
        assert_int_equal(tree_remove(AT_FDCWD, "d"), 0);
        assert_false(exists("d"));
}

static void test_many(void **state) {
        char path[64];

        make_directory("d");
        for (unsigned i = 0; i < 5000; i++) {
                (void)snprintf(path, sizeof(path), "d/entry-%u", i);
                if (i % 10 == 0)
                        make_directory(path);
                else
                        make_file(path);
        }
        assert_int_equal(tree_remove(AT_FDCWD, "d"), 0);
        assert_false(exists("d"));
}

/* In a mount namespace of its own, which needs privilege. */
static void test_mounts(void **state) {
        int status;

        make_directory("kept");
        make_file("kept/file");
        make_directory("d");
        make_directory("d/mounted");

        const pid_t pid = fork();
        if (pid == 0) {
                if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
                    mount("kept", "d/mounted", NULL, MS_BIND, NULL) < 0)
                        _exit(77);
                _exit(tree_remove(AT_FDCWD, "d") == -EXDEV ? 0 : 1);
        }
        assert_true(pid > 0);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFEXITED(status));
        if (WEXITSTATUS(status) == 77)
                skip();
        assert_int_equal(WEXITSTATUS(status), 0);
        assert_true(exists("kept/file"));
}

static int check_subvolumes(void) {
        static const char *const names[] = { "a", "b", "c" };
        _cleanup_(fd_closep) int top = open("mounted", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        int fds[ELEMENTSOF(names)], parent = top;

        /* Nested in one another, all of them read-only, and one more in a directory deep inside. */
        for (size_t i = 0; i < ELEMENTSOF(names); i++) {
                EXPECT(subvolume_create(parent, names[i], 0755) == 0);
                fds[i] = openat(parent, names[i], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
                EXPECT(fds[i] >= 0 && mkdirat(fds[i], "directory", 0755) == 0);
                EXPECT(file_write_text(fds[i], "directory/file", "x", 0644) == 0);
                parent = fds[i];
        }
        _cleanup_(fd_closep) int directory = openat(fds[0], "directory", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        EXPECT(subvolume_create(directory, "d", 0755) == 0);
        for (size_t i = 0; i < ELEMENTSOF(names); i++) {
                EXPECT(subvolume_set_read_only(fds[i], true) == 0);
                (void)close(fds[i]);
        }
        EXPECT(tree_remove(top, "a") == 0);
        EXPECT(faccessat(top, "a", F_OK, 0) < 0 && errno == ENOENT);
        return 0;
}

static void test_subvolumes(void **state) {
        in_btrfs(check_subvolumes);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                unit_test_in_directory(test_simple),     unit_test_in_directory(test_links_are_not_followed),
                unit_test_in_directory(test_refused),    unit_test_in_directory(test_deep),
                unit_test_in_directory(test_many),       unit_test_in_directory(test_mounts),
                unit_test_in_directory(test_subvolumes),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
