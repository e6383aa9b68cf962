/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* UUIDs (RFC 9562), in the byte order of their text form. */

#include "base/macro.h"

#define UUID_TEXT_SIZE 37

typedef struct Uuid {
        uint8_t bytes[16];
} Uuid;

static inline bool uuid_equal(Uuid a, Uuid b) {
        return __builtin_memcmp(a.bytes, b.bytes, sizeof(a.bytes)) == 0;
}

static inline bool uuid_is_null(Uuid uuid) {
        return uuid_equal(uuid, (Uuid){});
}

/* Reads 8-4-4-4-12 hexadecimal digits, or 32 without dashes. Anything else is -EINVAL. */
int uuid_parse(const char *text, Uuid *ret);

/* Writes 36 lower-case characters and a NUL. */
void uuid_format(Uuid uuid, char text[static UUID_TEXT_SIZE]);

/* A version-4 UUID out of the system's randomness. */
int uuid_random(Uuid *ret);

/* A UUID that is the same for the same seed and purpose ("partition root", "ext4 hash seed"), and unrelated for any
 * other: the first 128 bits of HMAC-SHA-256(seed, purpose), marked as version 8 (RFC 9562, 5.8: vendor's own). */
int uuid_derive(Uuid seed, const char *purpose, Uuid *ret);
