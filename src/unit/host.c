/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#if defined(__x86_64__) || defined(__i386__)
#include <cpuid.h>
#endif

#include "base/fd.h"
#include "base/os-release.h"
#include "base/strv.h"
#include "base/text.h"
#include "unit/host.h"

#define ID_SIZE_MAX   128
#define FILE_SIZE_MAX (64 * KIB)

/* What the kernel calls an architecture, and what units do. */
static const char *const architectures[][2] = {
        { "x86_64", "x86-64" },
        { "i686", "x86" },
        { "i586", "x86" },
        { "i486", "x86" },
        { "i386", "x86" },
        { "aarch64", "arm64" },
        { "armv8l", "arm" },
        { "armv7l", "arm" },
        { "armv6l", "arm" },
        { "ppc64", "ppc64" },
        { "ppc64le", "ppc64-le" },
        { "ppc", "ppc" },
        { "riscv64", "riscv64" },
        { "riscv32", "riscv32" },
        { "s390x", "s390x" },
        { "s390", "s390" },
        { "loongarch64", "loongarch64" },
        { "mips64", "mips64" },
        { "mips", "mips" },
};

int host_architecture(char **ret) {
        struct utsname name;

        if (uname(&name) < 0)
                return -errno;
        for (size_t i = 0; i < ELEMENTSOF(architectures); i++)
                if (text_equal(architectures[i][0], name.machine))
                        return text_copy(architectures[i][1], ret);
        return -ENODATA;
}

bool host_architecture_is_known(const char *name) {
        for (size_t i = 0; i < ELEMENTSOF(architectures); i++)
                if (text_equal(architectures[i][1], name))
                        return true;
        return false;
}

int host_name(char **ret) {
        struct utsname name;

        return uname(&name) < 0 ? -errno : text_copy(name.nodename, ret);
}

/* A file of one line with a hexadecimal number, with or without dashes, of which 32 digits are wanted. */
static int read_id(const char *path, char **ret) {
        _cleanup_(freep) char *text = NULL;
        char *to;

        const int r = file_read(AT_FDCWD, path, ID_SIZE_MAX, &text, NULL);
        if (r < 0)
                return r;
        to = text;
        for (const char *from = text; *from && *from != '\n'; from++)
                if (*from != '-')
                        *to++ = *from;
        *to = '\0';
        if (strlen(text) != 32 || strspn(text, "0123456789abcdef") != 32)
                return -EBADMSG;
        return text_copy(text, ret);
}

int host_machine_id(char **ret) {
        return read_id("/etc/machine-id", ret);
}

int host_boot_id(char **ret) {
        return read_id("/proc/sys/kernel/random/boot_id", ret);
}

int host_os_field(const char *name, char **ret) {
        const int r = os_release_field("/", name, ret);

        /* As os-release(5) has it. */
        return r == -ENODATA ? text_copy(text_equal(name, "ID") ? "linux" : "", ret) : r;
}

/* A line "NAME=VALUE" of a file as of a shell, as machine-info(5) is. */
static int find_line(const char *text, const char *name, char **ret) {
        _cleanup_(strv_freep) char **lines = NULL;

        int r = strv_split(text, "\n", &lines);
        for (char **line = lines; r >= 0 && line && *line; line++) {
                const char *const value = text_after_prefix(text_strip(*line), name);
                _cleanup_(strv_freep) char **words = NULL;

                if (!value || value[0] != '=')
                        continue;
                r = strv_split_quoted(value + 1, &words);
                if (r >= 0 && words && words[0])
                        return text_copy(words[0], ret);
        }
        return r == -ENOMEM ? r : -ENODATA;
}

int host_pretty_name(char **ret) {
        _cleanup_(freep) char *text = NULL;

        int r = file_read(AT_FDCWD, "/etc/machine-info", FILE_SIZE_MAX, &text, NULL);
        if (r >= 0)
                r = find_line(text, "PRETTY_HOSTNAME", ret);
        return r == -ENOMEM || r >= 0 ? r : host_name(ret);
}

/* A program that makes containers or machines: how it shows, and what it is called. */
typedef struct Sign {
        const char *text, *name;
} Sign;

static const char *find_sign(const Sign *signs, size_t n_signs, const char *text) {
        for (size_t i = 0; i < n_signs; i++)
                if (text_after_prefix(text, signs[i].text))
                        return signs[i].name;
        return NULL;
}

/* The first line of a file, or what is said in the environment of process 1: "container=NAME". */
static int read_container(char **ret) {
        static const char *const files[] = { "/run/host/container-manager", "/run/systemd/container" };
        _cleanup_(freep) char *text = NULL;
        size_t size;

        for (size_t i = 0; i < ELEMENTSOF(files); i++)
                if (file_read(AT_FDCWD, files[i], FILE_SIZE_MAX, &text, NULL) >= 0) {
                        text[strcspn(text, "\n")] = '\0';
                        *ret = TAKE_PTR(text);
                        return 0;
                }
        const int r = file_read(AT_FDCWD, "/proc/1/environ", FILE_SIZE_MAX, &text, &size);
        if (r < 0)
                return r;
        for (const char *item = text; item < text + size; item += strlen(item) + 1) {
                const char *const value = text_after_prefix(item, "container=");

                if (value)
                        return text_copy(value, ret);
        }
        return -ENODATA;
}

