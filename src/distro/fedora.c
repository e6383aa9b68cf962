/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "distro/dnf-config.h"
#include "distro/dnf.h"
#include "distro/fedora.h"

#define FEDORA_METALINK "metalink=https://mirrors.fedoraproject.org/metalink?arch=$basearch&repo="
#define CENTOS_METALINK "metalink=https://mirrors.centos.org/metalink?arch=$basearch&repo=centos-"
#define ALMA_MIRRORS    "mirrorlist=https://mirrors.almalinux.org/mirrorlist/$releasever/"
#define ROCKY_MIRRORS   "mirrorlist=https://mirrors.rockylinux.org/mirrorlist?arch=$basearch&repo="
#define MAGEIA_MIRRORS \
        "mirrorlist=https://www.mageia.org/mirrorlist/?release=$releasever&arch=$basearch&section=core&repo="

/* Where keys are that the host has by a package: of the distribution itself, or distribution-gpg-keys, which has those of
 * all (https://github.com/rpm-software-management/distribution-gpg-keys). */
#define OWN_KEYS         "/etc/pki/rpm-gpg/"
#define ALL_KEYS         "/usr/share/distribution-gpg-keys/"
#define ALL_KEYS_PACKAGE "distribution-gpg-keys where the host has one"

/* Packages and their contents: https://packages.fedoraproject.org/pkgs/. Without a langpack named glibc brings the locales
 * of all languages. */
static const char *const fedora_base[] = {
        "fedora-release", "glibc-minimal-langpack", "systemd", "util-linux", "shadow-utils", NULL,
};

/* systemd-boot-unsigned has the loader and the stub of unified kernel images, systemd-udev what opens volumes in the
 * initrd. */
static const char *const fedora_boot[] = {
        "systemd-udev", "systemd-boot-unsigned", "dracut", "kmod", NULL,
};
static const char *const cryptsetup_packages[] = { "cryptsetup", "device-mapper", NULL };

static const char *const fedora_kernels[ARCHITECTURE_MAX] = {
        [ARCHITECTURE_X86_64] = "kernel-core",
        [ARCHITECTURE_ARM64] = "kernel-core",
};

/* 32-bit x86 ended with release 30, 32-bit ARM with 36. */
static const char *const fedora_architectures[ARCHITECTURE_MAX] = {
        [ARCHITECTURE_X86_64] = "x86_64",
        [ARCHITECTURE_ARM64] = "aarch64",
};

static const char *const fedora_root[OUTPUT_FORMAT_MAX] = {
        [OUTPUT_FORMAT_GPT_EXT4] = "e2fsprogs",
        [OUTPUT_FORMAT_GPT_XFS] = "xfsprogs",
        [OUTPUT_FORMAT_GPT_BTRFS] = "btrfs-progs",
};

/* clang-format off */
/* As package fedora-repos has them; a release that is still to come lies below development/ of mirrors. */
static const DnfRepository fedora_repositories[] = {
        { "fedora",  FEDORA_METALINK "fedora-$releasever",           "releases/$releasever/Everything/$basearch/os/",
          "development/$releasever/Everything/$basearch/os/", false, NULL },
        { "updates", FEDORA_METALINK "updates-released-f$releasever", "updates/$releasever/Everything/$basearch/",
          NULL,                                               false, NULL },
        { "updates-testing", FEDORA_METALINK "updates-testing-f$releasever", "updates/testing/$releasever/Everything/$basearch/",
          NULL,                                               true,  NULL },
        { "rawhide", FEDORA_METALINK "rawhide",                      "development/rawhide/Everything/$basearch/os/",
          NULL,                                               false, "rawhide" },
        {},
};

/* As package centos-stream-repos has them; release 9 is signed by the first key, 10 by that with SHA-256. */
static const DnfRepository centos_repositories[] = {
        { "baseos",    CENTOS_METALINK "baseos-$releasever-stream",    "$releasever-stream/BaseOS/$basearch/os/",    NULL, false, NULL },
        { "appstream", CENTOS_METALINK "appstream-$releasever-stream", "$releasever-stream/AppStream/$basearch/os/", NULL, false, NULL },
        { "crb",       CENTOS_METALINK "crb-$releasever-stream",       "$releasever-stream/CRB/$basearch/os/",       NULL, true,  NULL },
        { "extras",    CENTOS_METALINK "extras-sig-extras-common-$releasever-stream", "SIGs/$releasever-stream/extras/$basearch/extras-common/", NULL, true, NULL },
        {},
};

/* As packages almalinux-repos and rocky-repos have them, and mock in templates/almalinux-10.tpl and rocky-10.tpl of
 * https://github.com/rpm-software-management/mock. */
