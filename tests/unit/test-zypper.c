/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/strv.h"
#include "base/text.h"
#include "distro/opensuse.h"
#include "distro/zypper.h"

static bool has(char **problems, const char *text) {
        for (size_t i = 0; problems && problems[i]; i++)
                if (strstr(problems[i], text))
                        return true;
        return false;
}

static void test_all_problems_at_once(void **state) {
        static const char *const no_architectures[ARCHITECTURE_MAX] = {};
        _cleanup_(strv_freep) char **problems = NULL, **keys = NULL;
        Distro distro = distro_opensuse;
        char release[] = "leap", mirror[] = "gopher://mirror";

        distro.architectures = no_architectures;
        assert_int_equal(strv_append(&keys, "/nonexistent/key.asc"), 0);
        const Config config = { .release = release, .mirror = mirror, .repository_keys = keys };
        assert_int_equal(package_manager_zypper.check(&config, &distro, &problems), 0);
        assert_true(has(problems, "Release=\"leap\" cannot be the name of a release of openSUSE"));
        assert_true(has(problems, "The key /nonexistent/key.asc cannot be read"));
        assert_true(has(problems, "Mirror=gopher://mirror is not an address"));
        assert_true(has(problems, "openSUSE does not exist for Architecture=x86-64"));
}

static void test_repositories(void **state) {
        _cleanup_(strv_freep) char **problems = NULL, **names = NULL;
        char release[] = "16.0";

        assert_int_equal(strv_append(&names, "update"), 0);
        const Config config = { .release = release, .repositories = names };
        assert_int_equal(package_manager_zypper.check(&config, &distro_opensuse, &problems), 0);
        assert_true(has(problems, "Repositories=update is no repository of openSUSE \"16.0\""));
}

static void test_config(void **state) {
        ZypperConfig made;
        char release[] = "15.6";
        const Config config = { .release = release, .architecture = ARCHITECTURE_RISCV64 };

        zypper_config_make(&config, &distro_opensuse, &made);
        assert_string_equal(made.release, "15.6");
        assert_string_equal(made.architecture, "riscv64");
        assert_string_equal(made.port, "riscv");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_all_problems_at_once),
                cmocka_unit_test(test_repositories),
                cmocka_unit_test(test_config),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
