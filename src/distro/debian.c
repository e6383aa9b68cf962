/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "distro/apt-sources.h"
#include "distro/apt.h"
#include "distro/debian.h"

/* On the host, whose package debian-archive-keyring has it, and in trees. */
#define KEY_RING "/usr/share/keyrings/debian-archive-keyring.gpg"

/* Beside what the archive itself calls required, and apt. */
static const char *const base_packages[] = { "systemd-sysv", "dbus", "libpam-systemd", NULL };

/* The loader, and the stub that unified kernel images begin with, which systemd-boot alone does not bring in trixie. */
static const char *const boot_packages[] = { "dracut",           "kmod", "udev", "systemd-boot",
                                             "systemd-boot-efi", NULL };

/* The boot loader was part of package systemd until it got one of its own in bookworm. */
static const char *const boot_packages_before_bookworm[] = { "dracut", "kmod", "udev", "systemd", NULL };

/* cryptsetup(8) is what dracut asks for; systemd's part, and that for dm-verity, have been a package of their own since
 * trixie. */
static const char *const encrypt_packages[] = { "cryptsetup-bin", "systemd-cryptsetup", NULL };
static const char *const verity_packages[] = { "systemd-cryptsetup", NULL };
static const char *const cryptsetup_alone[] = { "cryptsetup-bin", NULL };
static const char *const nothing[] = { NULL };

static const DistroRelease releases[] = {
        { "stretch", boot_packages_before_bookworm, cryptsetup_alone, nothing },
        { "buster", boot_packages_before_bookworm, cryptsetup_alone, nothing },
        { "bullseye", boot_packages_before_bookworm, cryptsetup_alone, nothing },
        { "bookworm", NULL, cryptsetup_alone, nothing },
        {},
};

static const char *const kernel_packages[ARCHITECTURE_MAX] = {
        [ARCHITECTURE_X86_64] = "linux-image-amd64",    [ARCHITECTURE_X86] = "linux-image-686",
        [ARCHITECTURE_ARM64] = "linux-image-arm64",     [ARCHITECTURE_ARM] = "linux-image-armmp",
        [ARCHITECTURE_RISCV64] = "linux-image-riscv64",
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

static const char *const rolling[] = { "sid", "unstable", "experimental", "rc-buggy", NULL };

static const char *const old_security[] = { "jessie", "stretch", "buster", NULL };

static const AptArchive archive = {
        .mirror = "http://deb.debian.org/debian",
        .security_mirror = "http://deb.debian.org/debian-security",
        .mirror_directory = "debian",
        .security_directory = "debian-security",
        .mirror_domain = ".debian.org",
        .component = "main",
        .key_ring = KEY_RING,
        .sources_name = "debian.sources",
        .rolling = rolling,
        .old_security = old_security,
        .script = "/usr/share/debootstrap/scripts/sid",
};

static const char *const key_files[] = { KEY_RING, NULL };

const Distro distro_debian = {
        .name = "debian",
        .title = "Debian",
        .manager = &package_manager_apt,
        .key_files = key_files,
        .key_package = "debian-archive-keyring",
        .base_packages = base_packages,
        .boot_packages = boot_packages,
        .encrypt_packages = encrypt_packages,
        .verity_packages = verity_packages,
        .kernel_packages = kernel_packages,
        .kernel_prefix = "linux-image-",
        .root_packages = root_packages,
        .releases = releases,
        .architectures = architectures,
        .apt = &archive,
};
