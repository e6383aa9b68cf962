/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* SHA-256 (FIPS 180-4) of two messages at the same time, by the processor's instructions for it. Each of them waits
 * for the one before it for longer than it takes, so that another message costs little: what one message alone cannot
 * use. */

#include "base/hash.h"
#include "base/macro.h"

#define SHA256_BLOCK_SIZE 64

/* The eight words in the order in which the instructions take them. */
typedef struct Sha256State {
        uint32_t abef[4], cdgh[4];
} Sha256State;

/* Whether this processor has what it takes; all else must not be called where it has not. */
bool sha256_pair_is_possible(void);

/* The state at the beginning of a message. */
void sha256_pair_begin(Sha256State *ret);

/* Adds n_blocks blocks of 64 bytes to each of the messages. */
void sha256_pair_add(Sha256State states[static 2], const uint8_t *first, const uint8_t *second,
                     size_t n_blocks);

/* The digest, when the padding is added too. */
void sha256_pair_digest(const Sha256State *state, Sha256Digest *ret);
