/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <stdio.h>

#include "base/text.h"
#include "format/partition-table.h"
#include "verify/verify-check.h"

#define OBJECT "partition table"

/* What firmware and file systems want at least: whole pages. */
#define ALIGNMENT 4096

/* "esp, root (x86-64), root-verity (x86-64)" */
static int describe(const GptDisk *table, char **ret) {
        _cleanup_(freep) char *text = NULL;
        size_t size;
        FILE *file = open_memstream(&text, &size);

        if (!file)
                return -ENOMEM;
        for (size_t i = 0; i < table->n_entries; i++) {
                PartitionType type;
                unsigned architecture = 0;

                if (i > 0)
                        (void)fputs(", ", file);
                if (partition_type_find(table->entries[i].type, &type, &architecture) < 0) {
                        char uuid[UUID_TEXT_SIZE];

                        uuid_format(table->entries[i].type, uuid);
                        (void)fprintf(file, "unknown type %s", uuid);
                } else if (type < PARTITION_ROOT) {
                        (void)fputs(partition_type_name(type), file);
                } else {
                        (void)fprintf(file, "%s (%s)", partition_type_name(type),
                                      partition_architecture_name(architecture));
                }
        }
        const bool failed = ferror(file);
        if (fclose(file) != 0 || failed)
                return -ENOMEM;
        *ret = TAKE_PTR(text);
        return 0;
}

static const GptEntry *find_unaligned(const GptDisk *table) {
        for (size_t i = 0; i < table->n_entries; i++)
                if (table->entries[i].offset % ALIGNMENT != 0)
                        return &table->entries[i];
        return NULL;
}

/* Without a table nobody knows where anything is. */
static int fail(VerifyDisk *disk, const char *detail) {
        const int r = verify_add(&disk->results, VERIFY_FAILED, OBJECT, "%s", detail);

        return r < 0 ? r : 1;
}

int verify_check_table(VerifyDisk *disk) {
        _cleanup_(reason_done) Reason reason = {};
        _cleanup_(freep) char *partitions = NULL;

        int r = gpt_read(disk->fd, disk->size, &disk->table, &reason);
        if (r == -EBADMSG)
                return fail(disk, reason_text(&reason, r));
        if (r < 0)
                return r;
        disk->has_table = true;
        const GptEntry *unaligned = find_unaligned(&disk->table);
        if (unaligned)
                return verify_add(&disk->results, VERIFY_FAILED, OBJECT,
                                  "The partition '%s' begins at byte %llu, which is no multiple of %d",
                                  unaligned->name, (unsigned long long)unaligned->offset, ALIGNMENT);
        r = describe(&disk->table, &partitions);
        return r < 0 ? r
                     : verify_add(&disk->results, VERIFY_OK, OBJECT,
                                  "GPT and its backup, with %zu partitions: %s", disk->table.n_entries,
                                  partitions);
}