static const DnfRepository alma_repositories[] = {
        { "baseos",    ALMA_MIRRORS "baseos",    "$releasever/BaseOS/$basearch/os/",    NULL, false, NULL },
        { "appstream", ALMA_MIRRORS "appstream", "$releasever/AppStream/$basearch/os/", NULL, false, NULL },
        { "crb",       ALMA_MIRRORS "crb",       "$releasever/CRB/$basearch/os/",       NULL, true,  NULL },
        { "extras",    ALMA_MIRRORS "extras",    "$releasever/extras/$basearch/os/",    NULL, true,  NULL },
        {},
};

static const DnfRepository rocky_repositories[] = {
        { "baseos",    ROCKY_MIRRORS "BaseOS-$releasever",    "$releasever/BaseOS/$basearch/os/",    NULL, false, NULL },
        { "appstream", ROCKY_MIRRORS "AppStream-$releasever", "$releasever/AppStream/$basearch/os/", NULL, false, NULL },
        { "crb",       ROCKY_MIRRORS "CRB-$releasever",       "$releasever/CRB/$basearch/os/",       NULL, true,  NULL },
        { "extras",    ROCKY_MIRRORS "extras-$releasever",    "$releasever/extras/$basearch/os/",    NULL, true,  NULL },
        {},
};

static const DnfRepository mageia_repositories[] = {
        { "release", MAGEIA_MIRRORS "release", "distrib/$releasever/$basearch/media/core/release/", NULL, false, NULL },
        { "updates", MAGEIA_MIRRORS "updates", "distrib/$releasever/$basearch/media/core/updates/", NULL, false, NULL },
        {},
};
/* clang-format on */

static const char *const fedora_keys[] = {
        OWN_KEYS "RPM-GPG-KEY-fedora-$releasever-$basearch",
        ALL_KEYS "fedora/RPM-GPG-KEY-fedora-$releasever-primary",
        NULL,
};

/* Since release 36 the database is part of /usr: https://fedoraproject.org/wiki/Changes/RelocateRPMToUsr */
static const DnfArchive fedora_archive = {
        .repositories = fedora_repositories,
        .rolling = "rawhide",
        .rpmdb_moved = 36,
};

const Distro distro_fedora = {
        .name = "fedora",
        .title = "Fedora",
        .manager = &package_manager_dnf,
        .key_files = fedora_keys,
        .key_package = ALL_KEYS_PACKAGE,
        .keys_at = "https://fedoraproject.org/security/",
        .base_packages = fedora_base,
        .boot_packages = fedora_boot,
        .encrypt_packages = cryptsetup_packages,
        .verity_packages = cryptsetup_packages,
        .kernel_packages = fedora_kernels,
        .root_packages = fedora_root,
        .architectures = fedora_architectures,
        .dnf = &fedora_archive,
};

static const char *const centos_base[] = {
        "centos-stream-release", "glibc-minimal-langpack", "systemd", "util-linux", "shadow-utils", NULL,
};

/* No repository that is used by default has systemd-boot. What the packages of an image do not bring, the boot loader and the
 * stub of unified kernel images, is taken from the host. */
static const char *const dracut_boot[] = { "systemd-udev", "dracut", "kmod", NULL };

static const char *const centos_root[OUTPUT_FORMAT_MAX] = {
        [OUTPUT_FORMAT_GPT_EXT4] = "e2fsprogs",
        [OUTPUT_FORMAT_GPT_XFS] = "xfsprogs",
};

static const char *const centos_keys[] = {
        OWN_KEYS "RPM-GPG-KEY-centosofficial",
        OWN_KEYS "RPM-GPG-KEY-centosofficial-SHA256",
        OWN_KEYS "RPM-GPG-KEY-CentOS-SIG-Extras",
        OWN_KEYS "RPM-GPG-KEY-CentOS-SIG-Extras-SHA512",
        ALL_KEYS "centos/RPM-GPG-KEY-CentOS-Official",
        ALL_KEYS "centos/RPM-GPG-KEY-CentOS-Official-SHA256",
        ALL_KEYS "centos/RPM-GPG-KEY-CentOS-SIG-Extras",
        ALL_KEYS "centos/RPM-GPG-KEY-CentOS-SIG-Extras-SHA512",
        NULL,
};

static const DnfArchive centos_archive = {
        .repositories = centos_repositories,
        .module_platform = "platform:el$releasever",
        .rpmdb_moved = 10,
};

