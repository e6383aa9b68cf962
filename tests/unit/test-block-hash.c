/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "verity-fixture.h"
#include "verity/block-hash.h"

/* Salts of every size, so that the data begins everywhere in a block of SHA-256, and odd and even numbers of blocks. */
static void test_digests(void **state) {
        enum { N_BLOCKS = 5 };
        _cleanup_(freep) uint8_t *bytes = make_bytes(N_BLOCKS * VERITY_BLOCK_SIZE + 1);
        VeritySalt salt = {};

        for (size_t i = 0; i < sizeof(salt.bytes); i++)
                salt.bytes[i] = (uint8_t)(7 * i + 1);
        for (salt.size = 0; salt.size <= sizeof(salt.bytes); salt.size++) {
                _cleanup_(block_hash_freep) BlockHash *hash = NULL;
                const size_t n_blocks = salt.size % N_BLOCKS + 1;
                const uint8_t *blocks = bytes + salt.size % 2; /* aligned and not */
                Sha256Digest digests[N_BLOCKS];

                assert_int_equal(block_hash_new(&salt, &hash), 0);
                /* Twice: nothing of the first run is left in the second. And as other processors do it. */
                for (size_t run = 0; run < 4; run++) {
                        memset(digests, 0, sizeof(digests));
                        assert_int_equal(run < 2 ? block_hash_run(hash, blocks, n_blocks, digests)
                                                 : block_hash_run_portable(hash, blocks, n_blocks, digests),
                                         0);
                        for (size_t i = 0; i < n_blocks; i++) {
                                const Sha256Digest expected =
                                        simple_digest(&salt, blocks + i * VERITY_BLOCK_SIZE);

                                assert_digest_equal(&digests[i], &expected);
                        }
                        for (size_t i = n_blocks; i < N_BLOCKS; i++)
                                assert_digest_equal(&digests[i], &(Sha256Digest){});
                }
        }
}

static void test_nothing(void **state) {
        _cleanup_(block_hash_freep) BlockHash *hash = NULL;

        assert_int_equal(block_hash_new(&test_salt, &hash), 0);
        assert_int_equal(block_hash_run(hash, NULL, 0, NULL), 0);
        block_hash_free(NULL);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_digests),
                cmocka_unit_test(test_nothing),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
