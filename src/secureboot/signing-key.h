/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Private keys that sign: from PEM files, or from wherever a provider of OpenSSL finds them (PKCS #11 tokens). The
 * key itself never leaves libcrypto, which wipes it from memory when it is freed. */

#include "base/macro.h"
#include "base/reason.h"
#include "base/secret.h"
#include "secureboot/certificate.h"

typedef struct SigningKey SigningKey;

/* Answers of signing_key_load(). */
enum {
        SIGNING_KEY_LOADED,
        SIGNING_KEY_LOCKED, /* it needs a passphrase, and none was given */
        SIGNING_KEY_WRONG_PASSPHRASE,
};

/* Loads the key from a PEM file, or by its URI (path_is_uri()). The passphrase, or PIN, may be NULL. -EBADMSG when
 * there is no key or more than the file may hold, -ENOTSUP when no provider knows such URIs; see the reason. Nothing
 * is asked of anybody. */
int signing_key_load(const char *source, const Secret *passphrase, SigningKey **ret, Reason *reason);
void signing_key_free(SigningKey *key);
DEFINE_CLEANUP(SigningKey, signing_key_free)

/* -EKEYREJECTED when the key is not that of the certificate. */
int signing_key_check(const SigningKey *key, const Certificate *certificate, Reason *reason);

/* Signs the SHA-256 digest of these bytes, as the algorithm of the key's certificate wants it: PKCS #1 v1.5, or an
 * ECDSA-Sig-Value (RFC 3279, 2.2.3). */
int signing_key_sign(const SigningKey *key, const void *data, size_t size, Der *ret, Reason *reason);
