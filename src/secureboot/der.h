/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Writes ASN.1 values by the Distinguished Encoding Rules (ITU-T X.690): every value in one way only, so that the
 * same input gives the same bytes. Lengths are put in when a value ends, and nobody has to count beforehand. */

#include "base/macro.h"

enum {
        DER_INTEGER = 0x02,
        DER_BIT_STRING = 0x03,
        DER_OCTET_STRING = 0x04,
        DER_NULL = 0x05,
        DER_OBJECT_IDENTIFIER = 0x06,
        DER_UTC_TIME = 0x17,
        DER_GENERALIZED_TIME = 0x18,
        DER_SEQUENCE = 0x30,
        DER_SET = 0x31,
        DER_CONTEXT = 0x80,             /* + number: what the context says, a primitive value */
        DER_CONTEXT_CONSTRUCTED = 0xa0, /* + number: the same with values in it */
};

/* What is written so far. The first failure stays, and der_finish() answers it: calls need not be checked one by one.
 * */
typedef struct Der {
        uint8_t *bytes;
        size_t size, capacity;
        int error; /* negative errno; 0: none */
} Der;

void der_done(Der *der);

/* Appends bytes that are values already, whole. */
void der_add_raw(Der *der, const void *bytes, size_t size);

/* Appends a value with this content. */
void der_add(Der *der, uint8_t tag, const void *content, size_t size);
void der_add_integer(Der *der, uint8_t value); /* at most 127 */
/* The identifier is what stands behind tag and length. */
void der_add_identifier(Der *der, const uint8_t *identifier, size_t size);
/* A time in UTC, in seconds since 1970: UTCTime up to 2049, GeneralizedTime from then on (RFC 5652, 11.3). */
void der_add_time(Der *der, int64_t time);

/* What is appended in between becomes the content of a value. der_end() takes what der_begin() answered. */
size_t der_begin(Der *der, uint8_t tag);
void der_end(Der *der, size_t start);

/* 0, or the first failure. */
int der_finish(const Der *der);
