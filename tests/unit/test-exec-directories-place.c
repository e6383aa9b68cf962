/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "base/text.h"
#include "exec/exec-directories-place.h"
#include "temporary-directory.h"

static ExecDirectory directory(const char *name) {
        return (ExecDirectory){ .name = (char *)(uintptr_t)name };
}

static void assert_same(int fd, const char *path) {
        struct stat a, b;

        if (fd < 0)
                fail_msg("%s: %s", path, strerror(-fd));
        assert_int_equal(fstat(fd, &a), 0);
        assert_int_equal(stat(path, &b), 0);
        assert_int_equal(a.st_ino, b.st_ino);
        (void)fd_close(fd);
}

static void test_make(void **state) {
        const ExecDirectory deep = directory("a/b/c");
        const mode_t before = umask(0077);
        struct stat status;

        assert_int_equal(exec_directory_open_parent(&deep, "var/lib/a/b/c", false), -ENOENT);
        assert_same(exec_directory_open_parent(&deep, "var/lib/a/b/c", true), "var/lib/a/b");
        (void)umask(before);
        assert_int_equal(stat("var/lib/a/b", &status), 0);
        assert_int_equal(status.st_mode, S_IFDIR | 0755);
        assert_same(exec_directory_open_prefix(&deep, "var/lib/a/b/c", false), "var/lib");
        assert_int_equal(exec_directory_open(&deep, "var/lib/a/b/c"), -ENOENT);
        assert_int_equal(mkdir("var/lib/a/b/c", 0700), 0);
        assert_same(exec_directory_open(&deep, "var/lib/a/b/c"), "var/lib/a/b/c");
}

/* Links before the name are the system's; those in it could be a service's. */
static void test_links(void **state) {
        const ExecDirectory deep = directory("a/b"), flat = directory("a");
        int r;

        assert_int_equal(mkdir("real", 0755), 0);
        assert_int_equal(mkdir("elsewhere", 0755), 0);
        assert_int_equal(mkdir("elsewhere/b", 0755), 0);
        assert_int_equal(symlink("real", "prefix"), 0);
        assert_int_equal(symlink("../elsewhere", "real/a"), 0);
        assert_same(exec_directory_open_prefix(&deep, "prefix/a/b", false), "real");
        r = exec_directory_open_parent(&deep, "prefix/a/b", true);
        assert_true(r == -ELOOP || r == -ENOTDIR);
        r = exec_directory_open(&flat, "prefix/a");
        assert_true(r == -ELOOP || r == -ENOTDIR);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                unit_test_in_directory(test_make),
                unit_test_in_directory(test_links),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
