/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/fd.h"
#include "base/strv.h"
#include "base/text.h"
#include "distro/arch.h"
#include "distro/distro-files.h"
#include "distro/pacman.h"
#include "temporary-directory.h"

static const char *const no_architectures[ARCHITECTURE_MAX] = {};
static const char *const missing_ring[] = { "/nonexistent/ring.gpg", NULL };

static bool has(char **problems, const char *text) {
        for (size_t i = 0; problems && problems[i]; i++)
                if (strstr(problems[i], text))
                        return true;
        return false;
}

static void test_all_problems_at_once(void **state) {
        _cleanup_(strv_freep) char **problems = NULL, **repositories = NULL;
        char mirror[] = "gopher://mirror";
        Distro distro = distro_arch;

        distro.key_files = missing_ring;
        distro.architectures = no_architectures;
        assert_int_equal(strv_split("core options", " ", &repositories), 0);
        const Config config = { .distribution = DISTRIBUTION_ARCH,
                                .mirror = mirror,
                                .repositories = repositories };

        assert_int_equal(package_manager_pacman.check(&config, &distro, &problems), 0);
        assert_true(has(problems, "There are no keys that Arch Linux is signed by: "));
        assert_true(has(problems, "install package archlinux-keyring"));
        assert_true(has(problems, "Mirror=gopher://mirror is not an address"));
        assert_true(has(problems, "Repositories=options cannot be the name of a repository"));
        assert_false(has(problems, "Repositories=core"));
        assert_true(has(problems, "Arch Linux does not exist for Architecture=x86-64"));
}

/* Of a host without it, nothing is told. */
static void test_version(void **state) {
        _cleanup_(freep) char *version = NULL;
        const Config config = {};

        assert_int_equal(package_manager_pacman.version(&config, &version), 0);
        if (version) {
                assert_non_null(text_after_prefix(version, "Pacman v"));
                assert_null(strchr(version, '\n'));
        }
}

static void test_list(void **state) {
        _cleanup_(distro_packages_done) DistroPackages packages = {};
        _cleanup_(fd_closep) int root_fd = distro_open_root(".");
        const Config config = {};
        const Installation installation = { .config = &config, .distro = &distro_arch, .root = "." };

        /* A tree without a database has no packages. */
        assert_int_equal(package_manager_pacman.list(&installation, &packages), 0);
        assert_int_equal(packages.n_items, 0);

        assert_int_equal(distro_write_text(root_fd, "var/lib/pacman/local/ALPM_DB_VERSION", "9\n", 0644), 0);
        assert_int_equal(distro_write_text(root_fd, "var/lib/pacman/local/b-2-1/desc",
                                           "%NAME%\nb\n\n%VERSION%\n2-1\n\n%ARCH%\nany\n", 0644),
                         0);
        assert_int_equal(distro_write_text(root_fd, "var/lib/pacman/local/a-1-1/desc",
                                           "%NAME%\na\n\n%VERSION%\n1-1\n\n%ARCH%\nx86_64\n", 0644),
                         0);
        assert_int_equal(package_manager_pacman.list(&installation, &packages), 0);
        assert_int_equal(packages.n_items, 2);
        assert_string_equal(packages.items[0].name, "a");
        assert_string_equal(packages.items[1].architecture, "any");

        assert_int_equal(distro_write_text(root_fd, "var/lib/pacman/local/c-1-1/desc", "junk\n", 0644), 0);
        assert_int_equal(package_manager_pacman.list(&installation, &packages), -EBADMSG);
}

static void test_clean(void **state) {
        _cleanup_(fd_closep) int root_fd = distro_open_root(".");
        _cleanup_(freep) char *text = NULL;
        char mirror[] = "file:///srv/arch";
        const Config config = { .mirror = mirror };
        const Installation installation = { .config = &config, .distro = &distro_arch, .root = "." };

        assert_int_equal(distro_write_text(root_fd, "etc/pacman.d/mirrorlist", "", 0644), 0);
        assert_int_equal(distro_write_text(root_fd, "var/lib/pacman/sync/core.db", "", 0644), 0);
        assert_int_equal(package_manager_pacman.clean(&installation), 0);
        assert_int_equal(access("var/lib/pacman/sync/core.db", F_OK), -1);
        assert_int_equal(file_read(AT_FDCWD, "etc/pacman.d/mirrorlist", 4096, &text, NULL), 0);
        assert_string_equal(text, "Server = https://geo.mirror.pkgbuild.com/$repo/os/$arch\n\n");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_all_problems_at_once),
                cmocka_unit_test(test_version),
                unit_test_in_directory(test_list),
                unit_test_in_directory(test_clean),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
