/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* LUKS2 volumes (LUKS2 On-Disk Format Specification 1.1) in a file, without device mapper, loop device, or privilege. A
 * volume is a header, whose key slot opens with the passphrase, and behind it the content, encrypted by aes-xts-plain64 with
 * a random key of 512 bits. The key is in memory only, and wiped behind the work. */

#include "base/macro.h"
#include "base/progress.h"
#include "base/reason.h"
#include "base/secret.h"
#include "base/uuid.h"

/* As cryptsetup(8) makes it: room for 32 key slots and for encrypting anew in place. */
#define LUKS_HEADER_SIZE (16 * MIB)

/* What cryptsetup(8) reads from a terminal. */
#define LUKS_PASSPHRASE_SIZE_MAX 512

/* How a passphrase becomes a key. Nothing is measured: the same settings give the same work on every machine that builds. */
typedef enum LuksKdf {
        LUKS_KDF_ARGON2ID,
        LUKS_KDF_PBKDF2, /* with SHA-256 */
        LUKS_KDF_MAX,
} LuksKdf;

/* Argon2id with one lane: 64 MiB, four times over, are a fraction of a second, and fit into small devices. */
#define LUKS_ARGON2ID_MEMORY_SIZE (64 * MIB)
#define LUKS_ARGON2ID_ITERATIONS  4
#define LUKS_PBKDF2_ITERATIONS    600000

typedef struct LuksOptions {
        Uuid uuid;
        const Secret *passphrase; /* 1 to LUKS_PASSPHRASE_SIZE_MAX bytes */
        LuksKdf kdf;
        uint64_t memory_size; /* argon2id: bytes, from 32 KiB to 4 GiB; 0: the default above */
        unsigned iterations;  /* argon2id: from 4, pbkdf2: from 1000; 0: the default above */
        unsigned n_threads;   /* that encrypt; 0: one per processor */
        Progress *progress;   /* is told what was encrypted; may be NULL */
} LuksOptions;

typedef struct LuksVolume {
        int fd;
        uint64_t offset; /* of the header */
        uint64_t size;   /* with the header; more than that, and a multiple of 512 */
} LuksVolume;

/* Makes a volume of what lies in the file, in plain, at offset + LUKS_HEADER_SIZE; before it are zeros. Every byte of the
 * content is overwritten. Sectors have 4096 bytes, or 512 if the size is no multiple of that. -ERANGE when this machine has too
 * little memory for the key derivation; see the reason. -EINTR after interrupt_check(); after a failure the content is in
 * parts as it was. */
int luks_encrypt(const LuksOptions *options, const LuksVolume *volume, Reason *reason);
