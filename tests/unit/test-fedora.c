/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/strv.h"
#include "base/text.h"
#include "distro/dnf-config.h"
#include "distro/dnf.h"
#include "distro/fedora.h"

static void test_rows(void **state) {
        const Distro *const distros[] = { &distro_fedora, &distro_centos, &distro_alma, &distro_rocky,
                                          &distro_mageia };

        for (size_t i = 0; i < ELEMENTSOF(distros); i++) {
                assert_ptr_equal(distros[i]->manager, &package_manager_dnf);
                assert_non_null(distros[i]->architectures[ARCHITECTURE_X86_64]);
                assert_non_null(distros[i]->kernel_packages[ARCHITECTURE_X86_64]);
                assert_true(strv_contains(distros[i]->boot_packages, "dracut"));
                for (const DnfRepository *repository = distros[i]->dnf->repositories; repository->id;
                     repository++) {
                        assert_true(text_after_prefix(repository->mirrors, "metalink=https://") ||
                                    text_after_prefix(repository->mirrors, "mirrorlist=https://"));
                        assert_true(text_ends_with(repository->path, "/"));
                }
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_rows),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
