/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mount-namespace.h"
#include "base/open-watch.h"
#include "temporary-directory.h"

static bool saw(const OpenWatch *watch, const char *path) {
        struct stat status;

        assert_int_equal(lstat(path, &status), 0);
        return open_watch_saw(watch, &status);
}

/* Below a root of its own, in another mount namespace, as tools do. */
static void read_as_tool(const char *root, const char *path) {
        int wait_status;

        const pid_t pid = fork();
        if (pid == 0) {
                if (unshare(CLONE_NEWNS) < 0 || mount(root, root, NULL, MS_BIND, NULL) < 0 ||
                    chroot(root) < 0)
                        _exit(1);
                const int fd = open(path, O_RDONLY | O_CLOEXEC);
                struct stat status;
                _exit(fd < 0 || stat("/looked-at", &status) < 0 || access("/", R_OK) < 0);
        }
        assert_int_equal(waitpid(pid, &wait_status, 0), pid);
        assert_int_equal(wait_status, 0);
}

static void test_overlay(void **state) {
        _cleanup_(open_watch_freep) OpenWatch *watch = NULL;
        static const char *const directories[] = { "lower", "upper", "work", "tree" };

        if (geteuid() != 0 || mount_namespace_leave() < 0)
                skip();
        for (size_t i = 0; i < ELEMENTSOF(directories); i++)
                assert_int_equal(mkdir(directories[i], 0755), 0);
        assert_int_equal(file_write_text(AT_FDCWD, "lower/below", "x", 0644), 0);
        assert_int_equal(file_write_text(AT_FDCWD, "lower/looked-at", "x", 0644), 0);
        assert_int_equal(symlink("below", "lower/link"), 0);
        if (mount("overlay", "tree", "overlay", 0, "lowerdir=lower,upperdir=upper,workdir=work") < 0)
                skip();
        assert_int_equal(file_write_text(AT_FDCWD, "tree/above", "x", 0644), 0);
        assert_int_equal(file_write_text(AT_FDCWD, "tree/before", "x", 0644), 0);

        const int r = open_watch_new("tree", &watch);
        if (r < 0) {
                assert_int_equal(umount2("tree", 0), 0);
                skip();
        }
        read_as_tool("tree", "/link");
        read_as_tool("tree", "/above");
        assert_int_equal(open_watch_finish(watch), 0);
        assert_true(saw(watch, "tree/below") && saw(watch, "tree/above"));
        assert_false(saw(watch, "tree/looked-at") || saw(watch, "tree/before") || saw(watch, "tree/link"));
        assert_int_equal(umount2("tree", 0), 0);
}

/* Many of them, and nobody reads what is told of it before the end. */
static void test_many(void **state) {
        _cleanup_(open_watch_freep) OpenWatch *watch = NULL;
        char name[24];

        if (geteuid() != 0 || mount_namespace_leave() < 0)
                skip();
        assert_int_equal(mkdir("tree", 0755), 0);
        assert_int_equal(mount("tmpfs", "tree", "tmpfs", 0, NULL), 0);
        if (open_watch_new("tree", &watch) < 0) {
                assert_int_equal(umount2("tree", 0), 0);
                skip();
        }
        for (unsigned i = 0; i < 20000; i++) {
                (void)snprintf(name, sizeof(name), "tree/%u", i);
                assert_int_equal(file_write_text(AT_FDCWD, name, "", 0644), 0);
        }
        assert_int_equal(open_watch_finish(watch), 0);
        for (unsigned i = 0; i < 20000; i++) {
                (void)snprintf(name, sizeof(name), "tree/%u", i);
                assert_true(saw(watch, name));
        }
        assert_int_equal(umount2("tree", MNT_DETACH), 0);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                unit_test_in_directory(test_overlay),
                unit_test_in_directory(test_many),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
