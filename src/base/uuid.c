/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "base/hash.h"
#include "base/uuid.h"

static int digit_value(char c) {
        if (c >= '0' && c <= '9')
                return c - '0';
        if (c >= 'a' && c <= 'f')
                return c - 'a' + 10;
        if (c >= 'A' && c <= 'F')
                return c - 'A' + 10;
        return -1;
}

int uuid_parse(const char *text, Uuid *ret) {
        const bool dashes = strlen(text) == UUID_TEXT_SIZE - 1;
        Uuid uuid = {};

        if (!dashes && strlen(text) != 32)
                return -EINVAL;

        for (size_t i = 0; i < sizeof(uuid.bytes); i++) {
                if (dashes && (i == 4 || i == 6 || i == 8 || i == 10) && *text++ != '-')
                        return -EINVAL;

                const int high = digit_value(text[0]), low = digit_value(text[1]);
                if (high < 0 || low < 0)
                        return -EINVAL;
                uuid.bytes[i] = (uint8_t)(high << 4 | low);
                text += 2;
        }

        *ret = uuid;
        return 0;
}

void uuid_format(Uuid uuid, char text[static UUID_TEXT_SIZE]) {
        const uint8_t *b = uuid.bytes;

        (void)snprintf(text, UUID_TEXT_SIZE,
                       "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0], b[1],
                       b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13], b[14],
                       b[15]);
}

static Uuid uuid_mark(Uuid uuid, uint8_t version) {
        uuid.bytes[6] = (uint8_t)((uuid.bytes[6] & 0x0f) | version << 4);
        uuid.bytes[8] = (uint8_t)((uuid.bytes[8] & 0x3f) | 0x80);
        return uuid;
}

int uuid_random(Uuid *ret) {
        Uuid uuid;

        for (;;) {
                const ssize_t n = getrandom(uuid.bytes, sizeof(uuid.bytes), 0);

                if (n == (ssize_t)sizeof(uuid.bytes))
                        break;
                if (n < 0 && errno != EINTR)
                        return -errno;
        }

        *ret = uuid_mark(uuid, 4);
        return 0;
}

int uuid_derive(Uuid seed, const char *purpose, Uuid *ret) {
        Sha256Digest digest;
        Uuid uuid;

        const int r = hmac_sha256(seed.bytes, sizeof(seed.bytes), purpose, strlen(purpose), &digest);
        if (r < 0)
                return r;

        memcpy(uuid.bytes, digest.bytes, sizeof(uuid.bytes));
        *ret = uuid_mark(uuid, 8);
        return 0;
}
