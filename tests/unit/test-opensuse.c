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
#include "distro/zypper-config.h"

static void test_architectures(void **state) {
        for (unsigned i = 0; i < ARCHITECTURE_MAX; i++) {
                assert_non_null(distro_opensuse.architectures[i]);
                assert_non_null(distro_opensuse.kernel_packages[i]);
                assert_int_equal(!distro_opensuse.zypper->ports[i], i == ARCHITECTURE_X86_64);
        }
}

/* Every layout has a repository that is used by default, and no identifier twice. */
static void test_repositories(void **state) {
        const ZypperRepository *repositories = distro_opensuse.zypper->repositories;

        for (unsigned layout = 0; layout < ZYPPER_LAYOUT_MAX; layout++) {
                bool found = false;

                for (size_t i = 0; repositories[i].id; i++) {
                        if (repositories[i].layout != layout)
                                continue;
                        found = found || (text_equal(repositories[i].id, "oss") && !repositories[i].optional);
                        assert_true(text_ends_with(repositories[i].path, "/"));
                        for (size_t j = 0; j < i; j++)
                                assert_false(repositories[j].layout == layout &&
                                             text_equal(repositories[i].id, repositories[j].id));
                }
                assert_true(found);
        }
}

static void test_kernels(void **state) {
        for (size_t i = 0; distro_opensuse.kernel_names[i]; i++)
                assert_non_null(text_after_prefix(distro_opensuse.kernel_names[i], "kernel-"));
        assert_false(strv_contains(distro_opensuse.kernel_names, "kernel-firmware"));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_architectures),
                cmocka_unit_test(test_repositories),
                cmocka_unit_test(test_kernels),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
