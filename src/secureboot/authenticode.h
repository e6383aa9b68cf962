/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Signatures of PE images as UEFI firmware checks them (Microsoft's "Windows Authenticode Portable Executable
 * Signature Format"; UEFI Specification, 32.2): a PKCS #7 signature of the SHA-256 digest of the image, which lies in
 * the image's certificate table.
 *
 * Signing is three steps, of which the second may happen elsewhere: what is to be signed, the signature of these
 * bytes, and the two put together in the image. authenticode_sign() takes them all. */

#include "base/hash.h"
#include "base/macro.h"
#include "base/reason.h"
#include "secureboot/certificate-table.h"
#include "secureboot/certificate.h"
#include "secureboot/der.h"
#include "secureboot/pe.h"
#include "secureboot/signing-key.h"

/* No time in the signature. Firmware does not look at it. */
#define AUTHENTICODE_NO_TIME INT64_MIN

/* The digest of the image without its signatures and its checksum: of what the file will be when the next signature
 * is appended, its end filled up to 8 bytes. */
int authenticode_digest(const PeImage *image, Sha256Digest *ret);

typedef struct AuthenticodeRequest {
        Der content;    /* SpcIndirectDataContent: which digest the image has */
        Der attributes; /* the bytes to be signed: a SET of signed attributes */
} AuthenticodeRequest;

/* What is to be signed. The time is in seconds since 1970, or AUTHENTICODE_NO_TIME. */
int authenticode_request_make(const Sha256Digest *digest, int64_t time, AuthenticodeRequest *ret);
void authenticode_request_done(AuthenticodeRequest *request);

/* Makes what goes into the certificate table out of a signature of request->attributes: certificate_table_append(),
 * or certificate_entry_fill(). */
int authenticode_signature_make(const AuthenticodeRequest *request, const Certificate *certificate,
                                const Der *signature, Der *ret);

/* What to reserve: the most bytes that authenticode_signature_make() gives for this certificate and a request with
 * this time. With RSA it always gives as many. */
int authenticode_signature_size(const Certificate *certificate, int64_t time, uint32_t *ret);

/* Signs the image, whose file must be open for writing: the signature goes behind those that are there. The same key,
 * image and time give the same bytes with RSA. */
int authenticode_sign(PeImage *image, const SigningKey *key, const Certificate *certificate, int64_t time,
                      Reason *reason);

/* What an entry of the certificate table says, without being believed. */
typedef struct AuthenticodeSignature {
        Sha256Digest digest; /* of the image that was signed */
        char *signer;        /* subject of the certificate that comes with it and signed; NULL: none came */
        int64_t time;        /* AUTHENTICODE_NO_TIME: none */
} AuthenticodeSignature;

/* -EBADMSG when it is no such signature, or one with another digest than SHA-256; see the reason. */
int authenticode_read(const PeImage *image, const CertificateEntry *entry, AuthenticodeSignature *ret,
                      Reason *reason);
void authenticode_signature_done(AuthenticodeSignature *signature);

/* How an image stands to a certificate; from good to bad. */
typedef enum AuthenticodeVerdict {
        AUTHENTICODE_GOOD, /* it is as it was when the certificate's owner, or who has a certificate of his, signed */
        AUTHENTICODE_CHANGED,  /* it was signed so, but it is not the same any more */
        AUTHENTICODE_FOREIGN,  /* it was signed by others */
        AUTHENTICODE_UNSIGNED, /* there is no signature */
        AUTHENTICODE_VERDICT_MAX,
} AuthenticodeVerdict;

extern const char *const authenticode_verdict_texts[]; /* "good", "changed since it was signed" … */

/* Checks the image against a certificate that is trusted, at any time, as firmware does: its own signatures and those
 * of keys whose certificates it has signed. With several signatures the best one counts; those that cannot be read
 * are passed over, and what is wrong with them is in the reason if nothing better was found. A place that was kept for
 * a signature is none. */
int authenticode_verify(const PeImage *image, const Certificate *certificate, AuthenticodeVerdict *ret,
                        Reason *reason);

/* The same for one signature, whatever others there are. */
int authenticode_verify_entry(const PeImage *image, const CertificateEntry *entry,
                              const Certificate *certificate, AuthenticodeVerdict *ret, Reason *reason);
