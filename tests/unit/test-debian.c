/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/strv.h"
#include "base/text.h"
#include "distro/apt-sources.h"
#include "distro/debian.h"

static void test_architectures(void **state) {
        for (unsigned i = 0; i < ARCHITECTURE_MAX; i++) {
                assert_non_null(distro_debian.architectures[i]);
                assert_non_null(distro_debian.kernel_packages[i]);
                assert_non_null(
                        text_after_prefix(distro_debian.kernel_packages[i], distro_debian.kernel_prefix));
        }
}

static void test_releases(void **state) {
        for (const DistroRelease *release = distro_debian.releases; release->name; release++) {
                assert_true(apt_suite_is_valid(release->name));
                if (release->boot_packages) {
                        assert_true(strv_contains(release->boot_packages, "dracut"));
                        assert_false(strv_contains(release->boot_packages, "systemd-boot"));
                }
                assert_true(strv_contains(release->encrypt_packages, "cryptsetup-bin"));
                assert_false(strv_contains(release->encrypt_packages, "systemd-cryptsetup"));
                assert_int_equal(strv_length(release->verity_packages), 0);
        }
        assert_true(strv_contains(distro_debian.boot_packages, "systemd-boot"));
        assert_true(strv_contains(distro_debian.encrypt_packages, "systemd-cryptsetup"));
        assert_true(strv_contains(distro_debian.verity_packages, "systemd-cryptsetup"));
}

static void test_archive(void **state) {
        const AptArchive *archive = distro_debian.apt;

        assert_true(text_ends_with(archive->mirror, archive->mirror_directory));
        assert_true(text_ends_with(archive->security_mirror, archive->security_directory));
        assert_non_null(strstr(archive->mirror, archive->mirror_domain));
        assert_true(strv_contains(archive->rolling, "sid"));
        assert_string_equal(archive->key_ring, distro_debian.key_files[0]);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_architectures),
                cmocka_unit_test(test_releases),
                cmocka_unit_test(test_archive),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
