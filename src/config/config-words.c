/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config/config.h"

/* The words of enumerations, in the order of the C enums of config.h. */

#define ASSERT_WORDS(words, max) static_assert(ELEMENTSOF(words) == (max) + 1, "a word is missing in " #words)

const char *const distribution_words[] = {
        [DISTRIBUTION_FEDORA] = "fedora",
        [DISTRIBUTION_DEBIAN] = "debian",
        [DISTRIBUTION_UBUNTU] = "ubuntu",
        [DISTRIBUTION_ARCH] = "arch",
        [DISTRIBUTION_OPENSUSE] = "opensuse",
        [DISTRIBUTION_MAGEIA] = "mageia",
        [DISTRIBUTION_CENTOS] = "centos",
        [DISTRIBUTION_CLEAR] = "clear",
        [DISTRIBUTION_ALMA] = "alma",
        [DISTRIBUTION_ROCKY] = "rocky",
        [DISTRIBUTION_MAX] = NULL,
};
ASSERT_WORDS(distribution_words, DISTRIBUTION_MAX);

const char *const architecture_words[] = {
        [ARCHITECTURE_X86_64] = "x86-64", [ARCHITECTURE_X86] = "x86",         [ARCHITECTURE_ARM64] = "arm64",
        [ARCHITECTURE_ARM] = "arm",       [ARCHITECTURE_RISCV64] = "riscv64", [ARCHITECTURE_MAX] = NULL,
};
ASSERT_WORDS(architecture_words, ARCHITECTURE_MAX);

const char *const output_format_words[] = {
        [OUTPUT_FORMAT_GPT_EXT4] = "gpt_ext4",
        [OUTPUT_FORMAT_GPT_XFS] = "gpt_xfs",
        [OUTPUT_FORMAT_GPT_BTRFS] = "gpt_btrfs",
        [OUTPUT_FORMAT_GPT_SQUASHFS] = "gpt_squashfs",
        [OUTPUT_FORMAT_PLAIN_SQUASHFS] = "plain_squashfs",
        [OUTPUT_FORMAT_DIRECTORY] = "directory",
        [OUTPUT_FORMAT_SUBVOLUME] = "subvolume",
        [OUTPUT_FORMAT_TAR] = "tar",
        [OUTPUT_FORMAT_MAX] = NULL,
};
ASSERT_WORDS(output_format_words, OUTPUT_FORMAT_MAX);

const char *const encrypt_words[] = {
        [ENCRYPT_OFF] = "off",
        [ENCRYPT_ALL] = "all",
        [ENCRYPT_DATA] = "data",
        [ENCRYPT_MAX] = NULL,
};
ASSERT_WORDS(encrypt_words, ENCRYPT_MAX);

const char *const encrypt_kdf_words[] = {
        [ENCRYPT_KDF_ARGON2ID] = "argon2id",
        [ENCRYPT_KDF_PBKDF2] = "pbkdf2",
        [ENCRYPT_KDF_MAX] = NULL,
};
ASSERT_WORDS(encrypt_kdf_words, ENCRYPT_KDF_MAX);

const char *const secure_boot_sign_words[] = {
        [SECURE_BOOT_SIGN_APPEND] = "append",
        [SECURE_BOOT_SIGN_REPLACE] = "replace",
        [SECURE_BOOT_SIGN_KEEP] = "keep",
        [SECURE_BOOT_SIGN_MAX] = NULL,
};
ASSERT_WORDS(secure_boot_sign_words, SECURE_BOOT_SIGN_MAX);

const char *const secure_boot_enroll_words[] = {
        [SECURE_BOOT_ENROLL_OFF] = "off",         [SECURE_BOOT_ENROLL_MANUAL] = "manual",
        [SECURE_BOOT_ENROLL_IF_SAFE] = "if-safe", [SECURE_BOOT_ENROLL_FORCE] = "force",
        [SECURE_BOOT_ENROLL_MAX] = NULL,
};
ASSERT_WORDS(secure_boot_enroll_words, SECURE_BOOT_ENROLL_MAX);

const char *const secure_boot_key_type_words[] = {
        [SECURE_BOOT_KEY_TYPE_RSA_2048] = "rsa2048", [SECURE_BOOT_KEY_TYPE_RSA_3072] = "rsa3072",
        [SECURE_BOOT_KEY_TYPE_RSA_4096] = "rsa4096", [SECURE_BOOT_KEY_TYPE_P256] = "p256",
        [SECURE_BOOT_KEY_TYPE_P384] = "p384",        [SECURE_BOOT_KEY_TYPE_MAX] = NULL,
};
ASSERT_WORDS(secure_boot_key_type_words, SECURE_BOOT_KEY_TYPE_MAX);

