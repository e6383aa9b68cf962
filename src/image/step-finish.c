/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The last parts of the assembled file: the EFI system partition, whose programs know the partitions written before it,
 * and the table that says where they all are. */

#include <fcntl.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/text.h"
#include "format/gpt.h"
#include "image/image-file.h"
#include "image/partition-content.h"
#include "image/plan.h"
#include "image/tree-usage.h"

static const PartitionPlace *find_place(const ImageDisk *disk, PartitionType type) {
        for (size_t i = 0; i < disk->table.n_partitions; i++)
                if (disk->partitions[i].type == type)
                        return &disk->layout->places[i];
        return NULL;
}

/* Those that got no more than a place while the others were written. */
static int write_boot_partitions(Image *image, int fd) {
        for (size_t i = 0; i < n_partition_rows; i++) {
                _cleanup_(tree_freep) Tree *tree = NULL;
                const PartitionRow *row = &partition_rows[i];
                uint64_t size;

                if (row->source != PARTITION_SOURCE_BOOT || !partition_row_wanted(row, image->config))
                        continue;
                const PartitionPlace *place = find_place(&image->disk, row->type);
                assert(place);
                int r = image_load_tree(image->boot_path, "the EFI system partition", &tree);
                if (r < 0)
                        return r;
                progress_expect(image->progress, PROGRESS_BYTES, tree_usage_total(tree));
                r = partition_content_write(image, row, tree, fd, place->offset, &size);
                if (r < 0)
                        return r;
                assert(size == place->size);
        }
        return 0;
}

static int write_table(Image *image, int fd) {
        _cleanup_(reason_done) Reason reason = {};
        ImageDisk *disk = &image->disk;

        if (ftruncate(fd, (off_t)disk->layout->disk_size) < 0)
                return image_file_fail(image, -errno, NULL, "Cannot make the disk image %llu bytes long",
                                       (unsigned long long)disk->layout->disk_size);
        const int r = gpt_write(fd, &disk->table, disk->layout, &reason);
        if (r < 0)
                return image_file_fail(image, r, &reason, "Cannot write the partition table");
        return 0;
}

static int finish_disk(Image *image, int fd) {
        ImageDisk *disk = &image->disk;

        int r = partition_table_place(&disk->table, &disk->layout);
        if (r < 0)
                return log_error(r, "Cannot lay out the partitions: %m");
        r = write_boot_partitions(image, fd);
        return r < 0 ? r : write_table(image, fd);
}

int step_finish(Image *image) {
        _cleanup_(fd_closep) int fd = open(image->raw_path, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
        _cleanup_(freep) char *path = NULL;
        int r = 0;

        if (fd < 0)
                return log_error(-errno, "Cannot open %s: %m", image->raw_path);
        if (image->format->shape == IMAGE_DISK)
                r = finish_disk(image, fd);
        if (r >= 0)
                r = text_copy(image->raw_path, &image->packed_path);
        if (r < 0 || output_is_qcow2(image->config) ||
            image->config->compress_output.word != OUTPUT_COMPRESSION_NO)
                return r;
        r = text_copy(image->raw_path, &path);
        return r < 0 ? r : image_file_finish(image, ARTEFACT_IMAGE, fd, TAKE_PTR(path), NULL);
}
