/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/strv.h"
#include "run/qemu.h"

#define MEMORY_SIZE_DEFAULT (2 * GIB)
#define PROCESSORS_DEFAULT  2
#define PROCESSORS_EMULATED 1 /* more than one races in emulators of 2022, and makes nothing faster */

/* Five-level paging costs time where it is emulated, and nested virtual machines are of no use there. */
#define PROCESSOR_X86 "max,-la57,-svm"

/* clang-format off */
static const QemuTarget targets[] = {
        [ARCHITECTURE_X86_64] = {
                { "x86_64", "pc-q35-0" }, "qemu-system-x86_64", "q35", PROCESSOR_X86, "ttyS0", true,
                "qemu-system-x86, or on openSUSE qemu-x86",
                "ovmf, or on Fedora and Arch edk2-ovmf, or on openSUSE qemu-ovmf-x86_64" },
        [ARCHITECTURE_X86] = {
                { "i386", "pc-q35-0" }, "qemu-system-i386", "q35", PROCESSOR_X86, "ttyS0", true,
                "qemu-system-x86, or on openSUSE qemu-x86",
                "ovmf-ia32, or on Fedora edk2-ovmf-ia32, or on Arch edk2-ovmf, or on openSUSE qemu-ovmf-ia32" },
        [ARCHITECTURE_ARM64] = {
                { "aarch64", "virt-0" }, "qemu-system-aarch64", "virt", "max", "ttyAMA0", true,
                "qemu-system-arm, or on Fedora and Arch qemu-system-aarch64, or on openSUSE qemu-arm",
                "qemu-efi-aarch64, or on Fedora and Arch edk2-aarch64, or on openSUSE qemu-uefi-aarch64" },
        [ARCHITECTURE_ARM] = {
                { "arm", "virt-0" }, "qemu-system-arm", "virt", "max", "ttyAMA0", true,
                "qemu-system-arm, or on openSUSE qemu-arm",
                "qemu-efi-arm, or on Fedora and Arch edk2-arm, or on openSUSE qemu-uefi-aarch32" },
        [ARCHITECTURE_RISCV64] = {
                { "riscv64", "virt-0" }, "qemu-system-riscv64", "virt", "max", "ttyS0", false,
                "qemu-system-misc, or on Fedora and Arch qemu-system-riscv, or on openSUSE qemu-extra",
                "qemu-efi-riscv64, or on Fedora edk2-riscv64" },
};
/* clang-format on */
static_assert(ELEMENTSOF(targets) == ARCHITECTURE_MAX, "An architecture has no target");

const QemuTarget *qemu_target_find(unsigned architecture) {
        assert(architecture < ARCHITECTURE_MAX);
        return &targets[architecture];
}

/* Within the value of an option, a comma in a file name is two. */
static int double_commas(const char *path, char **ret) {
        char *text = calloc(2, strlen(path) + 1), *to = text;

        if (!text)
                return -ENOMEM;
        for (; *path; path++) {
                *to++ = *path;
                if (*path == ',')
                        *to++ = ',';
        }
        *ret = text;
        return 0;
}

static int append_option(char ***command, const char *option, const char *format, ...) _printf_(3, 4);
static int append_option(char ***command, const char *option, const char *format, ...) {
        char *text = NULL;
        va_list arguments;

        int r = strv_append(command, option);
        if (r < 0)
                return r;
        va_start(arguments, format);
        r = vasprintf(&text, format, arguments);
        va_end(arguments);
        return r < 0 ? -ENOMEM : strv_take(command, text);
}

static int append_processor(char ***command, const QemuMachine *machine) {
        const unsigned usual = machine->kvm ? PROCESSORS_DEFAULT : PROCESSORS_EMULATED;
        const uint64_t memory_size = machine->memory_size > 0 ? machine->memory_size : MEMORY_SIZE_DEFAULT;

        int r = append_option(command, "-machine", "%s%s", machine->target->machine,
                              machine->firmware->requires_smm ? ",smm=on" : "");
        if (r >= 0)
                r = append_option(command, "-accel", "%s", machine->kvm ? "kvm" : "tcg");
        if (r >= 0)
                r = append_option(command, "-cpu", "%s",
                                  machine->kvm ? "host" : machine->target->emulated_processor);
        if (r >= 0)
                r = append_option(command, "-smp", "%u",
                                  machine->n_processors > 0 ? machine->n_processors : usual);
        if (r >= 0)
                r = append_option(command, "-m", "%" PRIu64 "M", divide_round_up(memory_size, MIB));
        return r;
}

/* The variables have no name but that of their descriptor. Where there is system management mode, nothing
 * but the firmware may write to them, and suspending to memory would leave it out. */
static int append_firmware(char ***command, const QemuMachine *machine) {
        static const char *const guarded[] = { "-global", "driver=cfi.pflash01,property=secure,value=on",
                                               "-global", "ICH9-LPC.disable_s3=1", NULL };
        const Firmware *firmware = machine->firmware;
        _cleanup_(freep) char *path = NULL;

        int r = double_commas(firmware->code.path, &path);
        if (r >= 0)
                r = append_option(command, "-drive", "if=pflash,unit=0,readonly=on,format=%s,file=%s",
                                  firmware->code.format, path);
        if (r >= 0)
                r = append_option(command, "-drive", "if=pflash,unit=1,format=%s,file=/proc/self/fd/%d",
                                  firmware->variables.format, machine->variables_fd);
        if (r >= 0 && firmware->requires_smm)
                r = strv_extend(command, guarded);
        return r;
}

static int append_disk(char ***command, const QemuMachine *machine) {
        _cleanup_(freep) char *path = NULL;

        int r = double_commas(machine->image, &path);
        if (r >= 0)
                r = append_option(command, "-drive", "if=none,id=disk,format=%s,snapshot=%s,file=%s",
                                  machine->image_format, machine->persistent ? "off" : "on", path);
        if (r >= 0)
                r = append_option(command, "-device", "virtio-blk-pci,drive=disk,bootindex=1");
        return r;
}

int qemu_command(const QemuMachine *machine, const char *program, char ***ret) {
        static const char *const bare[] = { "-nodefaults", "-no-user-config", "-display", "none", NULL };
        static const char *const devices[] = { "-serial", "mon:stdio",
                                               "-device", "virtio-rng-pci",
                                               "-netdev", "user,id=network",
                                               "-device", "virtio-net-pci,netdev=network",
                                               NULL };
        _cleanup_(strv_freep) char **command = NULL;

        assert(machine && program && ret);

        int r = strv_append(&command, program);
        if (r >= 0)
                r = strv_extend(&command, bare);
        if (r >= 0)
                r = append_processor(&command, machine);
        if (r >= 0)
                r = append_firmware(&command, machine);
        if (r >= 0)
                r = strv_extend(&command, devices);
        if (r >= 0)
                r = append_disk(&command, machine);
        if (r >= 0 && machine->tell_console && machine->target->has_smbios)
                r = append_option(&command, "-smbios",
                                  "type=11,value=io.systemd.stub.kernel-cmdline-extra=console=%s",
                                  machine->target->console);
        if (r >= 0)
                r = strv_extend(&command, machine->words);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(command);
        return 0;
}
