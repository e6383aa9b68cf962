/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "image/encryption.h"

/* Encrypting 4096 bytes at a time is faster than 512; a volume of other sizes must do with these. */
#define LARGE_SECTOR_SIZE 4096

static const LuksKdf kdfs[] = {
        [ENCRYPT_KDF_ARGON2ID] = LUKS_KDF_ARGON2ID,
        [ENCRYPT_KDF_PBKDF2] = LUKS_KDF_PBKDF2,
};
static_assert(ELEMENTSOF(kdfs) == ENCRYPT_KDF_MAX, "A word of EncryptKDF= has no row");

uint64_t encryption_header_size(const Config *config, const PartitionRow *row) {
        return partition_row_encrypted(row, config) ? LUKS_HEADER_SIZE : 0;
}

uint64_t encryption_partition_size(const Config *config, const PartitionRow *row, uint64_t filesystem_size) {
        if (!partition_row_encrypted(row, config))
                return filesystem_size;
        if (partition_row_size(row, config) > 0)
                return partition_row_size(row, config);
        return LUKS_HEADER_SIZE + align_up(filesystem_size, LARGE_SECTOR_SIZE);
}

LuksOptions encryption_options(const Config *config) {
        return (LuksOptions){
                .kdf = kdfs[config->encrypt_kdf.word],
                .iterations = config->encrypt_kdf.level,
                .memory_size = config->encrypt_kdf_memory,
        };
}
