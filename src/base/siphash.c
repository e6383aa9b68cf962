/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include "base/crypto.h"
#include "base/siphash.h"

static void mac_freep(EVP_MAC **mac) {
        EVP_MAC_free(*mac);
}

static void mac_context_freep(EVP_MAC_CTX **context) {
        EVP_MAC_CTX_free(*context);
}

int siphash24(const uint8_t key[static SIPHASH_KEY_SIZE], const void *data, size_t size, uint64_t *ret) {
        _cleanup_(mac_freep) EVP_MAC *mac = NULL;
        _cleanup_(mac_context_freep) EVP_MAC_CTX *context = NULL;
        size_t hash_size = sizeof(uint64_t), written;
        uint8_t hash[sizeof(uint64_t)];
        uint64_t number = 0;

        crypto_ensure();
        mac = EVP_MAC_fetch(NULL, OSSL_MAC_NAME_SIPHASH, NULL);
        if (!mac)
                return -EOPNOTSUPP;
        context = EVP_MAC_CTX_new(mac);
        if (!context)
                return -ENOMEM;

        const OSSL_PARAM parameters[] = {
                OSSL_PARAM_construct_size_t(OSSL_MAC_PARAM_SIZE, &hash_size),
                OSSL_PARAM_construct_end(),
        };
        if (EVP_MAC_init(context, key, SIPHASH_KEY_SIZE, parameters) != 1 ||
            EVP_MAC_update(context, data, size) != 1 ||
            EVP_MAC_final(context, hash, &written, sizeof(hash)) != 1 || written != sizeof(hash))
                return -ENOMEM;

        for (size_t i = 0; i < sizeof(hash); i++)
                number |= (uint64_t)hash[i] << (8 * i);
        *ret = number;
        return 0;
}
