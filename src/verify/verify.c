/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "base/text.h"
#include "verify/verify-check.h"

static int (*const checks[])(VerifyDisk *disk) = {
        verify_check_content,
        verify_check_boot,
        verify_check_root,
        verify_check_root_signature,
};

int verify_disk_add_root_hash(VerifyDisk *disk, const Sha256Digest *digest, const char *source) {
        _cleanup_(freep) char *copy = NULL;

        const int r = text_copy(source, &copy);
        if (r < 0)
                return r;
        VerifyRootHash *more = reallocarray(disk->root_hashes, disk->n_root_hashes + 1, sizeof(*more));
        if (!more)
                return -ENOMEM;
        disk->root_hashes = more;
        more[disk->n_root_hashes++] = (VerifyRootHash){ .digest = *digest, .source = TAKE_PTR(copy) };
        return 0;
}

const GptEntry *verify_disk_find(const VerifyDisk *disk, PartitionType type) {
        for (size_t i = 0; i < disk->table.n_entries; i++) {
                PartitionType found;
                unsigned architecture;

                if (partition_type_find(disk->table.entries[i].type, &found, &architecture) == 0 &&
                    found == type)
                        return &disk->table.entries[i];
        }
        return NULL;
}

int verify_disk(VerifyDisk *disk) {
        int r = verify_check_table(disk);

        /* Without a table nobody knows where anything is. */
        for (size_t i = 0; i < ELEMENTSOF(checks) && r >= 0 && disk->table.entries; i++)
                r = checks[i](disk);
        return r;
}

void verify_disk_done(VerifyDisk *disk) {
        for (size_t i = 0; i < disk->n_root_hashes; i++)
                free(disk->root_hashes[i].source);
        free(disk->root_hashes);
        vfat_reader_free(disk->boot);
        gpt_disk_done(&disk->table);
        verify_results_done(&disk->results);
}
