/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "distro/arch.h"
#include "distro/pacman-conf.h"
#include "distro/pacman.h"

/* What was a group of that name once is a package; systemd is one of those that it depends on. */
static const char *const base_packages[] = { "base", NULL };

/* The kernel wants any package that provides "initramfs", and dracut does. The boot loader and the stub that unified
 * kernel images begin with are in systemd. */
static const char *const boot_packages[] = { "dracut", "kmod", "systemd", NULL };

/* systemd's own programs for both are in systemd, and need its library. */
static const char *const cryptsetup[] = { "cryptsetup", NULL };

static const char *const kernel_packages[ARCHITECTURE_MAX] = {
        [ARCHITECTURE_X86_64] = "linux",
};

/* Package names that begin with "linux" are firmware, headers and documentation as well. */
static const char *const kernel_names[] = {
        "linux-hardened", "linux-lts", "linux-rt", "linux-rt-lts", "linux-zen", NULL,
};

/* Arch Linux is for x86-64; what is for others is a distribution of its own, with its own keys. */
static const char *const architectures[ARCHITECTURE_MAX] = {
        [ARCHITECTURE_X86_64] = "x86_64",
};

static const char *const root_packages[OUTPUT_FORMAT_MAX] = {
        [OUTPUT_FORMAT_GPT_EXT4] = "e2fsprogs",
        [OUTPUT_FORMAT_GPT_XFS] = "xfsprogs",
        [OUTPUT_FORMAT_GPT_BTRFS] = "btrfs-progs",
};

static const char *const repositories[] = { "core", "extra", NULL };

/* The mirror that https://archlinux.org/mirrorlist/ gives for all the world. */
static const PacmanArchive archive = {
        .mirror = "https://geo.mirror.pkgbuild.com",
        .layout = "$repo/os/$arch",
        .repositories = repositories,
};

/* On Arch Linux itself, and on Debian; each has its lists beside it. */
static const char *const key_files[] = {
        "/usr/share/pacman/keyrings/archlinux.gpg",
        "/usr/share/keyrings/archlinux.gpg",
        NULL,
};

const Distro distro_arch = {
        .name = "arch",
        .title = "Arch Linux",
        .manager = &package_manager_pacman,
        .key_files = key_files,
        .key_package = "archlinux-keyring",
        .keys_at = "https://archlinux.org/master-keys/",
        .base_packages = base_packages,
        .boot_packages = boot_packages,
        .encrypt_packages = cryptsetup,
        .verity_packages = cryptsetup,
        .kernel_packages = kernel_packages,
        .kernel_names = kernel_names,
        .root_packages = root_packages,
        .architectures = architectures,
        .pacman = &archive,
};
