/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "distro/apt-sources.h"
#include "distro/apt.h"
#include "distro/ubuntu.h"

#define KEY_RING "/usr/share/keyrings/ubuntu-archive-keyring.gpg"

static const char *const base_packages[] = { "systemd-sysv", "dbus", "libpam-systemd", NULL };

static const char *const boot_packages[] = { "dracut",           "kmod", "udev", "systemd-boot",
                                             "systemd-boot-efi", NULL };

/* The boot loader came with package systemd before 22.10, whose systemd 251 is the first that Debian had split. */
static const char *const boot_packages_before_kinetic[] = { "dracut", "kmod", "udev", "systemd", NULL };

/* systemd's part of cryptsetup is a package of its own since systemd 256, which is in 24.10. */
static const char *const encrypt_packages[] = { "cryptsetup-bin", "systemd-cryptsetup", NULL };
static const char *const verity_packages[] = { "systemd-cryptsetup", NULL };
static const char *const cryptsetup_alone[] = { "cryptsetup-bin", NULL };
static const char *const nothing[] = { NULL };

/* Those whose support lasts or was bought longer; of the others that are older than the default none has any. */
static const DistroRelease releases[] = {
        { "xenial", boot_packages_before_kinetic, cryptsetup_alone, nothing },
        { "bionic", boot_packages_before_kinetic, cryptsetup_alone, nothing },
        { "focal", boot_packages_before_kinetic, cryptsetup_alone, nothing },
        { "jammy", boot_packages_before_kinetic, cryptsetup_alone, nothing },
        { "noble", NULL, cryptsetup_alone, nothing },
        {},
};

/* i386 has been a partial architecture, for programs on amd64, since 19.10: it has no kernel. */
static const char *const kernel_packages[ARCHITECTURE_MAX] = {
        [ARCHITECTURE_X86_64] = "linux-image-generic",
        [ARCHITECTURE_ARM64] = "linux-image-generic",
        [ARCHITECTURE_ARM] = "linux-image-generic",
        [ARCHITECTURE_RISCV64] = "linux-image-generic",
};

/* Packages that bring kernel and headers together. Other names that begin with "linux-" are no kernels: linux-firmware,
 * linux-tools-generic. */
static const char *const kernel_names[] = {
        "linux-aws", "linux-azure",      "linux-gcp",    "linux-generic", "linux-gke",     "linux-ibm",
        "linux-kvm", "linux-lowlatency", "linux-oracle", "linux-raspi",   "linux-virtual", NULL,
};

static const char *const architectures[ARCHITECTURE_MAX] = {
        [ARCHITECTURE_X86_64] = "amd64", [ARCHITECTURE_X86] = "i386",        [ARCHITECTURE_ARM64] = "arm64",
        [ARCHITECTURE_ARM] = "armhf",    [ARCHITECTURE_RISCV64] = "riscv64",
};

static const char *const root_packages[OUTPUT_FORMAT_MAX] = {
        [OUTPUT_FORMAT_GPT_EXT4] = "e2fsprogs",
        [OUTPUT_FORMAT_GPT_XFS] = "xfsprogs",
        [OUTPUT_FORMAT_GPT_BTRFS] = "btrfs-progs",
};

static const char *const none[] = { NULL };

/* The pockets of a release (-updates, -security) lie in the same archive on every mirror; security.ubuntu.com has the last one
 * a little earlier. The mirrors of countries are subdomains: de.archive.ubuntu.com. All suites that a debootstrap knows
 * are links to the same script, whose name is that of the first of them. */
static const AptArchive archive = {
        .mirror = "http://archive.ubuntu.com/ubuntu",
        .ports_mirror = "http://ports.ubuntu.com/ubuntu-ports",
        .security_mirror = "http://security.ubuntu.com/ubuntu",
        .mirror_directory = "ubuntu",
        .mirror_domain = "archive.ubuntu.com",
        .component = "main",
        .key_ring = KEY_RING,
        .sources_name = "ubuntu.sources",
        .rolling = none,
        .old_security = none,
        .script = "/usr/share/debootstrap/scripts/gutsy",
};

static const char *const key_files[] = { KEY_RING, NULL };

const Distro distro_ubuntu = {
        .name = "ubuntu",
        .title = "Ubuntu",
        .manager = &package_manager_apt,
        .key_files = key_files,
        /* The first is Ubuntu's name of it, and that of Debian's later releases. */
        .key_package = "ubuntu-keyring or ubuntu-archive-keyring",
        .base_packages = base_packages,
        .boot_packages = boot_packages,
        .encrypt_packages = encrypt_packages,
        .verity_packages = verity_packages,
        .kernel_packages = kernel_packages,
        .kernel_prefix = "linux-image-",
        .kernel_names = kernel_names,
        .root_packages = root_packages,
        .releases = releases,
        .architectures = architectures,
        .apt = &archive,
};
