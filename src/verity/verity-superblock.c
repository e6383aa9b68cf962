/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <endian.h>
#include <inttypes.h>
#include <string.h>

#include "verity/verity-superblock.h"

#define FORMAT    1 /* of the superblock */
#define HASH_TYPE 1 /* the salt comes before the data */
#define ALGORITHM "sha256"

/* The numbers are little-endian. */
typedef struct DiskSuperblock {
        uint8_t magic[8];
        uint32_t format, hash_type;
        uint8_t uuid[16];
        char algorithm[32];
        uint32_t data_block_size, hash_block_size;
        uint64_t n_data_blocks;
        uint16_t salt_size;
        uint8_t zero_1[6];
        uint8_t salt[VERITY_SALT_SIZE_MAX];
        uint8_t zero_2[VERITY_BLOCK_SIZE - 344]; /* only the first 168 belong to the superblock */
} DiskSuperblock;

static_assert(sizeof(DiskSuperblock) == VERITY_BLOCK_SIZE, "The superblock has another size");
static_assert(offsetof(DiskSuperblock, salt) == 88, "The salt is elsewhere");

static const uint8_t magic[8] = "verity\0";

void verity_superblock_encode(const VeritySuperblock *superblock, uint8_t ret[static VERITY_BLOCK_SIZE]) {
        DiskSuperblock disk = {
                .format = htole32(FORMAT),
                .hash_type = htole32(HASH_TYPE),
                .algorithm = ALGORITHM,
                .data_block_size = htole32(VERITY_BLOCK_SIZE),
                .hash_block_size = htole32(VERITY_BLOCK_SIZE),
                .n_data_blocks = htole64(superblock->n_data_blocks),
                .salt_size = htole16((uint16_t)superblock->salt.size),
        };

        assert(superblock->salt.size <= VERITY_SALT_SIZE_MAX);

        memcpy(disk.magic, magic, sizeof(magic));
        memcpy(disk.uuid, superblock->uuid.bytes, sizeof(disk.uuid));
        memcpy(disk.salt, superblock->salt.bytes, superblock->salt.size);
        memcpy(ret, &disk, sizeof(disk));
}

/* What is understood, member by member, so that the reason can name it. */
static int check(const DiskSuperblock *disk, Reason *reason) {
        if (memcmp(disk->magic, magic, sizeof(magic)) != 0)
                return reason_set(reason, -EBADMSG, "There is no superblock of dm-verity");
        if (le32toh(disk->format) != FORMAT)
                return reason_set(reason, -EBADMSG, "The superblock has format %" PRIu32 ", not %d",
                                  le32toh(disk->format), FORMAT);
        if (le32toh(disk->hash_type) != HASH_TYPE)
                return reason_set(reason, -EBADMSG, "The superblock has hash type %" PRIu32 ", not %d",
                                  le32toh(disk->hash_type), HASH_TYPE);
        if (strncmp(disk->algorithm, ALGORITHM, sizeof(disk->algorithm)) != 0)
                return reason_set(reason, -EBADMSG, "The superblock has the algorithm \"%.*s\", not \"%s\"",
                                  (int)strnlen(disk->algorithm, sizeof(disk->algorithm)), disk->algorithm,
                                  ALGORITHM);
        if (le32toh(disk->data_block_size) != VERITY_BLOCK_SIZE ||
            le32toh(disk->hash_block_size) != VERITY_BLOCK_SIZE)
                return reason_set(reason, -EBADMSG,
                                  "The superblock has blocks of %" PRIu32 " and %" PRIu32 " bytes, not %d",
                                  le32toh(disk->data_block_size), le32toh(disk->hash_block_size),
                                  VERITY_BLOCK_SIZE);
        if (le16toh(disk->salt_size) > VERITY_SALT_SIZE_MAX)
                return reason_set(reason, -EBADMSG, "The superblock has a salt of %u bytes, more than %d",
                                  (unsigned)le16toh(disk->salt_size), VERITY_SALT_SIZE_MAX);
        return 0;
}

int verity_superblock_decode(const uint8_t block[static VERITY_BLOCK_SIZE], VeritySuperblock *ret,
                             Reason *reason) {
        uint8_t again[VERITY_BLOCK_SIZE];
        VeritySuperblock superblock = {};
        DiskSuperblock disk;
        VerityLayout layout;

        assert(ret);

        memcpy(&disk, block, sizeof(disk));
        int r = check(&disk, reason);
        if (r < 0)
                return r;
        superblock.n_data_blocks = le64toh(disk.n_data_blocks);
        r = verity_layout_init(superblock.n_data_blocks, &layout);
        if (r < 0)
                return reason_set(reason, -EBADMSG, "The superblock has %" PRIu64 " data blocks",
                                  superblock.n_data_blocks);
        memcpy(superblock.uuid.bytes, disk.uuid, sizeof(disk.uuid));
        superblock.salt.size = le16toh(disk.salt_size);
        memcpy(superblock.salt.bytes, disk.salt, superblock.salt.size);

        /* All else is zero. */
        verity_superblock_encode(&superblock, again);
        if (memcmp(again, block, sizeof(again)) != 0)
                return reason_set(reason, -EBADMSG, "There are bytes in unused places of the superblock");

        *ret = superblock;
        return 0;
}