const char *const compress_words[] = {
        [COMPRESS_AUTO] = "auto", [COMPRESS_NO] = "no",   [COMPRESS_YES] = "yes",
        [COMPRESS_ZLIB] = "zlib", [COMPRESS_LZO] = "lzo", [COMPRESS_ZSTD] = "zstd",
        [COMPRESS_LZ4] = "lz4",   [COMPRESS_XZ] = "xz",   [COMPRESS_MAX] = NULL,
};
ASSERT_WORDS(compress_words, COMPRESS_MAX);

const char *const output_compression_words[] = {
        [OUTPUT_COMPRESSION_AUTO] = "auto", [OUTPUT_COMPRESSION_NO] = "no",
        [OUTPUT_COMPRESSION_XZ] = "xz",     [OUTPUT_COMPRESSION_ZSTD] = "zstd",
        [OUTPUT_COMPRESSION_GZIP] = "gzip", [OUTPUT_COMPRESSION_MAX] = NULL,
};
ASSERT_WORDS(output_compression_words, OUTPUT_COMPRESSION_MAX);

const char *const source_file_transfer_words[] = {
        [SOURCE_FILE_TRANSFER_AUTO] = "auto",
        [SOURCE_FILE_TRANSFER_COPY_ALL] = "copy-all",
        [SOURCE_FILE_TRANSFER_COPY_GIT_CACHED] = "copy-git-cached",
        [SOURCE_FILE_TRANSFER_COPY_GIT_OTHERS] = "copy-git-others",
        [SOURCE_FILE_TRANSFER_COPY_GIT_MORE] = "copy-git-more",
        [SOURCE_FILE_TRANSFER_MOUNT] = "mount",
        [SOURCE_FILE_TRANSFER_MAX] = NULL,
};
ASSERT_WORDS(source_file_transfer_words, SOURCE_FILE_TRANSFER_MAX);

/* What uname(2) says on each, and what distributions call them. */
const SettingAlias architecture_aliases[] = {
        { "x86_64", "x86-64" },
        { "amd64", "x86-64" },
        { "i386", "x86" },
        { "i486", "x86" },
        { "i586", "x86" },
        { "i686", "x86" },
        { "aarch64", "arm64" },
        { "armhf", "arm" },
        { "armv7l", "arm" },
        { "armv8l", "arm" },
        {},
};

/* The names of 2016 and 2017. */
const SettingAlias output_format_aliases[] = {
        { "raw_gpt", "gpt_ext4" },    { "raw_ext4", "gpt_ext4" },         { "raw_xfs", "gpt_xfs" },
        { "raw_btrfs", "gpt_btrfs" }, { "raw_squashfs", "gpt_squashfs" }, {},
};

const SettingAlias encrypt_aliases[] = {
        { "no", "off" },
        {},
};

/* Compress= was a boolean at first. */
const SettingAlias secure_boot_enroll_aliases[] = {
        { "no", "off" },
        { "yes", "force" },
        {},
};

const SettingAlias compress_aliases[] = {
        { "1", "yes" }, { "true", "yes" }, { "0", "no" }, { "false", "no" }, {},
};

const SettingAlias output_compression_aliases[] = {
        { "zst", "zstd" },
        { "gz", "gzip" },
        { "none", "no" },
        {},
};

/* The values of --git-files and --use-git-files, which this setting replaced. */
const SettingAlias source_file_transfer_aliases[] = {
        { "cached", "copy-git-cached" },
        { "others", "copy-git-others" },
        { "1", "copy-git-cached" },
        { "yes", "copy-git-cached" },
        { "true", "copy-git-cached" },
        { "0", "copy-all" },
        { "no", "copy-all" },
        { "false", "copy-all" },
        {},
};

bool output_format_is_disk(unsigned format) {
        return format <= OUTPUT_FORMAT_GPT_SQUASHFS;
}

bool output_format_is_file(unsigned format) {
        return format != OUTPUT_FORMAT_DIRECTORY && format != OUTPUT_FORMAT_SUBVOLUME;
}

bool output_format_is_squashfs(unsigned format) {
        return format == OUTPUT_FORMAT_GPT_SQUASHFS || format == OUTPUT_FORMAT_PLAIN_SQUASHFS;
}

bool output_is_qcow2(const Config *config) {
        return config->qcow2 && output_format_is_disk(config->format);
}
