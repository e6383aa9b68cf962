/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <endian.h>
#include <string.h>

#include "base/siphash.h"

/* libcrypto has it too, but looks for it in its configuration first: that takes longer than all else that a process which
 * wants one hash of a name has to do before it becomes a service. */

#define ROUNDS_OF_WORD 2
#define ROUNDS_OF_END  4

/* The four numbers that the paper calls v0 to v3. */
typedef struct State {
        uint64_t a, b, c, d;
} State;

static uint64_t rotate(uint64_t n, unsigned by) {
        return n << by | n >> (64 - by);
}

static uint64_t load(const uint8_t *bytes) {
        uint64_t word;

        memcpy(&word, bytes, sizeof(word));
        return le64toh(word);
}

/* The paper's figure 2.1. */
static void mix(State *state, unsigned rounds) {
        State s = *state;

        for (; rounds > 0; rounds--) {
                s.a += s.b;
                s.c += s.d;
                s.b = rotate(s.b, 13) ^ s.a;
                s.d = rotate(s.d, 16) ^ s.c;
                s.a = rotate(s.a, 32);
                s.c += s.b;
                s.a += s.d;
                s.b = rotate(s.b, 17) ^ s.c;
                s.d = rotate(s.d, 21) ^ s.a;
                s.c = rotate(s.c, 32);
        }
        *state = s;
}

static void take(State *state, uint64_t word) {
        state->d ^= word;
        mix(state, ROUNDS_OF_WORD);
        state->a ^= word;
}

uint64_t siphash24(const uint8_t key[static SIPHASH_KEY_SIZE], const void *data, size_t size) {
        const uint64_t low = load(key), high = load(key + 8);
        const uint8_t *bytes = data;
        uint8_t last[8] = {};
        /* "somepseudorandomlygeneratedbytes" */
        State state = {
                .a = low ^ UINT64_C(0x736f6d6570736575),
                .b = high ^ UINT64_C(0x646f72616e646f6d),
                .c = low ^ UINT64_C(0x6c7967656e657261),
                .d = high ^ UINT64_C(0x7465646279746573),
        };

        last[7] = (uint8_t)size;
        for (; size >= 8; size -= 8, bytes += 8)
                take(&state, load(bytes));
        if (size > 0)
                memcpy(last, bytes, size);
        take(&state, load(last));

        state.c ^= 0xff;
        mix(&state, ROUNDS_OF_END);
        return state.a ^ state.b ^ state.c ^ state.d;
}
