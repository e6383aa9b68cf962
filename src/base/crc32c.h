/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* CRC-32C (Castagnoli; RFC 3720, B.4), by the processor's instruction where it has one. */

#include "base/macro.h"

/* Goes on with a checksum, without the inversion at both ends that its users add: ~crc32c(~0, …) is the sum of the RFC. */
uint32_t crc32c(uint32_t crc, const void *data, size_t size);

/* The same on any processor, slower: for the test of it, which cannot choose the processor. */
uint32_t crc32c_portable(uint32_t crc, const void *data, size_t size);

/* The sums, inverted at both ends, of n_blocks neighbouring blocks of block_size bytes (a multiple of 8). Blocks are
 * independent of each other, which makes this several times faster than one call for each. */
void crc32c_blocks(const void *data, size_t n_blocks, size_t block_size, uint32_t *ret);
