/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The LZO1X format, as Documentation/staging/lzo.rst in the Linux kernel's source describes it. liblzo2 is not used: its
 * licence is the GPL. */

#include "base/macro.h"

/* What is compressed at once. */
#define LZO_SIZE_MAX 4096
/* The most that this can become: when nothing repeats, a length and an end are added. */
#define LZO_OUTPUT_SIZE_MAX (LZO_SIZE_MAX + 32)

/* Compresses 1 to LZO_SIZE_MAX bytes, and returns how many they became. */
size_t lzo_compress(const uint8_t *from, size_t size, uint8_t to[static LZO_OUTPUT_SIZE_MAX]);
