/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* File systems that a tree can be turned into. */

#include "base/macro.h"
#include "base/progress.h"
#include "base/reason.h"
#include "base/tree.h"
#include "base/uuid.h"

/* How file contents are compressed inside a file system. */
typedef enum Compression {
        COMPRESSION_NONE,
        COMPRESSION_ZLIB,
        COMPRESSION_LZO,
        COMPRESSION_LZ4,
        COMPRESSION_XZ,
        COMPRESSION_ZSTD,
        COMPRESSION_MAX,
} Compression;

extern const char *const compression_names[]; /* "none", "zlib" …, NULL-terminated, index: Compression */

typedef struct FilesystemOptions {
        const char *label;
        const char *last_mounted; /* ext4's hint "/", NULL: none */
        Uuid uuid;                /* vfat takes its 32-bit serial from the first four bytes */
        Uuid hash_seed;           /* ext4 directory hashes */
        int64_t time;             /* of creation; no other is later. Seconds since the epoch */

        /* Where the file system chooses its size: what is left free for later, the larger of a fixed size and a part of
         * the content (0: none), and what the size is a multiple of (0: as the file system likes). */
        uint64_t reserve_size;
        unsigned reserve_percent;
        uint64_t size_grain;

        Compression compression; /* one that filesystem_compresses() */
        int compression_level;   /* 0: the algorithm's default */

        const char *const *
                subvolumes; /* btrfs: directories of the tree that become subvolumes, parents first; NULL: none */
        bool read_only;     /* btrfs: the property of all its subvolumes */

        /* What cannot be stored, and the tree can do without (access control lists in squashfs), is left out, and a sentence
         * about it appended here. NULL: it is refused like all else that cannot be stored. */
        char ***left_out;

        unsigned n_threads; /* 0: one per processor; the bytes do not depend on it */
        Progress *progress; /* is told what was read of files; may be NULL */
} FilesystemOptions;

/* Where a file system is written: at an offset of a file that reads as zeros from there on. */
typedef struct FilesystemPlace {
        int fd;
        uint64_t offset;
        uint64_t size; /* 0: what the content and the reserve need; the file is extended to the end of it */
} FilesystemPlace;

typedef struct Filesystem {
        const char *name;      /* "ext4" */
        bool read_only;        /* it cannot be written to later, so room for that would be lost */
        unsigned compressions; /* bits 1 << Compression beside COMPRESSION_NONE; 0: it does not compress */
        /* Whether it can compress so on this host, at that level (0: the default): -EINVAL or -EOPNOTSUPP with a reason if
         * not. NULL where compressions is 0. */
        int (*check_compression)(Compression compression, int level, Reason *reason);

        /* Writes the tree and says how many bytes the file system has. -ENOSPC when place->size is too small: then, and only
         * then of all failures, ret_size is set, to the smallest size that would do. -EINTR after interrupt_check(). What
         * the file system cannot store is refused with a reason that names the file. */
        int (*make)(const Tree *tree, const FilesystemOptions *options, const FilesystemPlace *place,
                    uint64_t *ret_size, Reason *reason);
} Filesystem;

extern const Filesystem filesystem_btrfs, filesystem_ext4, filesystem_squashfs, filesystem_swap,
        filesystem_vfat;

/* NULL-terminated; a name that is not in it is answered with NULL. */
extern const Filesystem *const filesystems[];
const Filesystem *filesystem_find(const char *name);

/* Whether the file system can compress so; COMPRESSION_NONE is always fine. */
bool filesystem_compresses(const Filesystem *filesystem, Compression compression);

/* The size for content_size bytes of content by the options' rules: reserve added, rounded up to the grain. */
uint64_t filesystem_size(const FilesystemOptions *options, uint64_t content_size);

/* The part of it that is reserve. */
uint64_t filesystem_reserve(const FilesystemOptions *options, uint64_t content_size);
