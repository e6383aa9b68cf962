/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <string.h>
#include <time.h>

#include "secureboot/der.h"

/* Certificates and signatures have a few KiB. */
#define DER_SIZE_MAX   (16 * MIB)
#define LENGTH_BYTES   4 /* of what is that small */
#define LENGTH_SHORT   0x80
#define CAPACITY_FIRST 1024

/* 2050-01-01, from which on two digits of the year do not tell the century. */
#define UTC_TIME_END INT64_C(2524608000)

void der_done(Der *der) {
        free(der->bytes);
        *der = (Der){};
}

/* Makes room for so many bytes more. */
static bool reserve(Der *der, size_t size) {
        if (der->error < 0)
                return false;
        if (size > DER_SIZE_MAX - der->size) {
                der->error = -EFBIG;
                return false;
        }
        if (der->size + size <= der->capacity)
                return true;

        size_t capacity = MAX(2 * der->capacity, (size_t)CAPACITY_FIRST);
        capacity = MAX(capacity, der->size + size);
        uint8_t *bytes = realloc(der->bytes, capacity);
        if (!bytes) {
                der->error = -ENOMEM;
                return false;
        }
        der->bytes = bytes;
        der->capacity = capacity;
        return true;
}

void der_add_raw(Der *der, const void *bytes, size_t size) {
        if (size == 0 || !reserve(der, size))
                return;
        memcpy(der->bytes + der->size, bytes, size);
        der->size += size;
}

/* The length as it stands behind the tag: one byte, or the number of bytes that follow and these. */
static size_t encode_length(size_t length, uint8_t bytes[static LENGTH_BYTES + 1]) {
        size_t n = 0;

        if (length < LENGTH_SHORT) {
                bytes[0] = (uint8_t)length;
                return 1;
        }
        for (size_t rest = length; rest > 0; rest >>= 8)
                n++;
        bytes[0] = (uint8_t)(LENGTH_SHORT | n);
        for (size_t i = 0; i < n; i++)
                bytes[1 + i] = (uint8_t)(length >> (8 * (n - 1 - i)));
        return n + 1;
}

void der_add(Der *der, uint8_t tag, const void *content, size_t size) {
        const size_t start = der_begin(der, tag);

        der_add_raw(der, content, size);
        der_end(der, start);
}

void der_add_integer(Der *der, uint8_t value) {
        assert(value < 0x80);
        der_add(der, DER_INTEGER, &value, sizeof(value));
}

void der_add_identifier(Der *der, const uint8_t *identifier, size_t size) {
        der_add(der, DER_OBJECT_IDENTIFIER, identifier, size);
}

void der_add_time(Der *der, int64_t time) {
        const time_t seconds = (time_t)time;
        const bool is_utc_time = time >= 0 && time < UTC_TIME_END;
        struct tm parts;
        char text[32];

        if (!gmtime_r(&seconds, &parts) || parts.tm_year + 1900 < 0 || parts.tm_year + 1900 > 9999) {
                der->error = der->error < 0 ? der->error : -ERANGE;
                return;
        }
        /* UTCTime leaves out the century. */
        const size_t size = strftime(text, sizeof(text), "%Y%m%d%H%M%SZ", &parts),
                     n_left_out = is_utc_time ? 2 : 0;
        der_add(der, is_utc_time ? DER_UTC_TIME : DER_GENERALIZED_TIME, text + n_left_out, size - n_left_out);
}

size_t der_begin(Der *der, uint8_t tag) {
        der_add_raw(der, &tag, sizeof(tag));
        return der->size;
}

void der_end(Der *der, size_t start) {
        uint8_t length[LENGTH_BYTES + 1];

        if (der->error < 0)
                return;
        assert(start <= der->size);
        const size_t content_size = der->size - start, n = encode_length(content_size, length);
        if (!reserve(der, n))
                return;
        memmove(der->bytes + start + n, der->bytes + start, content_size);
        memcpy(der->bytes + start, length, n);
        der->size += n;
}

int der_finish(const Der *der) {
        return der->error;
}
