/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#include "base/fd.h"
#include "base/path.h"
#include "base/strv.h"
#include "base/text.h"
#include "base/tree.h"
#include "config/foreign.h"

#define KERNEL_ENTRY                                                               \
        "enabled\ninterpreter /usr/bin/qemu-aarch64\nflags: POF\noffset 0\nmagic " \
        "7f454c460201010000000000000000000200b700\nmask ffffffffffffff00fffffffffffffffffeffffff\n"
#define FILE_ENTRY                                                                                                   \
        ":qemu-aarch64:M::\\x7fELF\\x02\\x01\\x01\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x02\\x00\\xb7\\x00:" \
        "\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\x00\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\xfe\\xff\\xff\\xff:"      \
        "/usr/bin/qemu-aarch64:OPF\n"

static char root[64];

static int setup(void **state) {
        (void)snprintf(root, sizeof(root), "/var/tmp/test-foreign-XXXXXX");
        assert_non_null(mkdtemp(root));
        return 0;
}

static int teardown(void **state) {
        return tree_remove(AT_FDCWD, root);
}

static void put(const char *name, const char *text) {
        _cleanup_(freep) char *path = NULL, *parent = NULL;

        assert_int_equal(path_join(root, name, &path), 0);
        assert_int_equal(path_parent(path, &parent), 0);
        assert_int_equal(path_make_directories(AT_FDCWD, parent, 0755), 0);
        assert_int_equal(file_write_text(AT_FDCWD, path, text, 0755), 0);
}

static void test_native(void **state) {
        static const struct {
                Architecture architecture;
                const char *machine;
                bool native;
        } cases[] = {
                { ARCHITECTURE_X86_64, "x86_64", true },   { ARCHITECTURE_X86, "x86_64", true },
                { ARCHITECTURE_X86, "i686", true },        { ARCHITECTURE_X86_64, "i686", false },
                { ARCHITECTURE_ARM64, "aarch64", true },   { ARCHITECTURE_ARM64, "x86_64", false },
                { ARCHITECTURE_ARM, "armv7l", true },      { ARCHITECTURE_ARM64, "armv7l", false },
                { ARCHITECTURE_RISCV64, "riscv64", true }, { ARCHITECTURE_RISCV64, "", false },
        };
        struct utsname name;
        bool found = false;

        for (size_t i = 0; i < ELEMENTSOF(cases); i++)
                assert_int_equal(foreign_is_native(cases[i].architecture, cases[i].machine), cases[i].native);
        assert_int_equal(uname(&name), 0);
        for (Architecture i = 0; i < ARCHITECTURE_MAX; i++) {
                _cleanup_(freep) char *registration = NULL;

                if (!foreign_is_native(i, name.machine))
                        continue;
                found = true;
                assert_int_equal(foreign_registration(i, &registration), 0);
                assert_null(registration);
        }
        assert_true(found);
}

static char *problem_of(Architecture architecture) {
        const ForeignHost host = { .root = root, .machine = "x86_64" };
        _cleanup_(strv_freep) char **problems = NULL;
        char *text;

        assert_int_equal(foreign_check_for(architecture, &host, &problems), 0);
        assert_int_equal(strv_join(STRV(problems), "\n", &text), 0);
        return text;
}

/* Each host is told of the package that it has. */
static void test_packages(void **state) {
        static const struct {
                const char *os_release, *package;
        } hosts[] = {
                { "ID=debian\n",
                  ": install package qemu-user-static (from Debian 13 on qemu-user-binfmt); " },
                { "ID=fedora\n", ": install package qemu-user-static-aarch64; " },
                { "ID=arch\n", ": install package qemu-user-static-binfmt; " },
                { "ID=opensuse-tumbleweed\n", ": install package qemu-linux-user; " },
                { "ID=manjaro\nID_LIKE=arch\n", ": install package qemu-user-static-binfmt; " },
                { "ID=sles\nID_LIKE=\"suse opensuse\"\n", ": install package qemu-linux-user; " },
                { "ID=ubuntu\nID_LIKE=debian\n", ": install package qemu-user-static (" },
                { "NAME=Nothing\n", ": install package qemu-user-static " },
        };

        for (size_t i = 0; i < ELEMENTSOF(hosts); i++) {
                put("etc/os-release", hosts[i].os_release);
                _cleanup_(freep) char *text = problem_of(ARCHITECTURE_ARM64);
                assert_non_null(text_after_prefix(
                        text, "Programs for Architecture=arm64 do not run on this machine (x86_64), "));
                assert_non_null(strstr(text, hosts[i].package));
        }
        _cleanup_(freep) char *native = problem_of(ARCHITECTURE_X86);
        assert_string_equal(native, "");
}

