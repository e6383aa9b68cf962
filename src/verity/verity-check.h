/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Whether data, hash tree and root hash fit together, told by reading all of them: every block of data and of the
 * tree is hashed and compared with the digest that the block above it has, from the root hash down. */

#include "verity/verity.h"

/* A hash area that somebody else may have written. */
typedef struct VerityArea {
        int fd;
        uint64_t offset, size; /* in bytes; the tree may be smaller */
} VerityArea;

/* The first thing that does not fit to the digest above it, from the top. */
typedef enum VerityFaultKind {
        VERITY_FAULT_NONE,
        VERITY_FAULT_TREE, /* a hash block; when it is the top one, the root hash may be the wrong one */
        VERITY_FAULT_DATA,
} VerityFaultKind;

typedef struct VerityFault {
        VerityFaultKind kind;
        size_t level;   /* of a hash block: 0 is the lowest level, whose digests are of data */
        uint64_t block; /* its number within the level, or within the data */
} VerityFault;

/* Reads the superblock. -EBADMSG with a reason when it is none, or none of ours, or its tree does not fit into the
 * area. */
int verity_superblock_read(const VerityArea *area, VeritySuperblock *ret, Reason *reason);

/* What is to be checked, and how. */
typedef struct VerityCheck {
        VerityData data; /* may be larger than what the tree protects, which the superblock says */
        VerityArea area;
        Sha256Digest root_hash;
        unsigned n_threads;
        Progress *progress;
} VerityCheck;

/* 0 when everything fits, 1 with the first fault when it does not. -EBADMSG with a reason when it cannot be told:
 * what verity_superblock_read() refuses, and a tree for more data than there is. */
int verity_check(const VerityCheck *check, VerityFault *ret, Reason *reason);

/* Names the place of a fault: "data block 5 (bytes 20480 to 24575)", "block 0 of level 1 of the hash tree". */
int verity_fault_format(const VerityFault *fault, char **ret);
