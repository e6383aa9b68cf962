/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/strv.h"
#include "base/text.h"
#include "distro/debian.h"
#include "distro/debootstrap.h"

static void expect(const char *release, const char *mirror, char **repositories, const char *expected) {
        _cleanup_(strv_freep) char **arguments = NULL;
        _cleanup_(freep) char *text = NULL, *own_release = NULL, *own_mirror = NULL;

        assert_int_equal(text_copy(release, &own_release), 0);
        assert_int_equal(text_copy(mirror, &own_mirror), 0);
        const Config config = { .release = own_release, .mirror = own_mirror, .repositories = repositories };
        const Installation installation = { .config = &config, .distro = &distro_debian };

        assert_int_equal(debootstrap_arguments(&installation, &arguments), 0);
        assert_int_equal(strv_join(STRV(arguments), " ", &text), 0);
        assert_string_equal(text, expected);
}

#define OPTIONS                                                                                \
        "debootstrap --variant=minbase --merged-usr --force-check-gpg --keep-debootstrap-dir " \
        "--keyring=/usr/share/keyrings/debian-archive-keyring.gpg --arch=amd64 "

static void test_arguments(void **state) {
        _cleanup_(strv_freep) char **repositories = NULL;

        assert_int_equal(strv_split("main contrib", " ", &repositories), 0);
        /* The suite's script is the host's matter; one that cannot exist shows that there is a substitute. */
        expect("no-such-suite", NULL, NULL,
               OPTIONS "--components=main --include=systemd-sysv,dbus,libpam-systemd no-such-suite /run/tree "
                       "http://deb.debian.org/debian /usr/share/debootstrap/scripts/sid");
        expect("no-such-suite", "file:///srv/debian", repositories,
               OPTIONS
               "--components=main,contrib --include=systemd-sysv,dbus,libpam-systemd no-such-suite /run/tree "
               "file:///srv/debian /usr/share/debootstrap/scripts/sid");
        assert_false(debootstrap_knows("no-such-suite"));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_arguments),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
