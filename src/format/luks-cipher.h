/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What dm-crypt's aes-xts-plain64 does to the sectors of a volume: AES-256 in XTS mode (IEEE 1619), the tweak of a sector being
 * its offset in the volume in units of 512 bytes, whatever the size of sectors is. */

#include "base/macro.h"
#include "base/progress.h"

#define LUKS_CIPHER_KEY_SIZE 64 /* two AES-256 keys */

/* Bytes of a file that are a volume. */
typedef struct LuksCipherRange {
        int fd;
        uint64_t offset,
                size; /* size: a multiple of sector_size; what lies behind the end of the file are zeros */
        unsigned sector_size; /* 512 to 4096, a power of two */
} LuksCipherRange;

/* Encrypts the range in place, every byte of it, holes as zeros, so that nothing of it is as it was. The file gets all its
 * blocks first: a disk that is too small for that is -ENOSPC before anything was changed. In n_threads threads (0: one per
 * processor), which progress (may be NULL) is told of. -EINTR after an interrupt: then the range is encrypted in part. */
int luks_cipher_encrypt(const LuksCipherRange *range, const uint8_t key[static LUKS_CIPHER_KEY_SIZE],
                        unsigned n_threads, Progress *progress);
