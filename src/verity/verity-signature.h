/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The content of a verity signature partition (Discoverable Partitions Specification, "Verity"): a JSON object with
 * the root hash, a PKCS#7 signature of it (RFC 2315, DER) and the SHA-256 of the certificate, padded with NULs to a
 * multiple of 4096 bytes. What is signed is the root hash as text, 64 lower-case digits without a newline, as the
 * kernel wants it. */

#include "base/hash.h"
#include "base/reason.h"

/* What systemd reads at most. */
#define VERITY_SIGNATURE_SIZE_MAX (4 * MIB)

typedef struct VeritySignature {
        Sha256Digest root_hash;
        uint8_t *signature; /* DER */
        size_t signature_size;
        Sha256Digest certificate_fingerprint; /* of the certificate as DER */
        bool has_fingerprint;
} VeritySignature;

void verity_signature_done(VeritySignature *signature);

/* Who signs: the certificate, and a function that makes a detached PKCS#7 signature of the data with the key that
 * belongs to it, in memory of malloc(). The kernel looks for the certificate in its keyring, so the signature need
 * not hold it, and looks for no attributes. */
typedef struct VeritySigner {
        const uint8_t *certificate; /* DER */
        size_t certificate_size;
        int (*sign)(void *userdata, const void *data, size_t size, uint8_t **ret_der, size_t *ret_size);
        void *userdata;
} VeritySigner;

/* Signs the root hash. A signature that the certificate does not verify is -EKEYREJECTED. */
int verity_signature_make(const Sha256Digest *root_hash, const VeritySigner *signer, VeritySignature *ret,
                          Reason *reason);

/* The same for a signature that was made elsewhere; the bytes are copied. */
int verity_signature_attach(const Sha256Digest *root_hash, const uint8_t *signature, size_t signature_size,
                            const uint8_t *certificate, size_t certificate_size, VeritySignature *ret,
                            Reason *reason);

/* How large a partition is whose signature has at most so many bytes. */
size_t verity_signature_partition_size(size_t signature_size);

/* The partition's content. */
int verity_signature_write(const VeritySignature *signature, char **ret, size_t *ret_size);

/* Reads it, whatever the bytes are. Members that the specification does not have (yet) are passed over. -EBADMSG with
 * a reason when something is missing, twice there, or not as it should be. Says nothing of who signed. */
int verity_signature_read(const char *content, size_t size, VeritySignature *ret, Reason *reason);

/* 1 when the owner of the certificate (DER) signed the root hash, 0 with a reason when not. Whether the certificate
 * itself is to be trusted, and still valid, is not looked at: who asks has chosen it, as has who puts it into a
 * keyring. */
int verity_signature_verify(const VeritySignature *signature, const uint8_t *certificate,
                            size_t certificate_size, Reason *reason);
