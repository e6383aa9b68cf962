/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/strv.h"
#include "base/text.h"
#include "distro/debian.h"
#include "distro/distro-check.h"

static const HostProgram programs[] = {
        { "sh", "dash" },
        { "no-such-program", "ordinary", { { "fedora", "other" }, { "arch", "third" } } },
};

static void test_package_of_the_host(void **state) {
        static const struct {
                const char *words[4], *package;
        } cases[] = {
                { { "debian" }, "ordinary" },      { { "fedora" }, "other" },
                { { "arch" }, "third" },           { { "rocky", "rhel", "fedora" }, "other" },
                { { "arch", "fedora" }, "third" },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++)
                assert_string_equal(distro_host_package(&programs[1], cases[i].words), cases[i].package);
        assert_string_equal(distro_host_package(&programs[1], NULL), "ordinary");
        assert_string_equal(distro_host_package(&programs[0], cases[1].words), "dash");
}

static void test_programs(void **state) {
        _cleanup_(strv_freep) char **problems = NULL;
        const Config config = {};

        assert_int_equal(distro_check_programs(&config, programs, ELEMENTSOF(programs), &problems), 0);
        assert_int_equal(strv_length(STRV(problems)), 1);
        assert_non_null(
                text_after_prefix(problems[0], "Program no-such-program is missing, install package "));
}

static void test_mirror(void **state) {
        static const struct {
                const char *mirror;
                bool good;
        } cases[] = {
                { "", true },
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

                assert_int_equal(text_copy(cases[i].mirror, &mirror), 0);
                const Config config = { .mirror = mirror };

                assert_int_equal(distro_check_mirror(&config, &problems), 0);
                assert_int_equal(!problems, cases[i].good);
        }
}

static void test_mirror_directory(void **state) {
        assert_string_equal(distro_mirror_directory("file:///srv/debian"), "/srv/debian");
        assert_string_equal(distro_mirror_directory("file:/srv/debian"), "/srv/debian");
        assert_null(distro_mirror_directory("file://host/debian"));
        assert_null(distro_mirror_directory("file:relative"));
        assert_null(distro_mirror_directory("http://deb.debian.org/debian"));
        assert_null(distro_mirror_directory(NULL));
}

static void test_architecture(void **state) {
        _cleanup_(strv_freep) char **problems = NULL;
        static const char *const none[ARCHITECTURE_MAX] = {};
        Distro distro = distro_debian;
        const Config config = { .bootable = true };

        assert_int_equal(distro_check_architecture(&config, &distro, &problems), 0);
        assert_null(problems);
        distro.kernel_packages = none;
        assert_int_equal(distro_check_architecture(&config, &distro, &problems), 0);
        assert_string_equal(problems[0], "Debian has no kernel for Architecture=x86-64");
        distro.architectures = none;
        assert_int_equal(distro_check_architecture(&config, &distro, &problems), 0);
        assert_string_equal(problems[1], "Debian does not exist for Architecture=x86-64");
}

static void test_version(void **state) {
        _cleanup_(freep) char *version = NULL;
        const Config config = {};

        assert_int_equal(
                distro_program_version(&config, (const char *const[]){ "echo", "tea 1", NULL }, &version), 0);
        assert_string_equal(version, "tea 1");
        free(TAKE_PTR(version));
        assert_int_equal(distro_program_version(&config, (const char *const[]){ "no-such-program", NULL },
                                                &version),
                         0);
        assert_null(version);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_package_of_the_host),
                cmocka_unit_test(test_programs),
                cmocka_unit_test(test_mirror),
                cmocka_unit_test(test_mirror_directory),
                cmocka_unit_test(test_architecture),
                cmocka_unit_test(test_version),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
