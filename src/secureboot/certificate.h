/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* X.509 certificates (RFC 5280), as far as signatures of firmware need to know them. */

#include "base/hash.h"
#include "base/macro.h"
#include "base/reason.h"
#include "secureboot/der.h"

/* How the key of a certificate signs; always with SHA-256. */
typedef enum SignatureAlgorithm {
        SIGNATURE_RSA,   /* PKCS #1 v1.5: the same input gives the same signature */
        SIGNATURE_ECDSA, /* random by nature */
} SignatureAlgorithm;

typedef struct Certificate {
        char *subject; /* one line, as RFC 2253 writes names: "CN=Teapot,O=Kitchen" */
        SignatureAlgorithm algorithm;
        unsigned n_key_bits;
        int64_t not_before, not_after; /* seconds since 1970 */
        Der encoding;                  /* the certificate itself */
        Der issuer_and_serial;    /* IssuerAndSerialNumber, by which signatures name it (RFC 2315, 6.7) */
        Sha256Digest fingerprint; /* of the encoding */
} Certificate;

/* RSA keys of UEFI have at least the first number of bits; more than the second takes too long for what it gives. */
#define CERTIFICATE_RSA_BITS_MIN 2048
#define CERTIFICATE_RSA_BITS_MAX 4096

/* The most bytes that any signature has. */
#define CERTIFICATE_SIGNATURE_SIZE_MAX (CERTIFICATE_RSA_BITS_MAX / 8)

/* Reads the first certificate of a PEM file. -EBADMSG when there is none, -ENOTSUP for keys other than RSA of 2048 to
 * 4096 bits and the curves P-256 and P-384; see the reason. */
int certificate_load(const char *path, Certificate **ret, Reason *reason);
/* The same for a certificate's encoding. */
int certificate_parse(const void *encoding, size_t size, Certificate **ret, Reason *reason);
/* The most bytes that a signature by its key has. */
size_t certificate_signature_size(const Certificate *certificate);

/* 1 when the certificate's key made this signature of the bytes, as signing_key_sign() makes it; 0 when not. */
int certificate_verify(const Certificate *certificate, const void *data, size_t size, const void *signature,
                       size_t signature_size);

void certificate_free(Certificate *certificate);
DEFINE_CLEANUP(Certificate, certificate_free)
