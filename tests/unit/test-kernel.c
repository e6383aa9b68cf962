/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/fd.h"
#include "base/path.h"
#include "base/strv.h"
#include "image/kernel.h"
#include "temporary-directory.h"

static void test_versions(void **state) {
        _cleanup_(strv_freep) char **none = NULL, **versions = NULL;
        _cleanup_(fd_closep) int root = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);

        assert_int_equal(kernel_versions(root, &none), 0);
        assert_null(none);

        /* One kernel in each place, modules without a kernel, and something else. */
        assert_int_equal(path_make_directories(AT_FDCWD, "boot", 0755), 0);
        assert_int_equal(path_make_directories(AT_FDCWD, "usr/lib/modules/6.12.1", 0755), 0);
        assert_int_equal(path_make_directories(AT_FDCWD, "usr/lib/modules/6.1.0", 0755), 0);
        assert_int_equal(path_make_directories(AT_FDCWD, "usr/lib/modules/5.10.0", 0755), 0);
        assert_int_equal(path_make_directories(AT_FDCWD, "usr/lib/modules/extra", 0755), 0);
        assert_int_equal(file_write_text(AT_FDCWD, "boot/vmlinuz-6.1.0", "old", 0644), 0);
        assert_int_equal(file_write_text(AT_FDCWD, "usr/lib/modules/6.12.1/vmlinuz", "new", 0644), 0);
        assert_int_equal(kernel_versions(root, &versions), 0);
        assert_true(strv_equal(STRV(versions), (const char *const[]){ "6.1.0", "6.12.1", NULL }));
        assert_int_equal(kernel_open(root, "5.10.0"), -ENOENT);
}

static void test_modules(void **state) {
        static const struct {
                const char *module;
                int r;
        } cases[] = { { "nvme", 1 },   { "virtio_blk", 1 }, { "nvme-core", 1 },
                      { "virtio", 0 }, { "ahci", 0 },       { "", 0 } };
        _cleanup_(fd_closep) int root = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);

        assert_int_equal(kernel_has_module(root, "6.1.0", "nvme"), -ENOENT);
        assert_int_equal(path_make_directories(AT_FDCWD, "usr/lib/modules/6.1.0", 0755), 0);
        assert_int_equal(
                file_write_text(AT_FDCWD, "usr/lib/modules/6.1.0/modules.dep",
                                "kernel/drivers/nvme/nvme.ko: kernel/drivers/nvme/nvme-core.ko\n"
                                "kernel/drivers/nvme/nvme-core.ko:\n"
                                "kernel/drivers/block/virtio_blk.ko.xz: kernel/drivers/ata/ahci.ko\n",
                                0644),
                0);
        for (size_t i = 0; i < ELEMENTSOF(cases); i++)
                assert_int_equal(kernel_has_module(root, "6.1.0", cases[i].module), cases[i].r);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                unit_test_in_directory(test_versions),
                unit_test_in_directory(test_modules),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
