/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "temporary-directory.h"

#include "base/fd.h"
#include "base/strv.h"
#include "base/text.h"
#include "distro/arch.h"
#include "distro/debian.h"
#include "distro/distro-files.h"
#include "distro/opensuse.h"
#include "distro/repository-keys.h"

#define KEY "-----BEGIN PGP PUBLIC KEY BLOCK-----\n"

static int put(const char *path, const char *text) {
        _cleanup_(fd_closep) int fd = distro_open_root(".");

        return distro_write_text(fd, path, text, 0644);
}

static void test_find(void **state) {
        static const char *const of_host[] = { "host/$basearch/$releasever", "host/missing", NULL };
        Distro distro = distro_opensuse;
        char release[] = "a";
        _cleanup_(strv_freep) char **given = NULL, **found = NULL, **other = NULL;
        _cleanup_(freep) char *text = NULL;

        assert_int_equal(put("host/x86_64/a", KEY), 0);
        assert_int_equal(put("keys/2.asc", KEY), 0);
        assert_int_equal(put("keys/1.asc", KEY), 0);
        assert_int_equal(put("keys/.hidden", KEY), 0);
        assert_int_equal(put("single", KEY), 0);

        distro.key_files = of_host;
        assert_int_equal(repository_keys_find(&(const Config){ .release = release }, &distro, &other), 0);
        assert_int_equal(strv_length(STRV(other)), 1);
        assert_string_equal(other[0], "host/x86_64/a");

        assert_int_equal(strv_append(&given, "single"), 0);
        assert_int_equal(strv_append(&given, "keys"), 0);
        const Config config = { .repository_keys = given };
        assert_int_equal(repository_keys_find(&config, &distro, &found), 0);
        assert_int_equal(strv_join(STRV(found), " ", &text), 0);
        assert_string_equal(text, "single keys/1.asc keys/2.asc");
}

static void test_check(void **state) {
        _cleanup_(strv_freep) char **given = NULL, **problems = NULL;
        char release[] = "tumbleweed";

        assert_int_equal(put("binary", "\x99"), 0);
        assert_int_equal(put("good", KEY), 0);
        assert_int_equal(strv_append(&given, "good"), 0);
        assert_int_equal(strv_append(&given, "binary"), 0);
        assert_int_equal(strv_append(&given, "missing"), 0);
        const Config config = { .repository_keys = given }, none = { .release = release };
        assert_int_equal(repository_keys_check(&config, &distro_opensuse, &problems), 0);
        assert_int_equal(strv_length(STRV(problems)), 2);
        assert_string_equal(problems[0],
                            "binary is no public key in ASCII armour: export it with gpg --armor --export");
        assert_non_null(text_after_prefix(problems[1], "The key missing cannot be read: "));

        assert_int_equal(repository_keys_check(&none, &distro_opensuse, &problems), 0);
        assert_non_null(text_after_prefix(
                problems[2], "There are no keys that openSUSE \"tumbleweed\" is signed by: put them into "));
}

/* Key rings and what lies beside them; whoever takes any form of keys looks at none. */
static void test_lists(void **state) {
        _cleanup_(strv_freep) char **given = NULL, **found = NULL, **all = NULL, **problems = NULL;
        _cleanup_(freep) char *text = NULL, *beside = NULL, *none = NULL;

        assert_int_equal(put("keys/a.gpg", "\x99"), 0);
        assert_int_equal(put("keys/a-trusted", ""), 0);
        assert_int_equal(put("keys/b.asc", KEY), 0);
        assert_int_equal(put("keys/b-revoked", ""), 0);
        assert_int_equal(strv_append(&given, "keys"), 0);
        const Config config = { .repository_keys = given };

        assert_int_equal(repository_keys_find(&config, &distro_arch, &found), 0);
        assert_int_equal(strv_join(STRV(found), " ", &text), 0);
        assert_string_equal(text, "keys/a.gpg keys/b.asc");
        assert_int_equal(repository_keys_check(&config, &distro_arch, &problems), 0);
        assert_null(problems);

        free(TAKE_PTR(text));
        assert_int_equal(repository_keys_find_all(&config, &distro_arch, &all), 0);
        assert_int_equal(strv_join(STRV(all), " ", &text), 0);
        assert_string_equal(text, "keys/a.gpg keys/a-trusted keys/b.asc");

        assert_int_equal(repository_keys_beside("/etc/NAME.gpg", "-trusted", &beside), 0);
        assert_string_equal(beside, "/etc/NAME-trusted");
        assert_int_equal(repository_keys_beside("/etc/NAME.asc", "-trusted", &none), 0);
        assert_null(none);
}

/* A key ring of the host is all there is for apt, whatever RepositoryKeys= says. */
static void test_ring(void **state) {
        static const char *const missing[] = { "ring", NULL };
        _cleanup_(strv_freep) char **given = NULL, **found = NULL, **problems = NULL;
        Distro distro = distro_debian;

        assert_int_equal(put("key", KEY), 0);
        assert_int_equal(strv_append(&given, "key"), 0);
        const Config config = { .repository_keys = given };
        distro.key_files = missing;
        assert_int_equal(repository_keys_find(&config, &distro, &found), 0);
        assert_null(found);
        assert_int_equal(repository_keys_check(&config, &distro, &problems), 0);
        assert_string_equal(problems[0], "Key ring ring is missing, install package debian-archive-keyring");
}

static void test_copy(void **state) {
        _cleanup_(strv_freep) char **given = NULL, **paths = NULL;
        _cleanup_(fd_closep) int root_fd = distro_open_root("."), to_fd = -EBADF;
        _cleanup_(freep) char *text = NULL;

        assert_int_equal(put("a", KEY "a"), 0);
        assert_int_equal(put("b", KEY "b"), 0);
        assert_int_equal(strv_append(&given, "b"), 0);
        assert_int_equal(strv_append(&given, "a"), 0);
        const Config config = { .repository_keys = given };
        to_fd = distro_make_directory(root_fd, "copy", 0755);
        assert_true(to_fd >= 0);
        assert_int_equal(repository_keys_copy(&config, &distro_opensuse, to_fd, "/inside", &paths), 0);
        assert_int_equal(strv_length(STRV(paths)), 2);
        assert_string_equal(paths[1], "/inside/1");
        assert_int_equal(file_read(to_fd, "1", 100, &text, NULL), 0);
        assert_string_equal(text, KEY "a");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                unit_test_in_directory(test_find),  unit_test_in_directory(test_check),
                unit_test_in_directory(test_lists), unit_test_in_directory(test_ring),
                unit_test_in_directory(test_copy),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
