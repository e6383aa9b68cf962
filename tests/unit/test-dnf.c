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
#include "distro/dnf-config.h"
#include "distro/dnf.h"
#include "distro/fedora.h"
#include "temporary-directory.h"

static bool has(char **problems, const char *text) {
        for (size_t i = 0; problems && problems[i]; i++)
                if (strstr(problems[i], text))
                        return true;
        return false;
}

static void test_all_problems_at_once(void **state) {
        _cleanup_(strv_freep) char **problems = NULL;
        _cleanup_(fd_closep) int fd = distro_open_root(".");
        char release[] = "44", mirror[] = "gopher://mirror";
        char *given[] = { (char[]){ "key" }, (char[]){ "missing" }, NULL };
        char *repositories[] = { (char[]){ "main" }, NULL };
        const Config config = { .release = release,
                                .mirror = mirror,
                                .repository_keys = given,
                                .repositories = repositories,
                                .architecture = ARCHITECTURE_X86 };

        assert_int_equal(distro_write_text(fd, "key", "binary", 0644), 0);
        assert_int_equal(package_manager_dnf.check(&config, &distro_fedora, &problems), 0);
        assert_true(has(problems, "key is no public key in ASCII armour"));
        assert_true(has(problems, "The key missing cannot be read"));
        assert_true(has(problems,
                        "Repositories=main is no repository of Fedora \"44\", which has: fedora, updates"));
        assert_true(has(problems, "Mirror=gopher://mirror is not an address"));
        assert_true(has(problems, "Fedora does not exist for Architecture=x86"));
}

static void test_no_keys_and_no_release(void **state) {
        static const char *const none[] = { NULL };
        _cleanup_(strv_freep) char **problems = NULL;
        Distro distro = distro_fedora;
        char release[] = "../evil";
        const Config config = { .release = release };

        distro.key_files = none;
        assert_int_equal(package_manager_dnf.check(&config, &distro, &problems), 0);
        assert_true(has(problems, "it is a number, or rawhide"));
        assert_true(has(problems, "There are no keys that Fedora \"../evil\" is signed by"));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                unit_test_in_directory(test_all_problems_at_once),
                cmocka_unit_test(test_no_keys_and_no_release),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
