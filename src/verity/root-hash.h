/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The root hash of a hash tree, as text and as the UUIDs of the two partitions, by which systemd finds them
 * (Discoverable Partitions Specification, "Verity"). */

#include "base/hash.h"
#include "base/uuid.h"

/* Reads what a .roothash file or the word behind "roothash=" has: 64 hexadecimal digits of either case, and a newline
 * if there is one. Anything else is -EINVAL. sha256_format() is the reverse, without the newline. */
int root_hash_parse(const char *text, Sha256Digest *ret);

/* The UUID of the data's partition is the first half of the root hash, that of the hash partition the second one:
 * digit for digit in the order of text, without a version. */
void root_hash_to_uuids(const Sha256Digest *root_hash, Uuid *ret_data, Uuid *ret_hash);

/* The reverse. */
void root_hash_from_uuids(Uuid data, Uuid hash, Sha256Digest *ret);
