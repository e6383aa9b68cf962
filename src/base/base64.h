/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Base64 (RFC 4648, section 4) on one line, by libcrypto. */

#include "base/macro.h"

/* What is read at most, in bytes of text. */
#define BASE64_LENGTH_MAX (64 * MIB)

/* The bytes as text of malloc(). More than fit into BASE64_LENGTH_MAX are -EFBIG. */
int base64_encode(const void *bytes, size_t size, char **ret);

/* The bytes of a text, in memory of malloc() that has one byte at least. Strict: -EBADMSG for blanks, for missing
 * padding, and for bits that would be lost. */
int base64_decode(const char *text, uint8_t **ret, size_t *ret_size);
