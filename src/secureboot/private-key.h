/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Private keys in the memory of this process: from PEM files, or from wherever a provider of OpenSSL finds them (PKCS #11
 * tokens). OpenSSL leaves traces of them all over its heap, so this is for processes that have nothing else to do:
 * signing-key.h is what others take. */

#include "base/macro.h"
#include "base/reason.h"
#include "base/secret.h"
#include "secureboot/certificate.h"

typedef struct PrivateKey PrivateKey;

/* Answers of private_key_load(). */
enum {
        PRIVATE_KEY_LOADED,
        PRIVATE_KEY_LOCKED,           /* it needs a passphrase, and none was given */
        PRIVATE_KEY_WRONG_PASSPHRASE, /* or it is damaged where it is encrypted: nothing tells that */
};

/* Loads the key from a PEM file, or by its URI (path_is_uri()). The passphrase, or PIN, may be NULL. -EBADMSG when
 * there is no key or more than the file may hold, -ENOTSUP when no provider knows such URIs; see the reason. Nothing
 * is asked of anybody. */
int private_key_load(const char *source, const Secret *passphrase, PrivateKey **ret, Reason *reason);
void private_key_free(PrivateKey *key);
DEFINE_CLEANUP(PrivateKey, private_key_free)

/* As signing_key_check() and signing_key_sign(). A key from a file also has to make a signature that the certificate
 * believes. */
int private_key_check(const PrivateKey *key, const Certificate *certificate, Reason *reason);
int private_key_sign(const PrivateKey *key, const void *data, size_t size, Der *ret, Reason *reason);
