/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <string.h>

#include "verity/root-hash.h"

#define HALF_DIGITS SHA256_SIZE /* two digits for each byte */

static_assert(2 * sizeof(Uuid) == SHA256_SIZE, "Two UUIDs are not as large as a root hash");

int root_hash_parse(const char *text, Sha256Digest *ret) {
        size_t length = strlen(text);
        char half[HALF_DIGITS + 1] = {};
        Uuid uuids[2];

        assert(ret);

        if (length > 0 && text[length - 1] == '\n')
                length--;
        if (length != 2 * HALF_DIGITS)
                return -EINVAL;
        /* 32 digits without dashes are a UUID. */
        for (size_t i = 0; i < ELEMENTSOF(uuids); i++) {
                memcpy(half, text + i * HALF_DIGITS, HALF_DIGITS);
                const int r = uuid_parse(half, &uuids[i]);
                if (r < 0)
                        return r;
        }

        root_hash_from_uuids(uuids[0], uuids[1], ret);
        return 0;
}

void root_hash_to_uuids(const Sha256Digest *root_hash, Uuid *ret_data, Uuid *ret_hash) {
        memcpy(ret_data->bytes, root_hash->bytes, sizeof(Uuid));
        memcpy(ret_hash->bytes, root_hash->bytes + sizeof(Uuid), sizeof(Uuid));
}

void root_hash_from_uuids(Uuid data, Uuid hash, Sha256Digest *ret) {
        memcpy(ret->bytes, data.bytes, sizeof(Uuid));
        memcpy(ret->bytes + sizeof(Uuid), hash.bytes, sizeof(Uuid));
}
