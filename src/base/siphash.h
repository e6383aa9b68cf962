/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* SipHash-2-4 (Aumasson and Bernstein, 2012): a keyed hash of 64 bits. With a fixed key it spreads names evenly, and every
 * program that knows the key finds the same number. */

#include "base/macro.h"

#define SIPHASH_KEY_SIZE 16

/* The hash as a number, which the paper writes out with its lowest byte first. */
uint64_t siphash24(const uint8_t key[static SIPHASH_KEY_SIZE], const void *data, size_t size);
