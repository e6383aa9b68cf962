/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* dm-verity: the hash tree of data in a file, which veritysetup(8) and the kernel take, computed by all processors.
 * verity-layout.h says what it looks like. */

#include "base/progress.h"
#include "verity/verity-superblock.h"

typedef struct VerityOptions {
        Uuid uuid;
        VeritySalt salt;
        unsigned n_threads; /* at most; 0: one for each processor that this process may run on */
        Progress *progress; /* is told of the bytes of data; NULL: nobody is */
} VerityOptions;

/* Where the data is, in bytes. The position of the file is moved if it is a regular one. */
typedef struct VerityData {
        int fd;
        uint64_t offset, size;
} VerityData;

/* Where the hash area is, or becomes: open for reading, and for writing it for writing too. */
typedef struct VerityPlace {
        int fd;
        uint64_t offset; /* in bytes */
} VerityPlace;

/* How many bytes the hash area has for so much data. 0 when there is no such tree: no data, not whole blocks of 4096
 * bytes, or more than a file can have. */
uint64_t verity_size(uint64_t data_size);

/* Computes the tree of data that is final, and writes it with its superblock. Holes of the data are not read. The
 * memory that it takes does not depend on the size. -EINVAL when the size is not one of verity_size()'s, -ENODATA
 * when the file is shorter, -EINTR after interrupt_check(). */
int verity_hash_file(const VerityData *data, const VerityOptions *options, const VerityPlace *place,
                     Sha256Digest *ret_root_hash, Reason *reason);

/* The three that follow are what verity_hash_file() and verity_check() have in common. Refuses a range that is not in
 * the file: -EINVAL, -ENODATA; what is the name of its content. */
int verity_look_for(int fd, uint64_t offset, uint64_t size, const char *what, Reason *reason);

/* The layout of the tree over the data, which must be there, and be whole blocks. */
int verity_data_layout(const VerityData *data, VerityLayout *ret, Reason *reason);

/* The root hash of a tree that is there: the digest of its top block, or of the only data block. */
int verity_root_hash(const VerityData *data, const VerityLayout *layout, const VeritySalt *salt,
                     const VerityPlace *place, Sha256Digest *ret);
