/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the user asked for: plain data, one member per setting. Every member has its row in one of the files that
 * config.c makes a table of (settings-*.inc). */

#include "base/macro.h"
#include "setting/describe.h"
#include "setting/setting.h"

/* The C order is the order of the words in config-words.c. */
typedef enum Distribution {
        DISTRIBUTION_FEDORA,
        DISTRIBUTION_DEBIAN,
        DISTRIBUTION_UBUNTU,
        DISTRIBUTION_ARCH,
        DISTRIBUTION_OPENSUSE,
        DISTRIBUTION_MAGEIA,
        DISTRIBUTION_CENTOS,
        DISTRIBUTION_CLEAR,
        DISTRIBUTION_ALMA,
        DISTRIBUTION_ROCKY,
        DISTRIBUTION_MAX,
} Distribution;

typedef enum Architecture {
        ARCHITECTURE_X86_64,
        ARCHITECTURE_X86,
        ARCHITECTURE_ARM64,
        ARCHITECTURE_ARM,
        ARCHITECTURE_RISCV64,
        ARCHITECTURE_MAX,
} Architecture;

typedef enum OutputFormat {
        OUTPUT_FORMAT_GPT_EXT4,
        OUTPUT_FORMAT_GPT_XFS,
        OUTPUT_FORMAT_GPT_BTRFS,
        OUTPUT_FORMAT_GPT_SQUASHFS,
        OUTPUT_FORMAT_PLAIN_SQUASHFS,
        OUTPUT_FORMAT_DIRECTORY,
        OUTPUT_FORMAT_SUBVOLUME,
        OUTPUT_FORMAT_TAR,
        OUTPUT_FORMAT_MAX,
} OutputFormat;

/* What happens to EFI programs that are signed already. */
typedef enum SecureBootSign {
        SECURE_BOOT_SIGN_APPEND,
        SECURE_BOOT_SIGN_REPLACE,
        SECURE_BOOT_SIGN_KEEP,
        SECURE_BOOT_SIGN_MAX,
} SecureBootSign;

/* The words are those of systemd-boot's loader.conf(5). */
typedef enum SecureBootEnroll {
        SECURE_BOOT_ENROLL_OFF,
        SECURE_BOOT_ENROLL_MANUAL,
        SECURE_BOOT_ENROLL_IF_SAFE,
        SECURE_BOOT_ENROLL_FORCE,
        SECURE_BOOT_ENROLL_MAX,
} SecureBootEnroll;

typedef enum SecureBootKeyType {
        SECURE_BOOT_KEY_TYPE_RSA_2048,
        SECURE_BOOT_KEY_TYPE_RSA_3072,
        SECURE_BOOT_KEY_TYPE_RSA_4096,
        SECURE_BOOT_KEY_TYPE_P256,
        SECURE_BOOT_KEY_TYPE_P384,
        SECURE_BOOT_KEY_TYPE_MAX,
} SecureBootKeyType;

typedef enum Encrypt { ENCRYPT_OFF, ENCRYPT_ALL, ENCRYPT_DATA, ENCRYPT_MAX } Encrypt;

/* How a passphrase becomes a key. */
typedef enum EncryptKdf { ENCRYPT_KDF_ARGON2ID, ENCRYPT_KDF_PBKDF2, ENCRYPT_KDF_MAX } EncryptKdf;

typedef enum Compress {
        COMPRESS_AUTO, /* yes for squashfs, else no */
        COMPRESS_NO,
        COMPRESS_YES,
        COMPRESS_ZLIB,
        COMPRESS_LZO,
        COMPRESS_ZSTD,
        COMPRESS_LZ4,
        COMPRESS_XZ,
        COMPRESS_MAX,
} Compress;

/* Of the finished output as a whole. */
typedef enum OutputCompression {
        OUTPUT_COMPRESSION_AUTO, /* what XZ= says; for tar XZ otherwise, or what Compress= says */
        OUTPUT_COMPRESSION_NO,
        OUTPUT_COMPRESSION_XZ,
        OUTPUT_COMPRESSION_ZSTD,
        OUTPUT_COMPRESSION_GZIP,
        OUTPUT_COMPRESSION_MAX,
} OutputCompression;

typedef enum SourceFileTransfer {
        SOURCE_FILE_TRANSFER_AUTO, /* resolved: COPY_GIT_OTHERS where a git tree holds the directory, else COPY_ALL */
        SOURCE_FILE_TRANSFER_COPY_ALL,
        SOURCE_FILE_TRANSFER_COPY_GIT_CACHED,
        SOURCE_FILE_TRANSFER_COPY_GIT_OTHERS,
        SOURCE_FILE_TRANSFER_COPY_GIT_MORE,
        SOURCE_FILE_TRANSFER_MOUNT,
        SOURCE_FILE_TRANSFER_MAX,
} SourceFileTransfer;

