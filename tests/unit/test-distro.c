/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/strv.h"
#include "base/text.h"
#include "distro/distro.h"

static void test_rows(void **state) {
        size_t n_distros = 0;

        for (unsigned i = 0; i < DISTRIBUTION_MAX; i++) {
                const Distro *distro = distro_find(i);

                if (!distro)
                        continue;
                n_distros++;
                assert_string_equal(distro->name, distribution_words[i]);
                assert_false(text_is_empty(distro->title));
                assert_non_null(distro->manager->check);
                assert_true(strv_length(distro->key_files) > 0);
                assert_false(text_is_empty(distro->key_package));
                assert_int_equal(text_is_empty(distro->keys_at), distro->manager->key_form == KEY_FORM_RING);
                assert_non_null(distro->manager->bootstrap);
                assert_non_null(distro->manager->install);
                assert_non_null(distro->manager->clean);
                assert_true(strv_length(distro->base_packages) > 0);
                assert_true(strv_length(distro->boot_packages) > 0);
        }
        assert_true(n_distros > 0);
        assert_null(distro_find(DISTRIBUTION_MAX));
        assert_null(distro_find(DISTRIBUTION_CLEAR));
}

static void test_packages(void **state) {
        static const struct {
                const char *release;
                bool bootable;
                unsigned architecture, format;
                const char *packages, *expected;
                unsigned encrypt;
                bool verity;
        } cases[] = {
                { "bookworm", false, ARCHITECTURE_X86_64, OUTPUT_FORMAT_GPT_EXT4, "vim dbus vim",
                  "systemd-sysv dbus libpam-systemd vim" },
                { "bookworm", true, ARCHITECTURE_X86_64, OUTPUT_FORMAT_GPT_EXT4, "",
                  "systemd-sysv dbus libpam-systemd linux-image-amd64 e2fsprogs dracut kmod udev systemd-boot systemd-boot-efi" },
                { "trixie", true, ARCHITECTURE_ARM64, OUTPUT_FORMAT_GPT_BTRFS, "",
                  "systemd-sysv dbus libpam-systemd linux-image-arm64 btrfs-progs dracut kmod udev systemd-boot systemd-boot-efi" },
                { "bullseye", true, ARCHITECTURE_X86_64, OUTPUT_FORMAT_GPT_SQUASHFS, "",
                  "systemd-sysv dbus libpam-systemd linux-image-amd64 dracut kmod udev systemd" },
                { "bookworm", true, ARCHITECTURE_X86_64, OUTPUT_FORMAT_GPT_EXT4, "linux-image-cloud-amd64",
                  "systemd-sysv dbus libpam-systemd e2fsprogs dracut kmod udev systemd-boot systemd-boot-efi linux-image-cloud-amd64" },
                { "bookworm", true, ARCHITECTURE_X86_64, OUTPUT_FORMAT_GPT_SQUASHFS, "",
                  "systemd-sysv dbus libpam-systemd linux-image-amd64 dracut kmod udev systemd-boot systemd-boot-efi "
                  "cryptsetup-bin",
                  ENCRYPT_ALL },
                { "trixie", true, ARCHITECTURE_X86_64, OUTPUT_FORMAT_GPT_SQUASHFS, "",
                  "systemd-sysv dbus libpam-systemd linux-image-amd64 dracut kmod udev systemd-boot systemd-boot-efi "
                  "cryptsetup-bin systemd-cryptsetup",
                  ENCRYPT_DATA },
                { "bookworm", true, ARCHITECTURE_X86_64, OUTPUT_FORMAT_GPT_SQUASHFS, "",
                  "systemd-sysv dbus libpam-systemd linux-image-amd64 dracut kmod udev systemd-boot systemd-boot-efi",
                  ENCRYPT_OFF, true },
                { "trixie", true, ARCHITECTURE_X86_64, OUTPUT_FORMAT_GPT_SQUASHFS, "",
                  "systemd-sysv dbus libpam-systemd linux-image-amd64 dracut kmod udev systemd-boot systemd-boot-efi "
                  "systemd-cryptsetup",
                  ENCRYPT_OFF, true },
                /* What does not boot opens nothing. */
                { "trixie", false, ARCHITECTURE_X86_64, OUTPUT_FORMAT_GPT_EXT4, "",
                  "systemd-sysv dbus libpam-systemd", ENCRYPT_ALL, true },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(strv_freep) char **packages = NULL, **wanted = NULL;
                _cleanup_(freep) char *text = NULL, *release = NULL;

                assert_int_equal(strv_split(cases[i].packages, " ", &wanted), 0);
                assert_int_equal(text_copy(cases[i].release, &release), 0);
                const Config config = {
                        .release = release,
                        .bootable = cases[i].bootable,
                        .architecture = cases[i].architecture,
                        .format = cases[i].format,
                        .encrypt = cases[i].encrypt,
                        .verity = cases[i].verity,
                        .packages = wanted,
                };

                assert_int_equal(distro_packages(distro_find(DISTRIBUTION_DEBIAN), &config, &packages), 0);
                assert_int_equal(strv_join(STRV(packages), " ", &text), 0);
                assert_string_equal(text, cases[i].expected);
        }
}

static void test_kernels_that_replace_the_usual_one(void **state) {
        static const struct {
                unsigned distribution;
                const char *package;
                bool replaces;
        } cases[] = {
                { DISTRIBUTION_DEBIAN, "linux-image-rt-amd64", true },
                { DISTRIBUTION_UBUNTU, "linux-image-virtual", true },
                { DISTRIBUTION_UBUNTU, "linux-virtual", true },
                { DISTRIBUTION_UBUNTU, "linux-firmware", false },
                { DISTRIBUTION_UBUNTU, "linux-tools-generic", false },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                const Distro *distro = distro_find(cases[i].distribution);
                _cleanup_(strv_freep) char **packages = NULL, **wanted = NULL;

                assert_int_equal(strv_append(&wanted, cases[i].package), 0);
                const Config config = { .bootable = true, .packages = wanted };
                assert_int_equal(distro_packages(distro, &config, &packages), 0);
                assert_int_equal(strv_contains(STRV(packages), distro->kernel_packages[config.architecture]),
                                 !cases[i].replaces);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_rows),
                cmocka_unit_test(test_packages),
                cmocka_unit_test(test_kernels_that_replace_the_usual_one),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
