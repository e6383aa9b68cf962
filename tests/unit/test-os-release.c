/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/stat.h>

#include "base/fd.h"
#include "base/os-release.h"
#include "temporary-directory.h"

static void write_os_release(const char *path, const char *text) {
        (void)mkdir("etc", 0755);
        (void)mkdir("usr", 0755);
        (void)mkdir("usr/lib", 0755);
        assert_int_equal(file_write_text(AT_FDCWD, path, text, 0644), 0);
}

static void test_values(void **state) {
        static const struct {
                const char *text, *id, *version_id, *version_codename, *pretty_name, *id_like;
        } cases[] = {
                { "PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nVERSION_ID=\"12\"\nVERSION_CODENAME=bookworm\nID=debian\n"
                  "HOME_URL=\"https://www.debian.org/#;\"\n",
                  "debian", "12", "bookworm", "Debian GNU/Linux 12 (bookworm)" },
                { "# comment\nID='fedora'\nVERSION_ID=41", "fedora", "41", NULL, NULL },
                { "NAME=x\n", "linux", NULL, NULL, NULL },
                { "ID=\"rocky\"\nID_LIKE=\"rhel centos fedora\"\n", "rocky", NULL, NULL, NULL,
                  "rhel centos fedora" },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(os_release_done) OsRelease found = {};

                write_os_release("etc/os-release", cases[i].text);
                assert_int_equal(os_release_load(".", &found), 0);
                assert_string_equal(found.path, "etc/os-release");
                assert_string_equal(found.id, cases[i].id);
                const char *const pairs[][2] = {
                        { found.version_id, cases[i].version_id },
                        { found.version_codename, cases[i].version_codename },
                        { found.pretty_name, cases[i].pretty_name },
                        { found.id_like, cases[i].id_like },
                };
                for (size_t j = 0; j < ELEMENTSOF(pairs); j++) {
                        assert_int_equal(pairs[j][0] == NULL, pairs[j][1] == NULL);
                        if (pairs[j][0])
                                assert_string_equal(pairs[j][0], pairs[j][1]);
                }
        }
}

static void test_places(void **state) {
        _cleanup_(os_release_done) OsRelease vendor = {}, linked = {};
        OsRelease none = {};

        assert_int_equal(os_release_load(".", &none), -ENOENT);
        write_os_release("usr/lib/os-release", "ID=vendor\n");
        assert_int_equal(os_release_load(".", &vendor), 0);
        assert_string_equal(vendor.path, "usr/lib/os-release");
        assert_string_equal(vendor.id, "vendor");

        /* An absolute link means the tree's file, not the host's. */
        assert_int_equal(symlink("/usr/lib/os-release", "etc/os-release"), 0);
        assert_int_equal(os_release_load(".", &linked), 0);
        assert_string_equal(linked.id, "vendor");
        assert_int_equal(unlink("etc/os-release"), 0);
        assert_int_equal(mkdir("etc/os-release", 0755), 0);
        assert_int_equal(os_release_load(".", &none), -EINVAL);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                unit_test_in_directory(test_values),
                unit_test_in_directory(test_places),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
