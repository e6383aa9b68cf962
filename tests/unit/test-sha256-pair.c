/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <endian.h>

#include "verity-fixture.h"
#include "verity/sha256-pair.h"

enum { SIZE_MAX_TESTED = 1000, PADDED_SIZE = 1088 };

/* The message with its padding (FIPS 180-4, 5.1.1); returns the number of blocks. */
static size_t pad(const uint8_t *message, size_t size, uint8_t *ret) {
        const size_t n_blocks = (size + 9 + SHA256_BLOCK_SIZE - 1) / SHA256_BLOCK_SIZE;
        const uint64_t n_bits = htobe64(size * 8);

        memset(ret, 0, n_blocks * SHA256_BLOCK_SIZE);
        memcpy(ret, message, size);
        ret[size] = 0x80;
        memcpy(ret + n_blocks * SHA256_BLOCK_SIZE - 8, &n_bits, 8);
        return n_blocks;
}

/* Two different messages of every size give what libcrypto says, at any alignment, at once and in parts. */
static void test_digests(void **state) {
        _cleanup_(freep) uint8_t *bytes = make_bytes(2 * SIZE_MAX_TESTED);

        if (!sha256_pair_is_possible()) {
                print_message("This processor has no instructions for SHA-256\n");
                skip();
        }
        for (size_t size = 0; size <= SIZE_MAX_TESTED; size++) {
                uint8_t first[PADDED_SIZE + 16], second[PADDED_SIZE + 16];
                uint8_t *a = first + size % 16, *b = second + (size / 3) % 16;
                const size_t n_blocks = pad(bytes, size, a), n_before = size % n_blocks;
                Sha256Digest digests[2], expected[2];
                Sha256State states[2];

                (void)pad(bytes + SIZE_MAX_TESTED, size, b);
                sha256_pair_begin(&states[0]);
                sha256_pair_begin(&states[1]);
                sha256_pair_add(states, a, b, n_before);
                sha256_pair_add(states, a + n_before * SHA256_BLOCK_SIZE, b + n_before * SHA256_BLOCK_SIZE,
                                n_blocks - n_before);
                for (size_t i = 0; i < 2; i++) {
                        sha256_pair_digest(&states[i], &digests[i]);
                        assert_int_equal(sha256(bytes + i * SIZE_MAX_TESTED, size, &expected[i]), 0);
                        assert_digest_equal(&digests[i], &expected[i]);
                }
        }
}

/* The state before anything was added, in the order of the digest. */
static void test_begin(void **state) {
        static const uint8_t expected[SHA256_SIZE] = {
                0x6a, 0x09, 0xe6, 0x67, 0xbb, 0x67, 0xae, 0x85, 0x3c, 0x6e, 0xf3,
                0x72, 0xa5, 0x4f, 0xf5, 0x3a, 0x51, 0x0e, 0x52, 0x7f, 0x9b, 0x05,
                0x68, 0x8c, 0x1f, 0x83, 0xd9, 0xab, 0x5b, 0xe0, 0xcd, 0x19,
        };
        Sha256State begin;
        Sha256Digest digest;

        sha256_pair_begin(&begin);
        sha256_pair_digest(&begin, &digest);
        assert_memory_equal(digest.bytes, expected, SHA256_SIZE);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_digests),
                cmocka_unit_test(test_begin),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
