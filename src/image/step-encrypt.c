/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* File systems that lie in their partitions in plain become LUKS volumes, in place. */

#include <fcntl.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "image/encryption.h"
#include "image/image-file.h"
#include "image/partition-content.h"
#include "image/plan.h"

static bool is_encrypted(const Image *image, const Partition *partition) {
        const PartitionRow *row = partition_row_find(partition->type);

        return row && partition_row_encrypted(row, image->config);
}

static void expect_work(const Image *image) {
        const PartitionTable *table = &image->disk.table;
        uint64_t total = 0;

        for (size_t i = 0; i < table->n_partitions; i++)
                if (is_encrypted(image, &table->partitions[i]))
                        total += table->partitions[i].size - LUKS_HEADER_SIZE;
        progress_expect(image->progress, PROGRESS_BYTES, total);
}

static int encrypt_partition(const Image *image, const Partition *partition, int fd, uint64_t offset) {
        LuksOptions options = encryption_options(image->config);
        _cleanup_(reason_done) Reason reason = {};

        progress_detail(image->progress, partition->name);
        log_debug("Encrypting %s at offset %llu", partition->name, (unsigned long long)offset);
        options.passphrase = image->passphrase;
        options.progress = image->progress;
        int r = partition_content_uuid(image, partition->type, "encryption", &options.uuid);
        if (r < 0)
                return r;
        r = luks_encrypt(&options, &(LuksVolume){ fd, offset, partition->size }, &reason);
        if (r < 0)
                return image_file_fail(image, r, &reason, "Cannot encrypt the %s partition",
                                       partition_type_name(partition->type));
        return 0;
}

int step_encrypt(Image *image) {
        _cleanup_(fd_closep) int fd = open(image->raw_path, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
        _cleanup_(partition_layout_freep) PartitionLayout *layout = NULL;
        const PartitionTable *table = &image->disk.table;

        if (fd < 0)
                return log_error(-errno, "Cannot open %s: %m", image->raw_path);
        int r = partition_table_place(table, &layout);
        if (r < 0)
                return log_error(r, "Cannot lay out the partitions: %m");
        expect_work(image);
        for (size_t i = 0; i < table->n_partitions; i++) {
                if (!is_encrypted(image, &table->partitions[i]))
                        continue;
                r = encrypt_partition(image, &table->partitions[i], fd, layout->places[i].offset);
                if (r < 0)
                        return r;
        }
        /* Nobody needs it from here on. */
        secret_free(TAKE_PTR(image->passphrase));
        return 0;
}
