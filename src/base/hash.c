/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "base/crypto.h"
#include "base/hash.h"

/* A Sha256 is libcrypto's context under a name of ours. */
static EVP_MD_CTX *context_of(Sha256 *hash) {
        return (EVP_MD_CTX *)hash;
}

int sha256_new(Sha256 **ret) {
        EVP_MD_CTX *context;

        crypto_ensure();
        context = EVP_MD_CTX_new();
        if (!context)
                return -ENOMEM;
        if (EVP_DigestInit_ex(context, EVP_sha256(), NULL) != 1) {
                EVP_MD_CTX_free(context);
                return -ENOTSUP;
        }

        *ret = (Sha256 *)context;
        return 0;
}

void sha256_free(Sha256 *hash) {
        EVP_MD_CTX_free(context_of(hash));
}

int sha256_add(Sha256 *hash, const void *data, size_t size) {
        return EVP_DigestUpdate(context_of(hash), data, size) == 1 ? 0 : -EIO;
}

int sha256_finish(Sha256 *hash, Sha256Digest *ret) {
        Sha256Digest digest;

        if (EVP_DigestFinal_ex(context_of(hash), digest.bytes, NULL) != 1)
                return -EIO;
        *ret = digest;
        return 0;
}

int sha256(const void *data, size_t size, Sha256Digest *ret) {
        _cleanup_(sha256_freep) Sha256 *hash = NULL;

        int r = sha256_new(&hash);
        if (r < 0)
                return r;
        r = sha256_add(hash, data, size);
        if (r < 0)
                return r;
        return sha256_finish(hash, ret);
}

int hmac_sha256(const void *key, size_t key_size, const void *data, size_t size, Sha256Digest *ret) {
        Sha256Digest digest;

        if (key_size > INT32_MAX)
                return -EINVAL;
        crypto_ensure();
        if (!HMAC(EVP_sha256(), key, (int)key_size, data, size, digest.bytes, NULL))
                return -EIO;
        *ret = digest;
        return 0;
}

void sha256_format(const Sha256Digest *digest, char text[static 2 * SHA256_SIZE + 1]) {
        static const char digits[] = "0123456789abcdef";

        for (size_t i = 0; i < SHA256_SIZE; i++) {
                text[2 * i] = digits[digest->bytes[i] >> 4];
                text[2 * i + 1] = digits[digest->bytes[i] & 15];
        }
        text[2 * SHA256_SIZE] = '\0';
}

static int parse_digit(char c) {
        return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -EINVAL;
}

int sha256_parse(const char *text, Sha256Digest *ret) {
        Sha256Digest digest;

        for (size_t i = 0; i < SHA256_SIZE; i++) {
                const int high = parse_digit(text[2 * i]),
                          low = high < 0 ? high : parse_digit(text[2 * i + 1]);

                if (low < 0)
                        return -EINVAL;
                digest.bytes[i] = (uint8_t)(high << 4 | low);
        }
        if (text[2 * SHA256_SIZE] != '\0')
                return -EINVAL;
        *ret = digest;
        return 0;
}