static void test_registered(void **state) {
        put("proc/sys/fs/binfmt_misc/qemu-aarch64", KERNEL_ENTRY);
        _cleanup_(freep) char *arm64 = problem_of(ARCHITECTURE_ARM64);
        assert_string_equal(arm64, "");
        _cleanup_(freep) char *riscv = problem_of(ARCHITECTURE_RISCV64);
        assert_non_null(strstr(riscv, "Architecture=riscv64"));
}

static void test_file(void **state) {
        put("usr/lib/binfmt.d/qemu.conf", FILE_ENTRY);
        _cleanup_(freep) char *missing = problem_of(ARCHITECTURE_ARM64);
        assert_non_null(strstr(missing, "install package"));
        put("usr/bin/qemu-aarch64", "");
        _cleanup_(freep) char *there = problem_of(ARCHITECTURE_ARM64);
        assert_string_equal(there, "");
}

/* Others than our sandboxes have what the kernel knows. */
static void test_program(void **state) {
        const ForeignHost host = { .root = root, .machine = "x86_64", .program = "systemd-nspawn" };
        _cleanup_(strv_freep) char **problems = NULL, **registered = NULL;

        put("usr/lib/binfmt.d/qemu.conf", FILE_ENTRY);
        put("usr/bin/qemu-aarch64", "");
        assert_int_equal(foreign_check_for(ARCHITECTURE_X86, &host, &problems), 0);
        assert_null(problems);
        assert_int_equal(foreign_check_for(ARCHITECTURE_ARM64, &host, &problems), 0);
        assert_int_equal(strv_length(STRV(problems)), 1);
        assert_non_null(strstr(problems[0], "do not run in systemd-nspawn on this machine (x86_64)"));
        put("proc/sys/fs/binfmt_misc/qemu-aarch64", KERNEL_ENTRY);
        assert_int_equal(foreign_check_for(ARCHITECTURE_ARM64, &host, &registered), 0);
        assert_null(registered);
}

/* It is there, and this kernel, or whoever we are, cannot have it for one sandbox only: this interpreter is none. */
static void test_refused(void **state) {
        const ForeignHost host = { .root = root, .machine = "x86_64", .try_it = true };
        _cleanup_(strv_freep) char **problems = NULL;

        put("usr/lib/binfmt.d/qemu.conf",
            ":qemu-aarch64:M::\\x7fELF\\x02\\x01\\x01\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00"
            "\\x00\\x02\\x00\\xb7\\x00:\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\x00\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\xfe"
            "\\xff\\xff\\xff:/no/such/interpreter:F\n");
        put("no/such/interpreter", "");
        assert_int_equal(foreign_check_for(ARCHITECTURE_ARM64, &host, &problems), 0);
        assert_int_equal(strv_length(STRV(problems)), 1);
        assert_non_null(
                strstr(problems[0], "usr/lib/binfmt.d/qemu.conf cannot be used for this build alone: "));
        assert_non_null(strstr(problems[0], "systemctl restart systemd-binfmt"));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_native, setup, teardown),
                cmocka_unit_test_setup_teardown(test_packages, setup, teardown),
                cmocka_unit_test_setup_teardown(test_registered, setup, teardown),
                cmocka_unit_test_setup_teardown(test_file, setup, teardown),
                cmocka_unit_test_setup_teardown(test_program, setup, teardown),
                cmocka_unit_test_setup_teardown(test_refused, setup, teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
