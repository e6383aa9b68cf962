/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "distro/opensuse.h"
#include "distro/zypper-config.h"
#include "distro/zypper.h"

#define ALL_KEYS "/usr/share/distribution-gpg-keys/opensuse/"

/* The pattern is the smallest system that openSUSE knows; what an image cannot be without is named beside it. */
static const char *const base_packages[] = {
        "patterns-base-minimal_base", "systemd", "dbus-1", "util-linux", "shadow", NULL,
};

/* systemd-boot has the loader and the stub of unified kernel images. */
static const char *const boot_packages[] = { "udev", "systemd-boot", "dracut", "kmod", NULL };
static const char *const cryptsetup_packages[] = { "cryptsetup", "device-mapper", NULL };

static const char *const kernel_packages[ARCHITECTURE_MAX] = {
        [ARCHITECTURE_X86_64] = "kernel-default",  [ARCHITECTURE_X86] = "kernel-default",
        [ARCHITECTURE_ARM64] = "kernel-default",   [ARCHITECTURE_ARM] = "kernel-default",
        [ARCHITECTURE_RISCV64] = "kernel-default",
};

/* Other names that begin with "kernel-" are no kernels: kernel-firmware, kernel-macros. */
static const char *const kernel_names[] = {
        "kernel-64kb", "kernel-debug", "kernel-default-base", "kernel-kvmsmall", "kernel-longterm",
        "kernel-lpae", "kernel-pae",   "kernel-rt",           "kernel-vanilla",  NULL,
};

static const char *const architectures[ARCHITECTURE_MAX] = {
        [ARCHITECTURE_X86_64] = "x86_64",   [ARCHITECTURE_X86] = "i586",
        [ARCHITECTURE_ARM64] = "aarch64",   [ARCHITECTURE_ARM] = "armv7hl",
        [ARCHITECTURE_RISCV64] = "riscv64",
};

static const char *const ports[ARCHITECTURE_MAX] = {
        [ARCHITECTURE_X86] = "i586",
        [ARCHITECTURE_ARM64] = "aarch64",
        [ARCHITECTURE_ARM] = "armv7hl",
        [ARCHITECTURE_RISCV64] = "riscv",
};

static const char *const root_packages[OUTPUT_FORMAT_MAX] = {
        [OUTPUT_FORMAT_GPT_EXT4] = "e2fsprogs",
        [OUTPUT_FORMAT_GPT_XFS] = "xfsprogs",
        [OUTPUT_FORMAT_GPT_BTRFS] = "btrfsprogs",
};

/* clang-format off */
/* As package openSUSE-repos has them (https://github.com/openSUSE/openSUSE-repos, the files *-repoindex.xml). Leap 15 takes most of
 * its updates from SUSE's enterprise distribution; Leap 16 puts its own into the repository itself. */
static const ZypperRepository repositories[] = {
        { "oss",       ZYPPER_LAYOUT_ROLLING,       "tumbleweed/repo/oss/",                                       false },
        { "update",    ZYPPER_LAYOUT_ROLLING,       "update/tumbleweed/",                                         false },
        { "non-oss",   ZYPPER_LAYOUT_ROLLING,       "tumbleweed/repo/non-oss/",                                   true },
        { "oss",       ZYPPER_LAYOUT_ROLLING_PORTS, "ports/$port/tumbleweed/repo/oss/",                           false },
        { "oss",       ZYPPER_LAYOUT_UPDATES,       "distribution/leap/$releasever/repo/oss/",                    false },
        { "update",    ZYPPER_LAYOUT_UPDATES,       "update/leap/$releasever/oss/",                               false },
        { "sle",       ZYPPER_LAYOUT_UPDATES,       "update/leap/$releasever/sle/",                               false },
        { "backports", ZYPPER_LAYOUT_UPDATES,       "update/leap/$releasever/backports/",                         false },
        { "non-oss",   ZYPPER_LAYOUT_UPDATES,       "distribution/leap/$releasever/repo/non-oss/",                true },
        { "oss",       ZYPPER_LAYOUT_WHOLE,         "distribution/leap/$releasever/repo/oss/$basearch/",          false },
        { "non-oss",   ZYPPER_LAYOUT_WHOLE,         "distribution/leap/$releasever/repo/non-oss/$basearch/",      true },
        {},
};
/* clang-format on */

/* distribution-gpg-keys has the keys of all distributions (https://github.com/rpm-software-management/distribution-gpg-keys). */
static const char *const key_files[] = {
        ALL_KEYS "RPM-GPG-KEY-openSUSE",
        ALL_KEYS "RPM-GPG-KEY-openSUSE-2022",
        ALL_KEYS "RPM-GPG-KEY-openSUSE-Tumbleweed",
        ALL_KEYS "RPM-GPG-KEY-openSUSE-16-Backports",
        NULL,
};

static const ZypperArchive archive = {
        .mirror = "https://download.opensuse.org",
        .repositories = repositories,
        .rolling = "tumbleweed",
        .whole_since = 16,
        .ports = ports,
};

const Distro distro_opensuse = {
        .name = "opensuse",
        .title = "openSUSE",
        .manager = &package_manager_zypper,
        .key_files = key_files,
        .key_package = "distribution-gpg-keys where the host has one",
        .keys_at = "https://en.opensuse.org/openSUSE:Signing_Keys",
        .base_packages = base_packages,
        .boot_packages = boot_packages,
        .encrypt_packages = cryptsetup_packages,
        .verity_packages = cryptsetup_packages,
        .kernel_packages = kernel_packages,
        .kernel_prefix = "kernel-default",
        .kernel_names = kernel_names,
        .root_packages = root_packages,
        .architectures = architectures,
        .zypper = &archive,
};