const char *host_container(void) {
        static const Sign names[] = {
                { "lxc", "lxc" },
                { "lxc-libvirt", "lxc-libvirt" },
                { "systemd-nspawn", "systemd-nspawn" },
                { "docker", "docker" },
                { "podman", "podman" },
                { "rkt", "rkt" },
                { "wsl", "wsl" },
                { "proot", "proot" },
                { "pouch", "pouch" },
        };
        static const Sign files[] = {
                { "/run/.containerenv", "podman" },
                { "/.dockerenv", "docker" },
                { "/proc/vz", "openvz" },
        };
        _cleanup_(freep) char *name = NULL;

        if (read_container(&name) >= 0 && name[0]) {
                for (size_t i = 0; i < ELEMENTSOF(names); i++)
                        if (text_equal(names[i].text, name))
                                return names[i].name;
                return "container-other";
        }
        for (size_t i = 0; i < ELEMENTSOF(files); i++)
                if (access(files[i].text, F_OK) == 0 && access("/proc/bc", F_OK) < 0)
                        return files[i].name;
        return NULL;
}

/* The name that the hypervisor gives itself to the processor's users; "" when there is none. */
static void read_processor(char text[static 13]) {
        text[0] = '\0';
#if defined(__x86_64__) || defined(__i386__)
        unsigned a, b, c, d;

        if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & (1U << 31)))
                return;
        __cpuid(0x40000000U, a, b, c, d);
        memcpy(text, &b, sizeof(b));
        memcpy(text + 4, &c, sizeof(c));
        memcpy(text + 8, &d, sizeof(d));
        text[12] = '\0';
        if (text[0] == '\0')
                (void)stpcpy(text, "?");
#endif
}

/* What the firmware says of who made the machine. */
static const char *find_by_firmware(void) {
        static const char *const files[] = { "product_name", "sys_vendor", "board_vendor", "bios_vendor",
                                             "product_version" };
        static const Sign signs[] = {
                { "KVM", "kvm" },
                { "OpenStack", "kvm" },
                { "KubeVirt", "kvm" },
                { "Amazon EC2", "amazon" },
                { "QEMU", "qemu" },
                { "VMware", "vmware" },
                { "VMW", "vmware" },
                { "innotek GmbH", "oracle" },
                { "VirtualBox", "oracle" },
                { "Oracle", "oracle" },
                { "Xen", "xen" },
                { "Bochs", "bochs" },
                { "Parallels", "parallels" },
                { "BHYVE", "bhyve" },
                { "Hyper-V", "microsoft" },
                { "Apple Virtualization", "apple" },
                { "Google Compute Engine", "google" },
        };

        for (size_t i = 0; i < ELEMENTSOF(files); i++) {
                _cleanup_(freep) char *path = NULL, *text = NULL;

                if (text_format(&path, "/sys/class/dmi/id/%s", files[i]) < 0 ||
                    file_read(AT_FDCWD, path, FILE_SIZE_MAX, &text, NULL) < 0)
                        continue;
                const char *const name = find_sign(signs, ELEMENTSOF(signs), text);
                if (name)
                        return name;
        }
        return NULL;
}

const char *host_machine(void) {
        static const Sign signs[] = {
                { "XenVMMXenVMM", "xen" },   { "KVMKVMKVM", "kvm" },       { "Linux KVM Hv", "kvm" },
                { "TCGTCGTCGTCG", "qemu" },  { "VMwareVMware", "vmware" }, { "Microsoft Hv", "microsoft" },
                { "bhyve bhyve ", "bhyve" }, { "QNXQVMBSQG", "qnx" },      { "ACRNACRNACRN", "acrn" },
                { "SRESRESRESRE", "sre" },
        };
        char processor[13];

        const char *const by_firmware = find_by_firmware();
        /* Machines of these are made by others as well, who say more of themselves. */
        if (by_firmware && !text_equal(by_firmware, "qemu") && !text_equal(by_firmware, "kvm"))
                return by_firmware;
        read_processor(processor);
        if (processor[0])
                return find_sign(signs, ELEMENTSOF(signs), processor) ?: by_firmware ?: "vm-other";
        return by_firmware;
}

bool host_has_private_users(void) {
        _cleanup_(freep) char *text = NULL;
        unsigned long inside, outside, length;

        if (file_read(AT_FDCWD, "/proc/self/uid_map", FILE_SIZE_MAX, &text, NULL) < 0)
                return false;
        return sscanf(text, "%lu %lu %lu", &inside, &outside, &length) != 3 || inside != 0 || outside != 0 ||
               length != UINT32_MAX;
}
