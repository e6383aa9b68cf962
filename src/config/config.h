/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the user asked for: plain data, one member per setting. Every member has its row in config.c. */

#include "base/macro.h"
#include "setting/describe.h"
#include "setting/setting.h"

/* The C order is the order of the words in config.c. */
typedef enum Distribution {
        DISTRIBUTION_FEDORA,
        DISTRIBUTION_DEBIAN,
        DISTRIBUTION_UBUNTU,
        DISTRIBUTION_ARCH,
        DISTRIBUTION_OPENSUSE,
        DISTRIBUTION_MAGEIA,
        DISTRIBUTION_CENTOS,
        DISTRIBUTION_CLEAR,
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

typedef enum Encrypt { ENCRYPT_OFF, ENCRYPT_ALL, ENCRYPT_DATA, ENCRYPT_MAX } Encrypt;

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

typedef enum SourceFileTransfer {
        SOURCE_FILE_TRANSFER_AUTO, /* COPY_GIT_CACHED in a git tree, else COPY_ALL */
        SOURCE_FILE_TRANSFER_COPY_ALL,
        SOURCE_FILE_TRANSFER_COPY_GIT_CACHED,
        SOURCE_FILE_TRANSFER_COPY_GIT_OTHERS,
        SOURCE_FILE_TRANSFER_MOUNT,
        SOURCE_FILE_TRANSFER_MAX,
} SourceFileTransfer;

/* Sizes are in bytes, 0 means automatic or absent. Paths are absolute after config_load(), but for output, which is an
 * absolute path after config_resolve() only. */
typedef struct Config {
        /* [Distribution] */
        unsigned distribution; /* Distribution */
        char *release, *mirror;
        char **repositories;
        unsigned architecture; /* Architecture */

        /* [Output] */
        unsigned format;                 /* OutputFormat */
        char *output, *output_directory; /* resolved: the main output, and the directory in which it lies */
        unsigned force;
        bool bootable;
        char **boot_protocols;
        char *kernel_command_line;
        bool secure_boot;
        char *secure_boot_key, *secure_boot_certificate;
        bool read_only;
        unsigned encrypt; /* Encrypt */
        bool verity;
        unsigned compress; /* Compress */
        char **mksquashfs;
        bool xz, qcow2;
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
        char *postinst_script, *finalize_script;
        unsigned source_file_transfer; /* SourceFileTransfer */
        char *nspawn_settings;

        /* [Partitions] */
        uint64_t root_size, esp_size, xbootldr_size, swap_size, home_size, srv_size;

        /* [Validation] */
        bool checksum, sign, bmap;
        char *key, *password;

        /* [Host] */
        char **extra_search_paths;

        /* command line only */
        char *directory, *default_file, *all_directory;
        bool all, debug, help, version;
} Config;

extern const SettingTable config_table;
extern const char *const distribution_words[]; /* NULL-terminated, index: Distribution */
extern const char *const architecture_words[]; /* "x86-64", "x86", "arm64", "arm", "riscv64" */
extern const char *const output_format_words[];
extern const char *const encrypt_words[];
extern const char *const compress_words[];
extern const char *const source_file_transfer_words[];
/* Further names, as they are met in files and on hosts. */
extern const SettingAlias architecture_aliases[];
extern const SettingAlias output_format_aliases[];
extern const SettingAlias encrypt_aliases[];
extern const SettingAlias compress_aliases[];
extern const SettingAlias source_file_transfer_aliases[];

/* Whether the format is a GPT disk image. */
bool output_format_is_disk(unsigned format);
/* Whether the root file system is squashfs. */
bool output_format_is_squashfs(unsigned format);
