/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The SHA-256 of a file that is still being written: a thread reads what is final already, out of the page cache, so that
 * the hash is there hardly later than the file. Holes are hashed as zeros without being read. */

#include "base/hash.h"

typedef struct HashFollower HashFollower;

/* Begins at the start of the file. The follower opens the file for itself, so that the position of fd is the caller's. */
int hash_follower_start(int fd, HashFollower **ret);

/* Says that all bytes below the offset are final. A smaller offset than before changes nothing. Cheap enough to be called
 * after every write; follower may be NULL. */
void hash_follower_advance(HashFollower *follower, uint64_t offset);

/* Says that the file is final and has so many bytes, and waits for their hash. -ENODATA when the file is shorter, -EINTR
 * after interrupt_check(). May be called once. */
int hash_follower_finish(HashFollower *follower, uint64_t size, Sha256Digest *ret);

/* Gives up what is not finished. */
void hash_follower_free(HashFollower *follower);
DEFINE_CLEANUP(HashFollower, hash_follower_free)
