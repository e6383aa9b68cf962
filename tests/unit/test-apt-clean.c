/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/fd.h"
#include "distro/apt-clean.h"
#include "distro/distro-files.h"
#include "temporary-directory.h"

static void make(const char *path) {
        _cleanup_(fd_closep) int root_fd = distro_open_root(".");

        assert_int_equal(distro_write_text(root_fd, path, "", 0644), 0);
}

static bool is_there(const char *path) {
        struct stat status;

        return lstat(path, &status) == 0;
}

static void check(const char *const *removed, const char *const *kept) {
        for (size_t i = 0; removed[i]; i++)
                if (is_there(removed[i]))
                        fail_msg("%s is still there", removed[i]);
        for (size_t i = 0; kept[i]; i++)
                if (!is_there(kept[i]))
                        fail_msg("%s is gone", kept[i]);
}

static void make_all(const char *const *paths) {
        for (size_t i = 0; paths[i]; i++)
                make(paths[i]);
}

static void test_docs(void **state) {
        static const char *const removed[] = {
                "usr/share/doc/dash/changelog.gz",
                "usr/share/doc/dash/examples/a",
                "usr/share/doc/only/readme",
                "usr/share/doc/only",
                "usr/share/locale/de/x.mo",
                "usr/share/locale/de",
                "usr/share/man/man1/ls.1.gz",
                "usr/share/man/de/man1/ls.1.gz",
                "usr/share/man/de",
                "usr/share/info/dir",
                "usr/share/lintian/overrides/x",
                NULL,
        };
        static const char *const kept[] = {
                "usr/share/doc/dash/copyright",
                "usr/share/locale/locale.alias",
                "usr/share/man/man1",
                "usr/share/perl/x.pm",
                NULL,
        };
        _cleanup_(fd_closep) int root_fd = distro_open_root(".");

        /* An empty tree is fine. */
        assert_int_equal(apt_remove_docs(root_fd), 0);

        static const char *const files[] = {
                "usr/share/doc/dash/changelog.gz",
                "usr/share/doc/dash/examples/a",
                "usr/share/doc/only/readme",
                "usr/share/locale/de/x.mo",
                "usr/share/man/man1/ls.1.gz",
                "usr/share/man/de/man1/ls.1.gz",
                "usr/share/info/dir",
                "usr/share/lintian/overrides/x",
                "usr/share/doc/dash/copyright",
                "usr/share/locale/locale.alias",
                "usr/share/perl/x.pm",
                NULL,
        };
        make_all(files);
        assert_int_equal(symlink("dash", "usr/share/doc/link"), 0);
        assert_int_equal(apt_remove_docs(root_fd), 0);
        check(removed, kept);
        assert_false(is_there("usr/share/doc/link"));
        assert_int_equal(apt_remove_docs(root_fd), 0);
        check(removed, kept);
}

static void test_leftovers(void **state) {
        static const char *const removed[] = {
                "dev/null",
                "run/lock/x",
                "tmp/x",
                "var/tmp/x",
                "var/cache/apt/pkgcache.bin",
                "var/cache/apt/archives/dash.deb",
                "var/cache/apt/archives/lock",
                "var/cache/apt/archives/partial/x.deb",
                "var/cache/debconf/config.dat-old",
                "var/cache/ldconfig/aux-cache",
                "var/lib/apt/lists/deb_InRelease",
                "var/lib/apt/lists/partial/x",
                "var/lib/dpkg/status-old",
                "var/lib/systemd/random-seed",
                "var/log/dpkg.log",
                "var/log/bootstrap.log",
                "var/log/alternatives.log",
                "var/log/apt/history.log",
                "etc/shadow-",
                NULL,
        };
        static const char *const kept[] = {
                "var/lib/dpkg/status",
                "var/lib/apt/extended_states",
                "var/cache/debconf/config.dat",
                "var/log/lastlog",
                "etc/shadow",
                "var/cache/apt/archives/partial",
                "var/lib/apt/lists/partial",
                "dev",
                "run",
                NULL,
        };
        static const char *const kept_files[] = {
                "var/lib/dpkg/status",
                "var/lib/apt/extended_states",
                "var/cache/debconf/config.dat",
                "var/log/lastlog",
                "etc/shadow",
                NULL,
        };
        _cleanup_(fd_closep) int root_fd = distro_open_root(".");

        make_all(removed);
        make_all(kept_files);
        assert_int_equal(apt_remove_leftovers(root_fd), 0);
        check(removed, kept);
}

static void test_host_traces(void **state) {
        static const char *const removed[] = {
                "debootstrap/debootstrap.log",
                "debootstrap",
                "etc/hostname",
                "etc/resolv.conf",
                "etc/fstab",
                "etc/apt/sources.list",
                "run/adduser",
                "dev/console",
                NULL,
        };
        static const char *const files[] = {
                "debootstrap/debootstrap.log",
                "etc/hostname",
                "etc/resolv.conf",
                "etc/fstab",
                "etc/apt/sources.list",
                "run/adduser",
                "dev/console",
                "etc/passwd",
                NULL,
        };
        static const char *const kept[] = { "etc/passwd", "etc/apt", "run", "dev", NULL };
        _cleanup_(fd_closep) int root_fd = distro_open_root(".");

        make_all(files);
        assert_int_equal(apt_remove_host_traces(root_fd), 0);
        check(removed, kept);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                unit_test_in_directory(test_docs),
                unit_test_in_directory(test_leftovers),
                unit_test_in_directory(test_host_traces),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
