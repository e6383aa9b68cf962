/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <blkid/blkid.h>
#include <stdlib.h>

#include "base/fd.h"
#include "base/text.h"
#include "format/partition-type.h"
#include "verify/verify-check.h"

static inline void probe_freep(blkid_probe *probe) {
        blkid_free_probe(*probe);
}

/* What a type of partition may hold, by libblkid's names. */
static const struct {
        PartitionType type;
        const char *contents[8];
} expectations[] = {
        { PARTITION_ESP, { "vfat" } },
        { PARTITION_XBOOTLDR, { "vfat", "ext4", "btrfs" } },
        { PARTITION_SWAP, { "swap", "crypto_LUKS" } },
        { PARTITION_HOME, { "ext4", "btrfs", "xfs", "squashfs", "erofs", "crypto_LUKS" } },
        { PARTITION_SRV, { "ext4", "btrfs", "xfs", "squashfs", "erofs", "crypto_LUKS" } },
        { PARTITION_ROOT, { "ext4", "btrfs", "xfs", "squashfs", "erofs", "crypto_LUKS" } },
        { PARTITION_ROOT_VERITY, { "DM_verity_hash" } },
};

static bool is_expected(PartitionType type, const char *content) {
        for (size_t i = 0; i < ELEMENTSOF(expectations); i++)
                for (size_t k = 0; expectations[i].type == type && expectations[i].contents[k]; k++)
                        if (text_equal(expectations[i].contents[k], content))
                                return true;
        return false;
}

static bool has_expectation(PartitionType type) {
        for (size_t i = 0; i < ELEMENTSOF(expectations); i++)
                if (expectations[i].type == type)
                        return true;
        return false;
}

static const char *lookup(blkid_probe probe, const char *name) {
        const char *value;

        return blkid_probe_lookup_value(probe, name, &value, NULL) == 0 ? value : NULL;
}

static uint64_t number_at(const uint8_t *bytes, size_t size) {
        uint64_t number = 0;

        while (size-- > 0)
                number = number << 8 | bytes[size];
        return number;
}

/* Number of blocks, in two halves, and the size of a block (Linux, "ext4 Data Structures and Algorithms", "Super Block"). */
static uint64_t ext4_size(const uint8_t *superblock) {
        const uint64_t blocks = number_at(superblock + 0x4, 4) | number_at(superblock + 0x150, 4) << 32;

        return blocks << (10 + (superblock[0x18] & 7));
}

/* "squashfs binary format", "Superblock": bytes used. */
static uint64_t squashfs_size(const uint8_t *superblock) {
        return number_at(superblock + 40, 8);
}

/* "btrfs On-disk Format", "Superblock": total bytes. */
static uint64_t btrfs_size(const uint8_t *superblock) {
        return number_at(superblock + 0x70, 8);
}

/* Where superblocks are that say how large the file system is. */
static const struct {
        const char *content;
        uint64_t offset;
        uint64_t (*size)(const uint8_t *superblock);
} superblocks[] = {
        { "ext4", 1024, ext4_size },
        { "squashfs", 0, squashfs_size },
        { "btrfs", 64 * KIB, btrfs_size },
};

#define SUPERBLOCK_SIZE 1024

/* What the superblock says; 0: it does not. */
static int read_size(const VerifyDisk *disk, const GptEntry *entry, const char *content, uint64_t *ret) {
        *ret = 0;
        for (size_t i = 0; i < ELEMENTSOF(superblocks); i++) {
                uint8_t superblock[SUPERBLOCK_SIZE];

                if (!text_equal(superblocks[i].content, content))
                        continue;
                const int r = fd_pread_all(disk->fd, superblock, sizeof(superblock),
                                           entry->offset + superblocks[i].offset);
                if (r < 0)
                        return r;
                *ret = superblocks[i].size(superblock);
        }
        return 0;
}

/* -ENOENT: nothing that is known, or more than one thing. */
static int probe_content(const VerifyDisk *disk, const GptEntry *entry, blkid_probe *ret) {
        _cleanup_(probe_freep) blkid_probe probe = blkid_new_probe();

        if (!probe)
                return -ENOMEM;
        if (blkid_probe_set_device(probe, disk->fd, (blkid_loff_t)entry->offset, (blkid_loff_t)entry->size) !=
            0)
                return -EIO;
        (void)blkid_probe_enable_superblocks(probe, 1);
        (void)blkid_probe_set_superblocks_flags(probe, BLKID_SUBLKS_TYPE | BLKID_SUBLKS_BADCSUM);
        const int r = blkid_do_safeprobe(probe);
        if (r != 0)
                return -ENOENT;
        *ret = TAKE_PTR(probe);
        return 0;
}

static int check_partition(VerifyDisk *disk, const GptEntry *entry, PartitionType type) {
        _cleanup_(probe_freep) blkid_probe probe = NULL;
        _cleanup_(freep) char *object = NULL;

        int r = text_format(&object, "%s partition", partition_type_name(type));
        if (r >= 0)
                r = probe_content(disk, entry, &probe);
        if (r == -ENOENT)
                return verify_add(&disk->results, VERIFY_FAILED, object, "What it holds is nothing known");
        if (r < 0)
                return r;

        const char *content = lookup(probe, "TYPE") ?: "nothing";
        uint64_t size;

        if (lookup(probe, "SBBADCSUM"))
                return verify_add(&disk->results, VERIFY_FAILED, object,
                                  "The superblock of its %s does not have the check sum it says", content);
        if (!is_expected(type, content))
                return verify_add(&disk->results, VERIFY_FAILED, object,
                                  "It holds %s, which is not what it is for", content);
        r = read_size(disk, entry, content, &size);
        if (r < 0)
                return r;
        if (size > entry->size)
                return verify_add(&disk->results, VERIFY_FAILED, object,
                                  "Its %s has %llu bytes, the partition no more than %llu", content,
                                  (unsigned long long)size, (unsigned long long)entry->size);
        return verify_add(&disk->results, VERIFY_OK, object, "%s, in %llu bytes", content,
                          (unsigned long long)entry->size);
}

int verify_check_content(VerifyDisk *disk) {
        for (size_t i = 0; i < disk->table.n_entries; i++) {
                PartitionType type;
                unsigned architecture;

                if (partition_type_find(disk->table.entries[i].type, &type, &architecture) < 0 ||
                    !has_expectation(type))
                        continue;
                const int r = check_partition(disk, &disk->table.entries[i], type);
                if (r < 0)
                        return r;
        }
        return 0;
}
