/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* SHA-256 (FIPS 180-4) and HMAC-SHA-256 (RFC 2104), by libcrypto. */

#include "base/macro.h"

#define SHA256_SIZE 32

typedef struct Sha256Digest {
        uint8_t bytes[SHA256_SIZE];
} Sha256Digest;

typedef struct Sha256 Sha256; /* a hash under way */

int sha256_new(Sha256 **ret);
void sha256_free(Sha256 *hash);
DEFINE_CLEANUP(Sha256, sha256_free)
int sha256_add(Sha256 *hash, const void *data, size_t size);
/* Ends the hash; it must not be added to afterwards. */
int sha256_finish(Sha256 *hash, Sha256Digest *ret);

int sha256(const void *data, size_t size, Sha256Digest *ret);
int hmac_sha256(const void *key, size_t key_size, const void *data, size_t size, Sha256Digest *ret);

/* 64 lower-case hexadecimal digits and a NUL. */
void sha256_format(const Sha256Digest *digest, char text[static 2 * SHA256_SIZE + 1]);

/* The reverse; anything else is -EINVAL. */
int sha256_parse(const char *text, Sha256Digest *ret);
