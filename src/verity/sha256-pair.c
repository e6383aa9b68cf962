/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <endian.h>
#include <string.h>

#include "verity/sha256-pair.h"

static const uint32_t initial[8] = {
        0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
};

/* From A to H: where each word is in the two registers. */
static uint32_t *word_of(Sha256State *state, size_t i) {
        static const uint8_t places[8] = { 3, 2, 7, 6, 1, 0, 5, 4 };

        return places[i] < 4 ? &state->abef[places[i]] : &state->cdgh[places[i] - 4];
}

void sha256_pair_begin(Sha256State *ret) {
        for (size_t i = 0; i < 8; i++)
                *word_of(ret, i) = initial[i];
}

void sha256_pair_digest(const Sha256State *state, Sha256Digest *ret) {
        Sha256State copy = *state;

        for (size_t i = 0; i < 8; i++) {
                const uint32_t word = htobe32(*word_of(&copy, i));

                memcpy(ret->bytes + 4 * i, &word, sizeof(word));
        }
}

#ifdef __x86_64__
#include <cpuid.h>
#include <immintrin.h>

#define _fast_ __attribute__((target("sha,sse4.1")))

// clang-format off
static const uint32_t constants[64] = {
        0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
        0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
        0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
        0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
        0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
        0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
        0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
        0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};
// clang-format on

bool sha256_pair_is_possible(void) {
        unsigned a, b, c, d;

        if (__get_cpuid(1, &a, &b, &c, &d) == 0 || (c & bit_SSE4_1) == 0)
                return false;
        return __get_cpuid_count(7, 0, &a, &b, &c, &d) != 0 && (b & bit_SHA) != 0;
}

/* A message under way in registers. */
typedef struct Lane {
        __m128i abef, cdgh;
        __m128i words[4]; /* of the schedule, the next four rounds' first; they go round */
} Lane;

_fast_ static inline void lane_load(Lane *lane, const uint8_t *block) {
        const __m128i swap = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);

        for (size_t i = 0; i < 4; i++)
                lane->words[i] = _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)(block + 16 * i)), swap);
}

/* Four rounds, and the words that are used twelve rounds after them. */
_fast_ static inline void lane_rounds(Lane *lane, size_t i) {
        const __m128i words = lane->words[i % 4], last = lane->words[(i + 3) % 4];
        const __m128i sums =
                _mm_add_epi32(words, _mm_loadu_si128((const __m128i *)(const void *)&constants[4 * i]));

        lane->cdgh = _mm_sha256rnds2_epu32(lane->cdgh, lane->abef, sums);
        lane->abef = _mm_sha256rnds2_epu32(lane->abef, lane->cdgh, _mm_shuffle_epi32(sums, 0x0e));
        if (i < 12) {
                const __m128i middle = _mm_alignr_epi8(last, lane->words[(i + 2) % 4], 4);
                const __m128i early = _mm_sha256msg1_epu32(words, lane->words[(i + 1) % 4]);

                lane->words[i % 4] = _mm_sha256msg2_epu32(_mm_add_epi32(early, middle), last);
        }
}

_fast_ void sha256_pair_add(Sha256State states[static 2], const uint8_t *first, const uint8_t *second,
                            size_t n_blocks) {
        Lane a = { .abef = _mm_loadu_si128((const __m128i *)states[0].abef),
                   .cdgh = _mm_loadu_si128((const __m128i *)states[0].cdgh) };
        Lane b = { .abef = _mm_loadu_si128((const __m128i *)states[1].abef),
                   .cdgh = _mm_loadu_si128((const __m128i *)states[1].cdgh) };

        for (size_t block = 0; block < n_blocks; block++) {
                const Lane a_before = a, b_before = b;

                lane_load(&a, first + block * SHA256_BLOCK_SIZE);
                lane_load(&b, second + block * SHA256_BLOCK_SIZE);
#pragma GCC unroll 16
                for (size_t i = 0; i < 16; i++) {
                        lane_rounds(&a, i);
                        lane_rounds(&b, i);
                }
                a.abef = _mm_add_epi32(a.abef, a_before.abef);
                a.cdgh = _mm_add_epi32(a.cdgh, a_before.cdgh);
                b.abef = _mm_add_epi32(b.abef, b_before.abef);
                b.cdgh = _mm_add_epi32(b.cdgh, b_before.cdgh);
        }
        _mm_storeu_si128((__m128i *)states[0].abef, a.abef);
        _mm_storeu_si128((__m128i *)states[0].cdgh, a.cdgh);
        _mm_storeu_si128((__m128i *)states[1].abef, b.abef);
        _mm_storeu_si128((__m128i *)states[1].cdgh, b.cdgh);
}

#else

bool sha256_pair_is_possible(void) {
        return false;
}

void sha256_pair_add(Sha256State states[static 2], const uint8_t *first, const uint8_t *second,
                     size_t n_blocks) {
        abort();
}

#endif
