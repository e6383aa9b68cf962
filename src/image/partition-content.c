/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "base/log.h"
#include "base/parse.h"
#include "base/strv.h"
#include "base/text.h"
#include "config/config-report.h"
#include "image/compression-choice.h"
#include "image/encryption.h"
#include "image/image-file.h"
#include "image/partition-content.h"
#include "image/root-tree.h"
#include "image/tree-usage.h"

#define DIRECTORIES_NAMED 5  /* when a partition is too small for its content */
#define LEFT_OUT_NAMED    10 /* of what a file system cannot store */

int partition_content_uuid(const Image *image, PartitionType type, const char *purpose, Uuid *ret) {
        _cleanup_(freep) char *text = NULL;

        int r = text_format(&text, "%s %s", partition_type_name(type), purpose);
        if (r >= 0)
                r = uuid_derive(image->seed, text, ret);
        if (r < 0)
                return log_error(r, "Cannot derive UUIDs from the seed: %m");
        return 0;
}

/* The options of the root file system, whether it stands in a partition or alone. */
static int choose_options(Image *image, PartitionType type, const char *label, FilesystemOptions *ret) {
        FilesystemOptions options = {
                .label = label,
                .time = image_time(image),
                .size_grain = MIB,
                .progress = image->progress,
        };

        if (type == PARTITION_ROOT) {
                options.compression = compression_choice_inside(image->config);
                options.compression_level = (int)image->config->compress.level;
                options.subvolumes = image->format->subvolumes ? root_tree_subvolumes : NULL;
                options.read_only = image->config->read_only;
        }
        int r = partition_content_uuid(image, type, "file system", &options.uuid);
        if (r >= 0)
                r = partition_content_uuid(image, type, "hash seed", &options.hash_seed);
        if (r < 0)
                return r;
        *ret = options;
        return 0;
}

/* "RootSize=1M is too small …, its content needs 300M: raise it to that. Its biggest directories are usr/lib (200M)" */
static int fail_too_small(const PartitionRow *row, const Tree *tree, uint64_t wished, uint64_t needed) {
        _cleanup_(freep) char *directories = NULL;
        char wished_text[24], needed_text[24];

        if (tree && tree_usage_describe(tree, DIRECTORIES_NAMED, &directories) < 0)
                return -ENOMEM;
        size_format(wished, wished_text);
        size_format(align_up(needed, MIB), needed_text);
        return log_error(
                -ENOSPC,
                "%s=%s is too small for the %s partition, its content needs %s: raise it to that%s%s",
                config_setting(row->size)->name, wished_text, partition_type_name(row->type), needed_text,
                text_is_empty(directories) ? "" : ". Its biggest directories are ", directories ?: "");
}

static int fail_too_large(const PartitionRow *row, uint64_t wished, const Reason *reason) {
        char text[24];

        size_format(wished, text);
        return log_error(-EFBIG, "%s=%s is more than the %s file system or this disk can have in a file: %s",
                         config_setting(row->size)->name, text, partition_type_name(row->type),
                         reason_text(reason, -EFBIG));
}

static void warn_of_left_out(char *const *left_out) {
        for (size_t i = 0; left_out && left_out[i]; i++) {
                if (i == LEFT_OUT_NAMED) {
                        log_warning("… and so it is with %zu more", strv_length(STRV(left_out)) - i);
                        break;
                }
                log_warning("%s", left_out[i]);
        }
}

/* An encrypted partition begins with a header. What is too small for anything behind it has no size that a file system
 * would take, so that the message can say which one would. */
static FilesystemPlace place_of(const Image *image, const PartitionRow *row, int fd, uint64_t offset) {
        const uint64_t size = partition_row_size(row, image->config),
                       header_size = encryption_header_size(image->config, row);

        return (FilesystemPlace){
                .fd = fd,
                .offset = offset + header_size,
                .size = size > 0 ? MAX(size, header_size + SECTOR_SIZE) - header_size : 0,
        };
}

int partition_content_write(Image *image, const PartitionRow *row, const Tree *tree, int fd, uint64_t offset,
                            uint64_t *ret_size) {
        _cleanup_(reason_done) Reason reason = {};
        _cleanup_(strv_freep) char **left_out = NULL;
        const Filesystem *filesystem = partition_row_filesystem(row, image->format);
        const FilesystemPlace place = place_of(image, row, fd, offset);
        const uint64_t header_size = encryption_header_size(image->config, row);
        FilesystemOptions options;
        uint64_t size = 0;

        progress_detail(image->progress, row->name);
        log_debug("Writing %s at offset %llu", row->name, (unsigned long long)offset);
        int r = choose_options(image, row->type, row->label, &options);
        if (r < 0)
                return r;
        options.last_mounted = row->last_mounted;
        partition_row_reserve(row, image->config, image->format, &options);

        options.left_out = &left_out;
        r = filesystem->make(tree, &options, &place, &size, &reason);
        if (r == -ENOSPC && place.size > 0 && size > place.size)
                return fail_too_small(row, tree, partition_row_size(row, image->config), header_size + size);
        if (r == -EFBIG && place.size > 0)
                return fail_too_large(row, partition_row_size(row, image->config), &reason);
        if (r < 0)
                return image_file_fail(image, r, &reason,
                                       "Cannot write the %s file system of the %s partition",
                                       filesystem->name, partition_type_name(row->type));
        warn_of_left_out(left_out);
        *ret_size = encryption_partition_size(image->config, row, size);
        return 0;
}

int partition_content_write_alone(Image *image, const Tree *tree, int fd) {
        _cleanup_(reason_done) Reason reason = {};
        _cleanup_(strv_freep) char **left_out = NULL;
        const Filesystem *filesystem = image->format->root;
        FilesystemOptions options;
        uint64_t size;

        int r = choose_options(image, PARTITION_ROOT, "root", &options);
        if (r < 0)
                return r;
        options.left_out = &left_out;
        r = filesystem->make(tree, &options, &(FilesystemPlace){ .fd = fd }, &size, &reason);
        if (r < 0)
                return image_file_fail(image, r, &reason, "Cannot write the %s file system",
                                       filesystem->name);
        warn_of_left_out(left_out);
        return 0;
}