const Distro distro_centos = {
        .name = "centos",
        .title = "CentOS Stream",
        .manager = &package_manager_dnf,
        .key_files = centos_keys,
        .key_package = ALL_KEYS_PACKAGE,
        .keys_at = "https://www.centos.org/keys/",
        .base_packages = centos_base,
        .boot_packages = dracut_boot,
        .encrypt_packages = cryptsetup_packages,
        .verity_packages = cryptsetup_packages,
        .kernel_packages = fedora_kernels,
        .root_packages = centos_root,
        .architectures = fedora_architectures,
        .dnf = &centos_archive,
};

static const char *const alma_base[] = {
        "almalinux-release", "glibc-minimal-langpack", "systemd", "util-linux", "shadow-utils", NULL,
};

static const char *const alma_keys[] = {
        OWN_KEYS "RPM-GPG-KEY-AlmaLinux-$releasever",
        ALL_KEYS "alma/RPM-GPG-KEY-AlmaLinux-$releasever",
        NULL,
};

static const DnfArchive alma_archive = {
        .repositories = alma_repositories,
        .module_platform = "platform:el$releasever",
        .rpmdb_moved = 10,
};

const Distro distro_alma = {
        .name = "alma",
        .title = "AlmaLinux",
        .manager = &package_manager_dnf,
        .key_files = alma_keys,
        .key_package = ALL_KEYS_PACKAGE,
        .keys_at = "https://repo.almalinux.org/almalinux/",
        .base_packages = alma_base,
        .boot_packages = dracut_boot,
        .encrypt_packages = cryptsetup_packages,
        .verity_packages = cryptsetup_packages,
        .kernel_packages = fedora_kernels,
        .root_packages = centos_root,
        .architectures = fedora_architectures,
        .dnf = &alma_archive,
};

static const char *const rocky_base[] = {
        "rocky-release", "glibc-minimal-langpack", "systemd", "util-linux", "shadow-utils", NULL,
};

static const char *const rocky_keys[] = {
        OWN_KEYS "RPM-GPG-KEY-Rocky-$releasever",
        ALL_KEYS "rocky/RPM-GPG-KEY-Rocky-$releasever",
        NULL,
};

static const DnfArchive rocky_archive = {
        .repositories = rocky_repositories,
        .module_platform = "platform:el$releasever",
        .rpmdb_moved = 10,
};

const Distro distro_rocky = {
        .name = "rocky",
        .title = "Rocky Linux",
        .manager = &package_manager_dnf,
        .key_files = rocky_keys,
        .key_package = ALL_KEYS_PACKAGE,
        .keys_at = "https://rockylinux.org/resources/gpg-key-info",
        .base_packages = rocky_base,
        .boot_packages = dracut_boot,
        .encrypt_packages = cryptsetup_packages,
        .verity_packages = cryptsetup_packages,
        .kernel_packages = fedora_kernels,
        .root_packages = centos_root,
        .architectures = fedora_architectures,
        .dnf = &rocky_archive,
};

static const char *const mageia_base[] = { "basesystem-minimal", "systemd", NULL };
static const char *const mageia_boot[] = { "dracut", "kmod", NULL };

static const char *const mageia_kernels[ARCHITECTURE_MAX] = {
        [ARCHITECTURE_X86_64] = "kernel-server-latest",
        [ARCHITECTURE_ARM64] = "kernel-server-latest",
};

static const char *const mageia_architectures[ARCHITECTURE_MAX] = {
        [ARCHITECTURE_X86_64] = "x86_64",
        [ARCHITECTURE_X86] = "i586",
        [ARCHITECTURE_ARM64] = "aarch64",
        [ARCHITECTURE_ARM] = "armv7hl",
};

static const char *const mageia_keys[] = {
        OWN_KEYS "RPM-GPG-KEY-Mageia",
        ALL_KEYS "mageia/RPM-GPG-KEY-Mageia",
        NULL,
};

static const DnfArchive mageia_archive = {
        .repositories = mageia_repositories,
};

const Distro distro_mageia = {
        .name = "mageia",
        .title = "Mageia",
        .manager = &package_manager_dnf,
        .key_files = mageia_keys,
        .key_package = ALL_KEYS_PACKAGE,
        .keys_at = "distrib/RELEASE/ARCHITECTURE/media/core/release/media_info/pubkey of a mirror",
        .base_packages = mageia_base,
        .boot_packages = mageia_boot,
        .encrypt_packages = cryptsetup_packages,
        .verity_packages = cryptsetup_packages,
        .kernel_packages = mageia_kernels,
        .root_packages = fedora_root,
        .architectures = mageia_architectures,
        .dnf = &mageia_archive,
};
