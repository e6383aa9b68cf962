/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/fd.h"
#include "base/strv.h"
#include "base/text.h"
#include "distro/distro-files.h"
#include "distro/dnf-keys.h"
#include "distro/fedora.h"
#include "temporary-directory.h"

static void test_find_and_copy(void **state) {
        _cleanup_(fd_closep) int fd = distro_open_root("."), copies_fd = -EBADF;
        _cleanup_(strv_freep) char **files = NULL, **urls = NULL;
        _cleanup_(freep) char *text = NULL;
        char *given[] = { (char[]){ "keys" }, (char[]){ "single" }, NULL };
        const Config config = { .repository_keys = given };

        assert_int_equal(distro_write_text(fd, "keys/b", "B", 0644), 0);
        assert_int_equal(distro_write_text(fd, "keys/a", "A", 0644), 0);
        assert_int_equal(distro_write_text(fd, "keys/.hidden", "", 0644), 0);
        assert_int_equal(distro_write_text(fd, "single", "S", 0644), 0);
        assert_int_equal(dnf_keys_find(&config, &distro_fedora, &files), 0);
        assert_int_equal(strv_join(STRV(files), " ", &text), 0);
        assert_string_equal(text, "keys/a keys/b single");

        copies_fd = distro_make_directory(fd, "copies", 0755);
        assert_true(copies_fd >= 0);
        assert_int_equal(dnf_keys_copy(&config, &distro_fedora, copies_fd, "file:///k", &urls), 0);
        assert_string_equal(urls[2], "file:///k/2");
        free(TAKE_PTR(text));
        assert_int_equal(file_read(copies_fd, "1", 100, &text, NULL), 0);
        assert_string_equal(text, "B");
}

static void test_armour(void **state) {
        assert_true(dnf_key_is_armoured("-----BEGIN PGP PUBLIC KEY BLOCK-----\n"));
        assert_false(dnf_key_is_armoured("-----BEGIN PGP PRIVATE KEY BLOCK-----\n"));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                unit_test_in_directory(test_find_and_copy),
                cmocka_unit_test(test_armour),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
