/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "base/path.h"
#include "base/text.h"
#include "base/tree.h"
#include "sandbox/binfmt.h"

#define MACHINE_ARM64   183
#define MACHINE_RISCV64 243

#define KERNEL "proc/sys/fs/binfmt_misc/"
#define FILES  "usr/lib/binfmt.d/"
#define LINE(name, machine, flags)                                                                                    \
        ":" name                                                                                                      \
        ":M::\\x7f\\x45\\x4cF\\x02\\x01\\x01\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x02\\x00\\x" machine       \
        "\\x00:\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\x00\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\xfe\\xff\\xff\\xff:" \
        "/usr/bin/qemu-" name ":" flags
#define KERNEL_TEXT(state, flags, offset, size)                               \
        state "\ninterpreter /usr/bin/qemu\nflags: " flags "\noffset " offset \
              "\nmagic 7f454c460201010000000000000000000200" size             \
              "\nmask ffffffffffffff00fffffffffffffffffeff" /* two bytes to come */

static const BinfmtProgram arm64 = { 64, MACHINE_ARM64 };

static char root[64];

static int setup(void **state) {
        (void)snprintf(root, sizeof(root), "/var/tmp/test-binfmt-XXXXXX");
        assert_non_null(mkdtemp(root));
        return 0;
}

static int teardown(void **state) {
        return tree_remove(AT_FDCWD, root);
}

static void put(const char *name, const char *text, mode_t mode) {
        _cleanup_(freep) char *path = NULL, *parent = NULL;

        assert_int_equal(path_join(root, name, &path), 0);
        assert_int_equal(path_parent(path, &parent), 0);
        assert_int_equal(path_make_directories(AT_FDCWD, parent, 0755), 0);
        assert_int_equal(file_write_text(AT_FDCWD, path, text, mode), 0);
}

static void put_interpreter(const char *name) {
        put(name, "", 0755);
}

static void assert_found(const BinfmtProgram *program, BinfmtSource source, const char *file) {
        Binfmt binfmt = {};

        assert_int_equal(binfmt_find(root, program, &binfmt), 0);
        assert_int_equal(binfmt.source, source);
        if (source != BINFMT_NONE)
                assert_true(text_ends_with(binfmt.file, file));
        assert_int_equal(binfmt.registration != NULL, source == BINFMT_FILE);
        binfmt_done(&binfmt);
}

static void test_none(void **state) {
        assert_found(&arm64, BINFMT_NONE, NULL);
        put(FILES "python.conf", ":python3.11:M::\\xa7\\x0d\\x0d\\x0a::/usr/bin/python3.11:\n", 0644);
        put_interpreter("usr/bin/python3.11");
        assert_found(&arm64, BINFMT_NONE, NULL);
}

static void test_kernel(void **state) {
        put(KERNEL "status", "enabled\n", 0644);
        put(KERNEL "a-disabled", KERNEL_TEXT("disabled", "POF", "0", "b700") "ffff\n", 0644);
        put(KERNEL "b-closed", KERNEL_TEXT("enabled", "PO", "0", "b700") "ffff\n", 0644);
        put(KERNEL "c-elsewhere", KERNEL_TEXT("enabled", "POF", "4", "b700") "ffff\n", 0644);
        put(KERNEL "d-other-machine", KERNEL_TEXT("enabled", "POF", "0", "f300") "ffff\n", 0644);
        put(KERNEL "e-every-machine", KERNEL_TEXT("enabled", "POF", "0", "b700") "0000\n", 0644);
        put(KERNEL "f-extension", "enabled\ninterpreter /bin/x\nflags: F\nextension .x\n", 0644);
        assert_found(&arm64, BINFMT_NONE, NULL);
        put(KERNEL "g-good", KERNEL_TEXT("enabled", "POF", "0", "b700") "ffff\n", 0644);
        assert_found(&arm64, BINFMT_KERNEL, "/g-good");
        assert_found(&(BinfmtProgram){ 64, MACHINE_RISCV64 }, BINFMT_KERNEL, "/d-other-machine");
        assert_found(&(BinfmtProgram){ 32, MACHINE_ARM64 }, BINFMT_NONE, NULL);
        put(KERNEL "status", "disabled\n", 0644);
        assert_found(&arm64, BINFMT_NONE, NULL);
}

static void test_file(void **state) {
        Binfmt binfmt = {};

        put(FILES "arm64.conf", "# a comment\n; another\n  " LINE("aarch64", "b7", "OPF") "  \n", 0644);
        assert_found(&arm64, BINFMT_NONE, NULL); /* without its interpreter */
        put_interpreter("usr/bin/qemu-aarch64");
        assert_int_equal(binfmt_find(root, &arm64, &binfmt), 0);
        assert_int_equal(binfmt.source, BINFMT_FILE);
        assert_string_equal(binfmt.registration, LINE("aarch64", "b7", "OPF"));
        binfmt_done(&binfmt);

        /* The kernel's own list comes first. */
        put(KERNEL "qemu-aarch64", KERNEL_TEXT("enabled", "POF", "0", "b700") "ffff\n", 0644);
        assert_found(&arm64, BINFMT_KERNEL, "/qemu-aarch64");
}

static void test_refused_files(void **state) {
        put_interpreter("usr/bin/qemu-aarch64");
        put(FILES "a.conf", LINE("aarch64", "b7", "OP") "\n", 0644);
        put(FILES "b.conf", ":short:M::\\x7f\n:odd:M::\\x7:::F\n:e:E::x::/usr/bin/qemu-aarch64:F\n", 0644);
        put(FILES "c.conf", ":all:M::\\x7fELF::/usr/bin/qemu-aarch64:F\n\n::::::::\n", 0644);
        put(FILES "d.config", LINE("aarch64", "b7", "OPF") "\n", 0644);
        assert_found(&arm64, BINFMT_NONE, NULL);
}

static void test_hidden_file(void **state) {
        put_interpreter("usr/bin/qemu-aarch64");
        put(FILES "arm64.conf", LINE("aarch64", "b7", "OPF") "\n", 0644);
        assert_found(&arm64, BINFMT_FILE, "/usr/lib/binfmt.d/arm64.conf");
        put("etc/binfmt.d/arm64.conf", "", 0644);
        assert_found(&arm64, BINFMT_NONE, NULL);
        put("etc/binfmt.d/arm64.conf", LINE("aarch64", "b7", "F") "\n", 0644);
        assert_found(&arm64, BINFMT_FILE, "/etc/binfmt.d/arm64.conf");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_none, setup, teardown),
                cmocka_unit_test_setup_teardown(test_kernel, setup, teardown),
                cmocka_unit_test_setup_teardown(test_file, setup, teardown),
                cmocka_unit_test_setup_teardown(test_refused_files, setup, teardown),
                cmocka_unit_test_setup_teardown(test_hidden_file, setup, teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
