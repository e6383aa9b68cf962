/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "base/text.h"
#include "verify/verify-check.h"
#include "verity/root-hash.h"
#include "verity/verity-check.h"

#define OBJECT "dm-verity"

/* The first root hash that differs from the first of all; NULL: they agree. */
static const VerifyRootHash *find_other(const VerifyDisk *disk) {
        for (size_t i = 1; i < disk->n_root_hashes; i++)
                if (__builtin_memcmp(&disk->root_hashes[i].digest, &disk->root_hashes[0].digest,
                                     sizeof(Sha256Digest)) != 0)
                        return &disk->root_hashes[i];
        return NULL;
}

/* systemd finds both partitions by the halves of the root hash; who makes an image may choose not to rely on that. */
static int add_uuids(VerifyDisk *disk, const GptEntry *data, const GptEntry *tree) {
        Sha256Digest digest;

        root_hash_from_uuids(data->uuid, tree->uuid, &digest);
        return verify_disk_add_root_hash(disk, &digest, "the UUIDs of the partitions");
}

static int check_tree(VerifyDisk *disk, const GptEntry *data, const GptEntry *tree) {
        const VerityCheck check = {
                .data = { disk->fd, data->offset, data->size },
                .area = { disk->fd, tree->offset, tree->size },
                .root_hash = disk->root_hashes[0].digest,
                .progress = disk->progress,
        };
        _cleanup_(reason_done) Reason reason = {};
        _cleanup_(freep) char *place = NULL;
        char digits[2 * SHA256_SIZE + 1];
        VeritySuperblock superblock;
        VerityFault fault;

        int r = verity_superblock_read(&check.area, &superblock, &reason);
        if (r >= 0)
                r = verity_check(&check, &fault, &reason);
        if (r == -EBADMSG)
                return verify_add(&disk->results, VERIFY_FAILED, OBJECT, "%s", reason_text(&reason, r));
        if (r < 0)
                return r;
        if (r > 0) {
                r = verity_fault_format(&fault, &place);
                return r < 0 ? r
                             : verify_add(&disk->results, VERIFY_FAILED, OBJECT,
                                          "The root partition is not what the root hash says: %s is another",
                                          place);
        }
        const uint64_t data_size = superblock.n_data_blocks * VERITY_BLOCK_SIZE;
        if (data_size != data->size)
                return verify_add(&disk->results, VERIFY_FAILED, OBJECT,
                                  "The hash tree protects %llu of %llu bytes of the root partition",
                                  (unsigned long long)data_size, (unsigned long long)data->size);
        sha256_format(&check.root_hash, digits);
        return verify_add(&disk->results, VERIFY_OK, OBJECT,
                          "All of the root partition is what the root hash says: %s", digits);
}

int verify_check_root(VerifyDisk *disk) {
        const GptEntry *data = verify_disk_find(disk, PARTITION_ROOT),
                       *tree = verify_disk_find(disk, PARTITION_ROOT_VERITY);

        if (!tree && disk->n_root_hashes > 0)
                return verify_add(&disk->results, VERIFY_FAILED, OBJECT,
                                  "%s names a root hash, but there is no partition with a hash tree",
                                  disk->root_hashes[0].source);
        if (!tree)
                return verify_add(&disk->results, VERIFY_ABSENT, OBJECT,
                                  "The root file system is not protected by it");
        if (!data)
                return verify_add(&disk->results, VERIFY_FAILED, OBJECT,
                                  "There is a partition with a hash tree, but no root partition");
        if (verify_disk_count(disk, PARTITION_ROOT) > 1 || verify_disk_count(disk, PARTITION_ROOT_VERITY) > 1)
                return verify_add(
                        &disk->results, VERIFY_FAILED, OBJECT,
                        "There are several root partitions or hash trees: which ones are meant is not known");
        const int r = add_uuids(disk, data, tree);
        if (r < 0)
                return r;
        const VerifyRootHash *other = find_other(disk);
        if (other)
                return verify_add(&disk->results, VERIFY_FAILED, OBJECT,
                                  "The root hash in %s is not that in %s", other->source,
                                  disk->root_hashes[0].source);
        return check_tree(disk, data, tree);
}
