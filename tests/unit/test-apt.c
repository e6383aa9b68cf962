/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/strv.h"
#include "base/text.h"
#include "distro/apt.h"
#include "distro/debian.h"

static const char *const no_architectures[ARCHITECTURE_MAX] = {};
static const char *const missing_ring[] = { "/nonexistent/ring.gpg", NULL };

/* A distribution that lacks whatever a host can lack. */
static Distro poor_distro(void) {
        Distro distro = distro_debian;

        distro.key_files = missing_ring;
        distro.architectures = no_architectures;
        return distro;
}

static bool has(char **problems, const char *text) {
        for (size_t i = 0; problems && problems[i]; i++)
                if (strstr(problems[i], text))
                        return true;
        return false;
}

static void test_all_problems_at_once(void **state) {
        _cleanup_(strv_freep) char **problems = NULL;
        const Distro distro = poor_distro();
        char release[] = "../evil", mirror[] = "gopher://mirror";
        const Config config = { .release = release, .mirror = mirror };

        assert_int_equal(package_manager_apt.check(&config, &distro, &problems), 0);
        assert_true(has(problems,
                        "Key ring /nonexistent/ring.gpg is missing, install package debian-archive-keyring"));
        assert_true(has(problems, "Release=\"../evil\" cannot be the name of a release of Debian"));
        assert_true(has(problems, "Mirror=gopher://mirror is not an address"));
        assert_true(has(problems, "Debian does not exist for Architecture=x86-64"));
}

static void test_mirror(void **state) {
        static const struct {
                const char *mirror;
                bool good;
        } cases[] = {
                { "http://mirror/debian", true },
                { "https://mirror/debian", true },
                { "file:///", true },
                { "file:///nonexistent", false },
                { "mirror/debian", false },
                { "http://mirror/debian main", false },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(strv_freep) char **problems = NULL;
                _cleanup_(freep) char *mirror = NULL;
                char release[] = "bookworm";

                assert_int_equal(text_copy(cases[i].mirror, &mirror), 0);
                const Config config = { .release = release, .mirror = mirror };

                assert_int_equal(package_manager_apt.check(&config, &distro_debian, &problems), 0);
                assert_int_equal(has(problems, "Mirror="), !cases[i].good);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_all_problems_at_once),
                cmocka_unit_test(test_mirror),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
