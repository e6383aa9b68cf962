/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A disk image with places for signatures that are made elsewhere: which there are, what is to be signed, and what the
 * signatures change. The image is only read. Everything is looked for in the image itself, whatever a request says. */

#include "format/gpt-reader.h"
#include "format/vfat-reader.h"
#include "image/sign-request.h"
#include "image/signer.h"
#include "secureboot/certificate.h"

typedef struct SignDisk {
        int fd; /* of the image; not owned */
        uint64_t size;
        int64_t time; /* of signatures of programs; AUTHENTICODE_NO_TIME: none */
        const Certificate *certificates[SIGNER_ROLE_MAX]; /* not owned; NULL: nothing is signed so */
        GptDisk table;
        const GptEntry *boot_entry; /* NULL: there is no EFI system partition */
        VfatReader *boot;
} SignDisk;

/* Reads the partition table, and the EFI system partition if there is one. The fields above that are given are set.
 * -EBADMSG with a reason when something is not as it should be. */
int sign_disk_open(SignDisk *disk, Reason *reason);
void sign_disk_done(SignDisk *disk);

/* Whose certificate verifies items of the kind. */
SignerRole sign_kind_role(SignKind kind);

/* Appends an item for every place that waits for a signature. */
int sign_disk_survey(const SignDisk *disk, SignRequest *request, Reason *reason);

/* What is to be written into the image. */
typedef struct SignPatch {
        SignRange range;
        uint8_t *bytes;
} SignPatch;

typedef struct SignPatches {
        SignPatch *items;
        size_t n_items;
} SignPatches;

void sign_patches_done(SignPatches *patches);
/* Appends one, all zeros for now; it is good until the next one is added. */
int sign_patches_add(SignPatches *patches, SignRange range, SignPatch **ret);

typedef enum SignState {
        SIGN_STATE_EMPTY,  /* the place waits for the signature */
        SIGN_STATE_SIGNED, /* a signature is there, and good */
        SIGN_STATE_MAX,
} SignState;

/* Looks for the item in the image, where the place and what is to be signed must be as the request has them, and says
 * whether it is signed. With a signature, which is verified first, what that changes is appended to the patches; the
 * signature may be NULL. -ESTALE when the image is not the one of the request, -EKEYREJECTED when the signature is not
 * by the certificate's key. */
int sign_disk_attach(const SignDisk *disk, const SignItem *item, const Der *signature, SignPatches *patches,
                     SignState *ret, Reason *reason);

/* What all that is signed shares: the item's certificate is that of the disk; the image is not what the item says,
 * -ESTALE; a signature is not by the certificate's key, -EKEYREJECTED. */
int sign_disk_name_certificate(const SignDisk *disk, SignItem *item);
int sign_disk_fail_stale(const SignItem *item, Reason *reason);
int sign_disk_fail_key(const Certificate *certificate, Reason *reason);
