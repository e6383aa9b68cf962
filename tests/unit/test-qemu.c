/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/strv.h"
#include "run/qemu.h"

static Firmware plain = {
        .code = { .path = (char[]){ "/fw/code.fd" }, .format = (char[]){ "raw" } },
        .variables = { .path = (char[]){ "/fw/vars.fd" }, .format = (char[]){ "raw" } },
};
static Firmware secure = {
        .code = { .path = (char[]){ "/fw/secure,code" }, .format = (char[]){ "qcow2" } },
        .variables = { .path = (char[]){ "/fw/vars" }, .format = (char[]){ "qcow2" } },
        .secure_boot = true,
        .requires_smm = true,
};

static void assert_command(const QemuMachine *machine, const char *expected) {
        _cleanup_(strv_freep) char **command = NULL;
        _cleanup_(freep) char *text = NULL;

        assert_int_equal(qemu_command(machine, "/bin/qemu", &command), 0);
        assert_int_equal(strv_join(STRV(command), " ", &text), 0);
        assert_string_equal(text, expected);
}

#define BEGIN "/bin/qemu -nodefaults -no-user-config -display none "
#define DEVICES \
        "-serial mon:stdio -device virtio-rng-pci -netdev user,id=network -device virtio-net-pci,netdev=network "
#define PLAIN                                                              \
        "-drive if=pflash,unit=0,readonly=on,format=raw,file=/fw/code.fd " \
        "-drive if=pflash,unit=1,format=raw,file=/proc/self/fd/7 "
#define DISK " -device virtio-blk-pci,drive=disk,bootindex=1"

static void test_command(void **state) {
        static const char *const words[] = { "-m", "4G", "-snapshot", NULL };
        QemuMachine machine = {
                .target = qemu_target_find(ARCHITECTURE_X86_64),
                .firmware = &plain,
                .variables_fd = 7,
                .image = "/a, b/image.raw",
                .image_format = "raw",
        };

        assert_command(&machine,
                       BEGIN "-machine q35 -accel tcg -cpu max,-la57,-svm -smp 1 -m 2048M " PLAIN DEVICES
                             "-drive if=none,id=disk,format=raw,snapshot=on,file=/a,, b/image.raw" DISK);

        machine.kvm = true;
        machine.words = words;
        machine.tell_console = true;
        assert_command(&machine,
                       BEGIN "-machine q35 -accel kvm -cpu host -smp 2 -m 2048M " PLAIN DEVICES
                             "-drive if=none,id=disk,format=raw,snapshot=on,file=/a,, b/image.raw" DISK
                             " -smbios type=11,value=io.systemd.stub.kernel-cmdline-extra=console=ttyS0"
                             " -m 4G -snapshot");
}

static void test_secure_boot(void **state) {
        const QemuMachine machine = {
                .target = qemu_target_find(ARCHITECTURE_X86_64),
                .firmware = &secure,
                .variables_fd = 3,
                .image = "/image.qcow2",
                .image_format = "qcow2",
                .persistent = true,
                .n_processors = 3,
                .memory_size = 512 * MIB + 1,
        };

        assert_command(
                &machine, BEGIN
                "-machine q35,smm=on -accel tcg -cpu max,-la57,-svm -smp 3 -m 513M "
                "-drive if=pflash,unit=0,readonly=on,format=qcow2,file=/fw/secure,,code "
                "-drive if=pflash,unit=1,format=qcow2,file=/proc/self/fd/3 "
                "-global driver=cfi.pflash01,property=secure,value=on -global ICH9-LPC.disable_s3=1 " DEVICES
                "-drive if=none,id=disk,format=qcow2,snapshot=off,file=/image.qcow2" DISK);
}

static void test_targets(void **state) {
        for (unsigned architecture = 0; architecture < ARCHITECTURE_MAX; architecture++) {
                const QemuTarget *target = qemu_target_find(architecture);

                assert_true(target->program && target->machine && target->emulated_processor &&
                            target->console);
                assert_true(target->firmware.architecture && target->firmware.machine);
                assert_true(target->program_package && target->firmware_package);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_command),
                cmocka_unit_test(test_secure_boot),
                cmocka_unit_test(test_targets),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
