/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Trees in, one file out: file systems are written one behind the other, each with the size that its content needs. What
 * starts the system comes later, since it may have to know what was written here. */

#include "base/fd.h"
#include "base/log.h"
#include "image/image-file.h"
#include "image/partition-content.h"
#include "image/plan.h"
#include "image/root-signature.h"
#include "image/root-verity.h"
#include "image/tree-usage.h"

/* Trees by partition row; the rows behind share one root tree that was split up. */
typedef struct Assembly {
        Image *image;
        int fd;
        Tree *trees[PARTITION_ROWS_MAX];
} Assembly;

static void assembly_done(Assembly *assembly) {
        for (size_t i = 0; i < PARTITION_ROWS_MAX; i++)
                tree_free(assembly->trees[i]);
}

/* Where the root's tree is, from which others take their parts. */
static Tree **root_tree(Assembly *assembly) {
        size_t i = 0;

        while (partition_rows[i].source != PARTITION_SOURCE_ROOT)
                i++;
        return &assembly->trees[i];
}

static int load_trees(Assembly *assembly) {
        const Image *image = assembly->image;
        Tree **root = root_tree(assembly);

        int r = image_load_tree(image->root_path, "the root partition", root);
        for (size_t i = 0; i < n_partition_rows && r >= 0; i++) {
                const PartitionRow *row = &partition_rows[i];

                if (!partition_row_wanted(row, image->config))
                        continue;
                if (row->source == PARTITION_SOURCE_PART) {
                        r = tree_split(*root, row->directory, &assembly->trees[i]);
                        if (r < 0)
                                return log_error(r, "Cannot take /%s of the tree for the %s partition: %m",
                                                 row->directory, partition_type_name(row->type));
                }
        }
        return r;
}

static int describe_partition(const Assembly *assembly, const PartitionRow *row, Partition *ret) {
        const Image *image = assembly->image;

        *ret = (Partition){
                .type = row->type,
                .name = row->name,
                .attributes = partition_row_attributes(row, image->config, image->format),
        };
        return partition_content_uuid(image, row->type, "partition", &ret->uuid);
}

/* What comes from the boot tree is not there yet: it gets a place, since its size is known. */
static int add_partition(const Assembly *assembly, size_t index) {
        Image *image = assembly->image;
        PartitionTable *table = &image->disk.table;
        const PartitionRow *row = &partition_rows[index];
        Partition *partition = &image->disk.partitions[table->n_partitions];
        uint64_t offset;

        int r = partition_table_next(table, &offset);
        if (r < 0)
                return log_error(r, "Cannot lay out the partitions: %m");
        r = describe_partition(assembly, row, partition);
        if (r < 0)
                return r;
        switch (row->source) {
        case PARTITION_SOURCE_BOOT:
                partition->size = partition_row_size(row, image->config);
                break;
        case PARTITION_SOURCE_HASH:
                r = root_verity_write(image, assembly->fd, offset, partition);
                break;
        case PARTITION_SOURCE_SIGNATURE:
                r = root_signature_write(image, assembly->fd, offset, partition);
                break;
        default:
                r = partition_content_write(image, row, assembly->trees[index], assembly->fd, offset,
                                            &partition->size);
        }
        if (r < 0)
                return r;
        table->n_partitions++;
        return 0;
}

/* The work is reading what files hold. */
static void expect_work(const Assembly *assembly) {
        uint64_t total = 0;

        for (size_t i = 0; i < n_partition_rows; i++)
                if (assembly->trees[i])
                        total += tree_usage_total(assembly->trees[i]);
        progress_expect(assembly->image->progress, PROGRESS_BYTES, total);
}

static int write_disk(Assembly *assembly) {
        Image *image = assembly->image;
        PartitionTable *table = &image->disk.table;
        const char *architecture = architecture_words[image->config->architecture];

        int r = partition_architecture_find(architecture, &table->architecture);
        if (r < 0)
                return log_error(r, "No root partition type is specified for %s", architecture);
        r = uuid_derive(image->seed, "disk", &table->disk_uuid);
        if (r < 0)
                return log_error(r, "Cannot derive UUIDs from the seed: %m");
        table->partitions = image->disk.partitions;

        r = load_trees(assembly);
        if (r < 0)
                return r;
        expect_work(assembly);
        for (size_t i = 0; i < n_partition_rows; i++) {
                if (!partition_row_wanted(&partition_rows[i], image->config))
                        continue;
                r = add_partition(assembly, i);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int write_alone(const Assembly *assembly) {
        _cleanup_(tree_freep) Tree *tree = NULL;
        Image *image = assembly->image;

        const int r = image_load_tree(image->root_path, "the file system", &tree);
        if (r < 0)
                return r;
        progress_expect(image->progress, PROGRESS_BYTES, tree_usage_total(tree));
        return partition_content_write_alone(image, tree, assembly->fd);
}

int step_assemble(Image *image) {
        _cleanup_(assembly_done) Assembly assembly = { .image = image, .fd = -EBADF };
        _cleanup_(fd_closep) int fd = image_file_create(image, "raw", &image->raw_path);

        if (fd < 0)
                return fd;
        assembly.fd = fd;
        return image->format->shape == IMAGE_DISK ? write_disk(&assembly) : write_alone(&assembly);
}
