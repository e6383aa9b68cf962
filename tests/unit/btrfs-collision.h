/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Names that btrfs_name_hash() cannot tell apart. */

#include <string.h>

#include "format/btrfs.h"

/* Ends the name, whose last four bytes are set, so that its sum is that of the other name of the same length: those four
 * bytes meet the sum of what is before them in an exclusive or. False if that takes bytes that no name can have. */
static inline bool collide(const char *other, size_t length, char *name) {
        uint32_t word;

        memcpy(&word, other + length - 4, 4);
        word ^= htole32(btrfs_name_hash(other, length - 4) ^ btrfs_name_hash(name, length - 4));
        memcpy(name + length - 4, &word, 4);
        return !memchr(name, '/', length) && !memchr(name, '\0', length);
}
