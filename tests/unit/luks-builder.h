/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* LUKS2 headers around any JSON text, with check sums that fit. */

#include <endian.h>
#include <string.h>

#include "base/fd.h"
#include "base/hash.h"

#define LUKS_BUILDER_BINARY_SIZE 4096
#define LUKS_BUILDER_CHECKSUM    448

/* Puts the check sum of a header with its JSON area right, both of them so many bytes long. */
static inline bool luks_builder_mend(uint8_t *header, size_t size) {
        Sha256Digest digest;

        memset(header + LUKS_BUILDER_CHECKSUM, 0, 64);
        if (sha256(header, size, &digest) < 0)
                return false;
        memcpy(header + LUKS_BUILDER_CHECKSUM, &digest, sizeof(digest));
        return true;
}

static inline void luks_builder_number(uint8_t *to, uint64_t number) {
        const uint64_t big = htobe64(number);

        memcpy(to, &big, sizeof(big));
}

/* Writes both headers, each as large as size, with as much of the text as there is room for. */
static inline bool luks_builder_put(int fd, size_t size, const char *json, size_t json_size) {
        uint8_t *header = calloc(1, size);
        bool good = header != NULL;

        for (size_t i = 0; i < 2 && good; i++) {
                memcpy(header, i == 0 ? "LUKS\xba\xbe\0\2" : "SKUL\xba\xbe\0\2", 8);
                luks_builder_number(header + 8, size);
                luks_builder_number(header + 16, 1);
                memcpy(header + 72, "sha256", 6);
                header[104] = (uint8_t)i; /* salt */
                memcpy(header + 168, "01234567-89ab-cdef-0123-456789abcdef", 36);
                luks_builder_number(header + 256, i * size);
                memcpy(header + LUKS_BUILDER_BINARY_SIZE, json,
                       MIN(json_size, size - LUKS_BUILDER_BINARY_SIZE));
                good = luks_builder_mend(header, size) && fd_pwrite_all(fd, header, size, i * size) == 0;
        }
        free(header);
        return good;
}
