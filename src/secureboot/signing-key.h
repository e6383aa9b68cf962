/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Private keys that sign, each in a process of its own (base/keeper.h): it reads the key, and all that is to be had of it
 * are signatures. So neither this process nor what it runs has anything of the key in its memory. */

#include "base/macro.h"
#include "base/reason.h"
#include "base/secret.h"
#include "secureboot/certificate.h"

typedef struct SigningKey SigningKey;

/* Loads the key as private_key_load() does, with its answers (secureboot/private-key.h). -EINTR after an interrupt. */
int signing_key_load(const char *source, const Secret *passphrase, SigningKey **ret, Reason *reason);
void signing_key_free(SigningKey *key);
DEFINE_CLEANUP(SigningKey, signing_key_free)

/* -EKEYREJECTED when the key is not that of the certificate. */
int signing_key_check(const SigningKey *key, const Certificate *certificate, Reason *reason);

/* Signs the SHA-256 digest of these bytes, as the algorithm of the key's certificate wants it: PKCS #1 v1.5, or an
 * ECDSA-Sig-Value (RFC 3279, 2.2.3). */
int signing_key_sign(const SigningKey *key, const void *data, size_t size, Der *ret, Reason *reason);
