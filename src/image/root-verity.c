/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "image/image-file.h"
#include "image/partition-content.h"
#include "image/root-verity.h"
#include "verity/root-hash.h"
#include "verity/verity.h"

/* 32 bytes of salt, as veritysetup(8) has by default, but out of the seed. */
static int derive_salt(const Image *image, VeritySalt *ret) {
        static const char *const purposes[] = { "salt", "more salt" };

        *ret = (VeritySalt){};
        for (size_t i = 0; i < ELEMENTSOF(purposes); i++) {
                Uuid uuid;

                const int r = partition_content_uuid(image, PARTITION_ROOT_VERITY, purposes[i], &uuid);
                if (r < 0)
                        return r;
                memcpy(ret->bytes + ret->size, uuid.bytes, sizeof(uuid.bytes));
                ret->size += sizeof(uuid.bytes);
        }
        return 0;
}

static int make_tree(Image *image, const VerityData *data, const VerityPlace *place) {
        _cleanup_(reason_done) Reason reason = {};
        VerityOptions options = { .progress = image->progress };

        int r = derive_salt(image, &options.salt);
        if (r >= 0)
                r = partition_content_uuid(image, PARTITION_ROOT_VERITY, "superblock", &options.uuid);
        if (r < 0)
                return r;
        r = verity_hash_file(data, &options, place, &image->root_hash, &reason);
        if (r < 0)
                return image_file_fail(image, r, &reason, "Cannot make the hash tree of the root partition");
        image->has_root_hash = true;
        return 0;
}

int root_verity_write(Image *image, int fd, uint64_t offset, Partition *hash_partition) {
        _cleanup_(partition_layout_freep) PartitionLayout *layout = NULL;
        const PartitionTable *table = &image->disk.table;
        size_t root = 0;

        int r = partition_table_place(table, &layout);
        if (r < 0)
                return log_error(r, "Cannot lay out the partitions: %m");
        while (table->partitions[root].type != PARTITION_ROOT)
                root++;
        const VerityData data = { fd, layout->places[root].offset, layout->places[root].size };

        progress_detail(image->progress, hash_partition->name);
        r = make_tree(image, &data, &(const VerityPlace){ fd, offset });
        if (r < 0)
                return r;
        hash_partition->size = verity_size(data.size);
        root_hash_to_uuids(&image->root_hash, &image->disk.partitions[root].uuid, &hash_partition->uuid);
        return 0;
}

int root_verity_command_line(const Image *image, char **ret) {
        const char *line = image->config->kernel_command_line;
        char digits[2 * SHA256_SIZE + 1];

        if (!image->has_root_hash)
                return text_copy(line, ret);
        sha256_format(&image->root_hash, digits);
        return text_format(ret, "%s%sroothash=%s", line ?: "", text_is_empty(line) ? "" : " ", digits);
}