/* Sizes are in bytes, 0 means automatic or absent. Paths are absolute after config_load(), but for output, which is an
 * absolute path after config_resolve() only. */
typedef struct Config {
        /* [Config] */
        char **profiles;

        /* [Distribution] */
        unsigned distribution; /* Distribution */
        char *release, *mirror;
        char **repositories;
        char **repository_keys; /* files, or directories of them */
        unsigned architecture;  /* Architecture */

        /* [Output] */
        unsigned format;                 /* OutputFormat */
        char *output, *output_directory; /* resolved: the main output, and the directory in which it lies */
        unsigned force;
        bool bootable;
        char **boot_protocols;
        char *kernel_command_line;
        bool secure_boot;
        char *secure_boot_key, *secure_boot_certificate; /* the key may be a URI */
        char *secure_boot_passphrase_file;
        unsigned secure_boot_sign;        /* SecureBootSign */
        unsigned secure_boot_auto_enroll; /* SecureBootEnroll */
        unsigned secure_boot_key_type;    /* SecureBootKeyType, of genkey; so are the next two */
        unsigned secure_boot_valid_days;
        char *secure_boot_common_name;
        bool read_only;
        unsigned encrypt; /* Encrypt */
        char *passphrase_file;
        SettingChoice encrypt_kdf; /* EncryptKdf, and iterations, 0: as many as are usual */
        uint64_t encrypt_kdf_memory;
        bool verity;
        char *verity_key, *verity_certificate; /* the key may be a URI */
        char *verity_passphrase_file;
        SettingChoice compress; /* Compress */
        char **mksquashfs;
        SettingChoice compress_output; /* OutputCompression; resolved: never AUTO */
        bool xz, qcow2, manifest;
        char *hostname;
        bool no_chown;
        bool incremental;
        char *seed; /* UUID as text */

        /* [Packages] */
        char **packages, **build_packages;
        bool with_docs, with_tests, with_network; /* with_tests is true unless it is said to be false */
        char *cache;
        char **extra_trees, **skeleton_trees;
        char *build_script, *build_sources, *build_directory;
        char *prepare_script, *postinst_script, *finalize_script;
        char **environment;            /* of scripts: "NAME=value", or "NAME" for the caller's value */
        unsigned source_file_transfer; /* SourceFileTransfer */
        char *nspawn_settings;

        /* [Partitions] */
        uint64_t root_size, esp_size, xbootldr_size, swap_size, home_size, srv_size;

        /* [Validation] */
        bool checksum, sign, bmap;
        bool sign_offline; /* nothing is signed here: places are kept, and what is to be signed is written down */
        char *key, *password;

        /* [Host] */
        char **extra_search_paths;
        unsigned cpus; /* of the virtual machine, as the next one; 0: as many as are good for it */
        uint64_t ram;

        /* command line only */
        char *directory, *default_file, *all_directory;
        bool all, debug, quiet, help, version;
        char *json_progress; /* number of a file descriptor */
        bool json;           /* what verify found */
        bool debug_shell, keep_failed;
        bool nspawn;     /* systemd-nspawn runs the image */
        bool persistent; /* what is run may change the image */
        char *root_hash; /* that verify wants to find */
} Config;

extern const SettingTable config_table;
extern const char *const distribution_words[]; /* NULL-terminated, index: Distribution */
extern const char *const architecture_words[]; /* "x86-64", "x86", "arm64", "arm", "riscv64" */
extern const char *const output_format_words[];
extern const char *const encrypt_words[];
extern const char *const encrypt_kdf_words[];
extern const char *const secure_boot_sign_words[];
extern const char *const secure_boot_enroll_words[];
extern const char *const secure_boot_key_type_words[];
extern const char *const compress_words[];
extern const char *const output_compression_words[];
extern const char *const source_file_transfer_words[];
/* Further names, as they are met in files and on hosts. */
extern const SettingAlias architecture_aliases[];
extern const SettingAlias output_format_aliases[];
extern const SettingAlias encrypt_aliases[];
extern const SettingAlias secure_boot_enroll_aliases[];
extern const SettingAlias compress_aliases[];
extern const SettingAlias output_compression_aliases[];
extern const SettingAlias source_file_transfer_aliases[];

/* Whether the format is a GPT disk image. */
bool output_format_is_disk(unsigned format);
/* Whether it is one file, which can be compressed and has a check sum. */
bool output_format_is_file(unsigned format);
/* Whether the root file system is squashfs. */
bool output_format_is_squashfs(unsigned format);
/* Whether the image is converted: QCow2= has no effect on what is no disk image. */
bool output_is_qcow2(const Config *config);
