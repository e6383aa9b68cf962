/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "base/fd.h"
#include "base/strv.h"
#include "base/text.h"
#include "distro/distro-files.h"
#include "temporary-directory.h"

static void test_write_makes_parents(void **state) {
        _cleanup_(fd_closep) int root_fd = distro_open_root(".");
        _cleanup_(freep) char *text = NULL;
        struct stat status;

        assert_true(root_fd >= 0);
        assert_int_equal(distro_write_text(root_fd, "etc/apt/x", "hello", 0640), 0);
        assert_int_equal(distro_write_text(root_fd, "etc/apt/x", "again", 0640), 0);
        assert_int_equal(file_read(AT_FDCWD, "etc/apt/x", 100, &text, NULL), 0);
        assert_string_equal(text, "again");
        assert_int_equal(stat("etc/apt/x", &status), 0);
        assert_int_equal(status.st_mode & 07777, 0640);
        assert_int_equal(stat("etc/apt", &status), 0);
        assert_int_equal(status.st_mode & 07777, 0755);
}

static void test_links_stay_below(void **state) {
        _cleanup_(fd_closep) int root_fd = -EBADF;

        assert_int_equal(mkdir("tree", 0755), 0);
        assert_int_equal(mkdir("outside", 0755), 0);
        assert_int_equal(file_write_text(AT_FDCWD, "outside/precious", "", 0644), 0);
        assert_int_equal(symlink("../outside", "tree/etc"), 0);
        assert_int_equal(symlink("real", "tree/link"), 0);
        root_fd = distro_open_root("tree");

        /* ".." of the root is the root: the link leads to a directory that is not there. */
        assert_int_equal(distro_remove_matching(root_fd, "etc", "*"), 0);
        assert_true(distro_write_text(root_fd, "etc/new", "x", 0644) < 0);
        assert_true(distro_make_directory(root_fd, "etc/a/b", 0755) < 0);
        assert_int_equal(access("outside/precious", F_OK), 0);
        assert_int_not_equal(access("outside/new", F_OK), 0);
        assert_int_not_equal(access("outside/a", F_OK), 0);

        assert_int_equal(mkdir("tree/real", 0755), 0);
        assert_int_equal(distro_write_text(root_fd, "link/file", "x", 0644), 0);
        assert_int_equal(access("tree/real/file", F_OK), 0);
}

static void test_remove_matching(void **state) {
        _cleanup_(fd_closep) int root_fd = distro_open_root(".");
        _cleanup_(strv_freep) char **names = NULL, **none = NULL;
        _cleanup_(freep) char *text = NULL;

        assert_int_equal(distro_write_text(root_fd, "d/keep", "", 0644), 0);
        assert_int_equal(distro_write_text(root_fd, "d/a.log", "", 0644), 0);
        assert_int_equal(distro_write_text(root_fd, "d/.hidden.log", "", 0644), 0);
        assert_int_equal(distro_write_text(root_fd, "d/sub.log/deep/file", "", 0644), 0);

        assert_int_equal(distro_remove_matching(root_fd, "d", "*.log"), 0);
        assert_int_equal(distro_list(root_fd, "d", &names), 0);
        assert_int_equal(strv_join(STRV(names), " ", &text), 0);
        assert_string_equal(text, "keep");

        assert_int_equal(distro_remove_matching(root_fd, "d", "!(keep)"), 0);
        assert_int_equal(access("d/keep", F_OK), 0);
        assert_int_equal(distro_remove_matching(root_fd, "missing", "*"), 0);
        assert_int_equal(distro_list(root_fd, "missing/too", &none), 0);
        assert_null(none);
}

static void test_remove_all(void **state) {
        static const DistroLeftover leftovers[] = { { "d", "*.log" }, { "missing", "*" }, { "e", "?" } };
        _cleanup_(fd_closep) int root_fd = distro_open_root(".");

        assert_int_equal(distro_write_text(root_fd, "d/keep", "", 0644), 0);
        assert_int_equal(distro_write_text(root_fd, "d/a.log", "", 0644), 0);
        assert_int_equal(distro_write_text(root_fd, "e/f", "", 0644), 0);
        assert_int_equal(distro_remove_all(root_fd, leftovers, ELEMENTSOF(leftovers)), 0);
        assert_int_equal(access("d/keep", F_OK), 0);
        assert_int_not_equal(access("d/a.log", F_OK), 0);
        assert_int_not_equal(access("e/f", F_OK), 0);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                unit_test_in_directory(test_write_makes_parents),
                unit_test_in_directory(test_links_stay_below),
                unit_test_in_directory(test_remove_matching),
                unit_test_in_directory(test_remove_all),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
