/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What of an image is to be signed on another machine, as a file beside it: a JSON object
 *
 *   sign_request_version  1; a number that changes when a member gets another meaning
 *   image                 name of the image's file
 *   size, sha256          of the image without signatures: of it as it is, with zeros in all ranges below
 *   time                  of the signatures of programs, in seconds since 1970; not there: they have none
 *   items                 what is to be signed; of each:
 *     id                  by which its signature is handed back
 *     kind                whose key signs: "secure-boot": an EFI program, or a variable that firmware enrolls; "verity":
 *                         the root hash; "checksums": SHA256SUMS, with GnuPG
 *     path                of the file on the EFI system partition, name of the partition, or name of the file
 *     digest_algorithm    "sha256"
 *     bytes               what is to be signed, in base64; PKCS #1 v1.5 for RSA keys, ECDSA for others
 *     digest              of these bytes
 *     certificate, certificate_sha256
 *                         subject and fingerprint of the certificate that verifies the signature
 *     ranges              offset and size in the image of the bytes that the signature will change: first its own
 *                         place, then, of programs, that of the check sum in their headers
 *
 * An item of the kind "checksums" has neither bytes nor certificate: what is to be signed is the file, which names the
 * image's digest, and so is not there before everything else is signed. */

#include <stdio.h>

#include "base/hash.h"
#include "base/progress.h"
#include "base/reason.h"
#include "secureboot/der.h"

#define SIGN_REQUEST_SUFFIX ".sign-request"

/* What is read at most. */
#define SIGN_REQUEST_SIZE_MAX (16 * MIB)
#define SIGN_ITEMS_MAX        1000
#define SIGN_RANGES_MAX       2
#define SIGN_ID_LENGTH_MAX    64

typedef enum SignKind {
        SIGN_SECURE_BOOT,
        SIGN_VERITY,
        SIGN_CHECKSUMS,
        SIGN_KIND_MAX,
} SignKind;

extern const char *const sign_kind_words[]; /* "secure-boot" … */

typedef struct SignRange {
        uint64_t offset, size; /* bytes in the image */
} SignRange;

typedef struct SignItem {
        char *id, *path;
        SignKind kind;
        Der bytes; /* to be signed */
        SignRange ranges[SIGN_RANGES_MAX];
        size_t n_ranges;
        char *certificate; /* its subject */
        Sha256Digest fingerprint;
} SignItem;

typedef struct SignRequest {
        char *image;
        uint64_t size;
        Sha256Digest digest;
        int64_t time; /* AUTHENTICODE_NO_TIME: none */
        SignItem *items;
        size_t n_items;
} SignRequest;

void sign_request_done(SignRequest *request);

/* Appends an item of the kind, with an ID of its own, for the caller to fill: it is good until the next one is added.
 * -E2BIG when there are too many. */
int sign_request_add(SignRequest *request, SignKind kind, const char *path, SignItem **ret);

/* NULL when there is none. */
const SignItem *sign_request_find(const SignRequest *request, const char *id);

/* Whether the text can be an ID: letters, digits, dots, hyphens and underscores, no dot in front, so that it can be the
 * name of a file. */
bool sign_id_is_valid(const char *text);

/* The JSON object as text. */
int sign_request_format(const SignRequest *request, char **ret);

/* Reads it, whatever the text is. All that other code relies on is checked: IDs are valid and each is there once, ranges
 * lie in the image and do not overlap, digests are those of the bytes. -EBADMSG with a reason, and with the line that
 * was reached, when not. */
int sign_request_parse(const char *text, size_t size, SignRequest *ret, unsigned *ret_line, Reason *reason);

/* The SHA-256 of a file of the request's size, with zeros in all ranges. -ENODATA when it is shorter, -EINTR after
 * interrupt_check(). Progress, which may be NULL, is told of all of its size. */
int sign_request_hash(const SignRequest *request, int fd, Progress *progress, Sha256Digest *ret);
