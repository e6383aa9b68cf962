/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/fd.h"
#include "distro/distro-files.h"
#include "distro/pacman-clean.h"
#include "temporary-directory.h"

#define SERVER "http://mirror/$repo/os/$arch"

static int open_root(void) {
        const int fd = distro_open_root(".");

        assert_true(fd >= 0);
        return fd;
}

static bool is_there(const char *path) {
        struct stat status;

        return lstat(path, &status) == 0;
}

static void assert_file(const char *path, const char *expected) {
        _cleanup_(freep) char *text = NULL;

        assert_int_equal(file_read(AT_FDCWD, path, 4096, &text, NULL), 0);
        assert_string_equal(text, expected);
}

static void test_leftovers(void **state) {
        static const char *const removed[] = {
                "dev/null",
                "run/x",
                "tmp/x",
                "var/tmp/x",
                "etc/shadow-",
                "etc/pacman.d/gnupg/pubring.gpg",
                "var/cache/ldconfig/aux-cache",
                "var/cache/man/index.db",
                "var/cache/pacman/pkg/bash.pkg.tar.zst",
                "var/lib/pacman/sync/core.db",
                "var/lib/pacman/db.lck",
                "var/lib/systemd/random-seed",
                "var/log/pacman.log",
        };
        static const char *const kept[] = {
                "etc/shadow",
                "etc/pacman.d/mirrorlist",
                "var/lib/pacman/local/bash-1-1/desc",
                "var/log/lastlog",
        };
        _cleanup_(fd_closep) int root_fd = open_root();

        /* An empty tree is fine. */
        assert_int_equal(pacman_remove_leftovers(root_fd), 0);
        for (size_t i = 0; i < ELEMENTSOF(removed); i++)
                assert_int_equal(distro_write_text(root_fd, removed[i], "", 0644), 0);
        for (size_t i = 0; i < ELEMENTSOF(kept); i++)
                assert_int_equal(distro_write_text(root_fd, kept[i], "", 0644), 0);

        assert_int_equal(pacman_remove_leftovers(root_fd), 0);
        for (size_t i = 0; i < ELEMENTSOF(removed); i++)
                assert_false(is_there(removed[i]));
        for (size_t i = 0; i < ELEMENTSOF(kept); i++)
                assert_true(is_there(kept[i]));
}

static void test_dates(void **state) {
        _cleanup_(fd_closep) int root_fd = open_root();

        assert_int_equal(pacman_clamp_dates(root_fd, 1), 0);
        assert_int_equal(distro_write_text(root_fd, "var/lib/pacman/local/ALPM_DB_VERSION", "9\n", 0644), 0);
        assert_int_equal(distro_write_text(root_fd, "var/lib/pacman/local/a-1/desc",
                                           "%NAME%\na\n\n%INSTALLDATE%\n1795700774\n\n", 0644),
                         0);
        assert_int_equal(distro_write_text(root_fd, "var/lib/pacman/local/b-1/files", "", 0644), 0);
        assert_int_equal(pacman_clamp_dates(root_fd, 1600000000), 0);
        assert_file("var/lib/pacman/local/ALPM_DB_VERSION", "9\n");
        assert_file("var/lib/pacman/local/a-1/desc", "%NAME%\na\n\n%INSTALLDATE%\n1600000000\n\n");
}

static void test_server(void **state) {
        static const char *const cases[][2] = {
                { "## Worldwide\n#Server = http://other\n",
                  "Server = " SERVER "\n\n## Worldwide\n#Server = http://other\n" },
                { "", "Server = " SERVER "\n\n" },
                { "# one\n\n  Server = http://other\n", "# one\n\n  Server = http://other\n" },
        };
        _cleanup_(fd_closep) int root_fd = open_root();

        assert_int_equal(pacman_add_server(root_fd, SERVER), 0);
        assert_false(is_there("etc"));
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                assert_int_equal(distro_write_text(root_fd, "etc/pacman.d/mirrorlist", cases[i][0], 0644), 0);
                assert_int_equal(pacman_add_server(root_fd, SERVER), 0);
                assert_file("etc/pacman.d/mirrorlist", cases[i][1]);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                unit_test_in_directory(test_leftovers),
                unit_test_in_directory(test_dates),
                unit_test_in_directory(test_server),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
