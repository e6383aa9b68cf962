/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* An image, whoever made it, looked at from outside: nothing that the builder knew is taken for granted. It is a disk, or
 * a file system that fills a file. */

#include "base/hash.h"
#include "base/progress.h"
#include "format/gpt-reader.h"
#include "format/partition-type.h"
#include "secureboot/certificate.h"
#include "verify/result.h"

/* A root hash, and who says so: "image.roothash", "EFI/Linux/linux.efi". */
typedef struct VerifyRootHash {
        Sha256Digest digest;
        char *source;
} VerifyRootHash;

/* What the caller relies on: that it is not there to be checked is a failure, where it would be absent otherwise. */
typedef enum VerifyWants {
        VERIFY_WANTS_ROOT_HASH = 1 << 0, /* that the caller added */
        VERIFY_WANTS_BOOT_SIGNATURE = 1 << 1,
        VERIFY_WANTS_ROOT_SIGNATURE = 1 << 2,
} VerifyWants;

typedef struct VerifyDisk {
        int fd; /* not owned */
        uint64_t size;
        const Certificate *boot_certificate;   /* who may sign EFI programs; NULL: nobody is known */
        const Certificate *verity_certificate; /* who may sign the root hash; NULL: nobody is known */
        Progress *progress;                    /* may be NULL */
        VerifyWants wants;

        /* What is found, for those that look later. */
        bool has_table; /* it could be read */
        GptDisk table;
        VerifyRootHash *root_hashes; /* the caller may add what is said beside the image */
        size_t n_root_hashes;
        VerifyResults results;
} VerifyDisk;

/* Adds a root hash that somebody says. */
int verify_disk_add_root_hash(VerifyDisk *disk, const Sha256Digest *digest, const char *source);

/* Finds out what kind of image it is, by how it begins, looks at everything there is, in the order of a table, and adds the
 * results. 0 also when things failed; an error only when it could not be told: -EINTR, -ENOMEM, -EIO. */
int verify_disk(VerifyDisk *disk);
/* Says instead why an image is of a kind that is not looked into. */
int verify_disk_pass_over(VerifyDisk *disk, const char *why);
void verify_disk_done(VerifyDisk *disk);

/* What it means that there is nothing to check of what somebody may want. */
VerifyVerdict verify_disk_absence(const VerifyDisk *disk, VerifyWants wants);

/* The first partition of the type, of any architecture; NULL: there is none. And how many there are. */
const GptEntry *verify_disk_find(const VerifyDisk *disk, PartitionType type);
size_t verify_disk_count(const VerifyDisk *disk, PartitionType type);
