/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <endian.h>
#include <string.h>

#include <openssl/evp.h>

#include "base/crypto.h"
#include "verity/block-hash.h"
#include "verity/sha256-pair.h"

struct BlockHash {
        /* By libcrypto: a context that knows the salt already, and one that is made like it for each block. */
        EVP_MD *algorithm;
        EVP_MD_CTX *salted, *context;

        /* By two blocks at a time: the state behind all whole blocks of SHA-256 that the salt fills, the first such
         * block of a message from there on, and its end, with their places for data left open. */
        bool pair;
        Sha256State begin;
        uint8_t head[SHA256_BLOCK_SIZE], tail[2 * SHA256_BLOCK_SIZE];
        size_t head_salt; /* of the salt in the head; as many bytes of data are in the tail. 0: there is no head */
        size_t n_tail_blocks;
};

void block_hash_free(BlockHash *hash) {
        if (!hash)
                return;
        EVP_MD_CTX_free(hash->context);
        EVP_MD_CTX_free(hash->salted);
        EVP_MD_free(hash->algorithm);
        free(hash);
}

static void init_pair(BlockHash *hash, const VeritySalt *salt) {
        const size_t n_blocks = salt->size / SHA256_BLOCK_SIZE;
        const uint64_t n_bits = htobe64((salt->size + VERITY_BLOCK_SIZE) * 8);
        Sha256State states[2];

        hash->pair = sha256_pair_is_possible();
        if (!hash->pair)
                return;
        sha256_pair_begin(&states[0]);
        states[1] = states[0];
        sha256_pair_add(states, salt->bytes, salt->bytes, n_blocks);
        hash->begin = states[0];
        hash->head_salt = salt->size % SHA256_BLOCK_SIZE;
        memcpy(hash->head, salt->bytes + n_blocks * SHA256_BLOCK_SIZE, hash->head_salt);
        hash->tail[hash->head_salt] = 0x80;
        hash->n_tail_blocks = hash->head_salt + 1 + sizeof(n_bits) <= SHA256_BLOCK_SIZE ? 1 : 2;
        memcpy(hash->tail + hash->n_tail_blocks * SHA256_BLOCK_SIZE - sizeof(n_bits), &n_bits,
               sizeof(n_bits));
}

int block_hash_new(const VeritySalt *salt, BlockHash **ret) {
        _cleanup_(block_hash_freep) BlockHash *hash = calloc(1, sizeof(BlockHash));

        assert(salt && salt->size <= VERITY_SALT_SIZE_MAX && ret);

        if (!hash)
                return -ENOMEM;
        crypto_ensure();
        hash->algorithm = EVP_MD_fetch(NULL, "SHA256", NULL);
        if (!hash->algorithm)
                return -ENOTSUP;
        hash->salted = EVP_MD_CTX_new();
        hash->context = EVP_MD_CTX_new();
        if (!hash->salted || !hash->context)
                return -ENOMEM;
        if (EVP_DigestInit_ex(hash->salted, hash->algorithm, NULL) != 1 ||
            EVP_DigestUpdate(hash->salted, salt->bytes, salt->size) != 1)
                return -EIO;
        init_pair(hash, salt);

        *ret = TAKE_PTR(hash);
        return 0;
}

static void run_pair(const BlockHash *hash, const uint8_t *const blocks[2], Sha256State states[2]) {
        const size_t in_head = hash->head_salt > 0 ? SHA256_BLOCK_SIZE - hash->head_salt : 0;
        const size_t n_middle = (VERITY_BLOCK_SIZE - in_head) / SHA256_BLOCK_SIZE;
        const size_t in_tail = VERITY_BLOCK_SIZE - in_head - n_middle * SHA256_BLOCK_SIZE;
        uint8_t heads[2][SHA256_BLOCK_SIZE], tails[2][2 * SHA256_BLOCK_SIZE];

        for (size_t i = 0; i < 2; i++) {
                states[i] = hash->begin;
                memcpy(heads[i], hash->head, hash->head_salt);
                memcpy(heads[i] + hash->head_salt, blocks[i], in_head);
                memcpy(tails[i], hash->tail, sizeof(tails[i]));
                memcpy(tails[i], blocks[i] + VERITY_BLOCK_SIZE - in_tail, in_tail);
        }
        if (in_head > 0)
                sha256_pair_add(states, heads[0], heads[1], 1);
        sha256_pair_add(states, blocks[0] + in_head, blocks[1] + in_head, n_middle);
        sha256_pair_add(states, tails[0], tails[1], hash->n_tail_blocks);
}

static void run_pairs(const BlockHash *hash, const uint8_t *blocks, size_t n_blocks, Sha256Digest *ret) {
        for (size_t i = 0; i < n_blocks; i += 2) {
                const bool alone = i + 1 == n_blocks; /* then it is hashed twice, which takes as long */
                const uint8_t *const pair[2] = {
                        blocks + i * VERITY_BLOCK_SIZE,
                        blocks + (alone ? i : i + 1) * VERITY_BLOCK_SIZE,
                };
                Sha256State states[2];

                run_pair(hash, pair, states);
                sha256_pair_digest(&states[0], &ret[i]);
                if (!alone)
                        sha256_pair_digest(&states[1], &ret[i + 1]);
        }
}

int block_hash_run_portable(BlockHash *hash, const uint8_t *blocks, size_t n_blocks, Sha256Digest *ret) {
        for (size_t i = 0; i < n_blocks; i++)
                if (EVP_MD_CTX_copy_ex(hash->context, hash->salted) != 1 ||
                    EVP_DigestUpdate(hash->context, blocks + i * VERITY_BLOCK_SIZE, VERITY_BLOCK_SIZE) != 1 ||
                    EVP_DigestFinal_ex(hash->context, ret[i].bytes, NULL) != 1)
                        return -EIO;
        return 0;
}

int block_hash_run(BlockHash *hash, const uint8_t *blocks, size_t n_blocks, Sha256Digest *ret) {
        if (!hash->pair)
                return block_hash_run_portable(hash, blocks, n_blocks, ret);
        run_pairs(hash, blocks, n_blocks, ret);
        return 0;
}
