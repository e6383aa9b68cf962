/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/strv.h"
#include "base/text.h"
#include "distro/arch.h"
#include "distro/pacman-conf.h"

static void test_row(void **state) {
        assert_string_equal(distro_arch.architectures[ARCHITECTURE_X86_64], "x86_64");
        for (unsigned i = 0; i < ARCHITECTURE_MAX; i++)
                assert_int_equal(distro_arch.architectures[i] != NULL,
                                 distro_arch.kernel_packages[i] != NULL);
        assert_true(strv_contains(distro_arch.boot_packages, "dracut"));
        for (size_t i = 0; distro_arch.pacman->repositories[i]; i++)
                assert_true(pacman_repository_is_valid(distro_arch.pacman->repositories[i]));
        assert_non_null(text_after_prefix(distro_arch.pacman->mirror, "https://"));
        assert_non_null(strstr(distro_arch.pacman->layout, "$repo"));
}

static void expect(const char *wanted, const char *expected) {
        _cleanup_(strv_freep) char **wanted_list = NULL, **packages = NULL;
        _cleanup_(freep) char *text = NULL;

        assert_int_equal(strv_split(wanted, " ", &wanted_list), 0);
        const Config config = { .bootable = true, .packages = wanted_list, .encrypt = ENCRYPT_ALL };

        assert_int_equal(distro_packages(&distro_arch, &config, &packages), 0);
        assert_int_equal(strv_join(STRV(packages), " ", &text), 0);
        assert_string_equal(text, expected);
}

/* Another kernel takes the place of the usual one; what only has a name like one does not. */
static void test_kernels(void **state) {
        expect("", "base linux e2fsprogs dracut kmod systemd cryptsetup");
        expect("linux-lts", "base e2fsprogs dracut kmod systemd cryptsetup linux-lts");
        expect("linux-firmware", "base linux e2fsprogs dracut kmod systemd cryptsetup linux-firmware");
        expect("linux", "base linux e2fsprogs dracut kmod systemd cryptsetup");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_row),
                cmocka_unit_test(test_kernels),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
