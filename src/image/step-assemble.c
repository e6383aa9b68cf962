/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Trees in, one file out: every file system is measured, all are placed, and each is written where it belongs. */

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/parse.h"
#include "base/path.h"
#include "base/text.h"
#include "format/gpt.h"
#include "image/plan.h"
#include "image/step-assemble.h"

#define PARTITIONS_MAX 8

/* A root file system that is written to later gets this much more than its content, when no size is given. */
#define ROOT_RESERVE_MIN     (64 * MIB)
#define ROOT_RESERVE_DIVISOR 10

/* What goes into a partition, before it is known where. The table of all partitions there can be, in order (spec 2.3). */
typedef struct PartitionRow {
        PartitionType type;
        const char *name;  /* GPT name */
        const char *label; /* of the file system */
        const char *last_mounted;
        bool (*wanted)(const Config *config);
        const char *setting;                    /* that gives the size */
        uint64_t (*size)(const Config *config); /* 0: by content */
        const Filesystem *(*filesystem)(const ImageFormat *format);
        const char *(*tree)(const Image *image);
} PartitionRow;

static bool wants_esp(const Config *config) {
        return config->bootable;
}

static uint64_t esp_size(const Config *config) {
        return config->esp_size;
}

static uint64_t root_size(const Config *config) {
        return config->root_size;
}

static const Filesystem *esp_filesystem(const ImageFormat *format) {
        return &filesystem_vfat;
}

static const Filesystem *root_filesystem(const ImageFormat *format) {
        return format->root;
}

static const char *esp_tree(const Image *image) {
        return image->boot_path;
}

static const char *root_tree(const Image *image) {
        return image->root_path;
}

/* clang-format off */
static const PartitionRow partition_rows[] = {
        { PARTITION_ESP,  "ESP System Partition", "EFI",  NULL, wants_esp, "ESPSize",  esp_size,  esp_filesystem,  esp_tree },
        { PARTITION_ROOT, "Root Partition",       "root", "/",  NULL,      "RootSize", root_size, root_filesystem, root_tree },
};
/* clang-format on */

static_assert(ELEMENTSOF(partition_rows) <= PARTITIONS_MAX, "Assembly has too little room");

int step_assemble_detail(const Config *config, char **ret) {
        _cleanup_(freep) char *text = NULL;
        _cleanup_(file_closep) FILE *stream = NULL;
        size_t size;

        stream = open_memstream(&text, &size);
        if (!stream)
                return -ENOMEM;

        for (size_t i = 0; i < ELEMENTSOF(partition_rows); i++) {
                const PartitionRow *row = &partition_rows[i];
                char bytes[24] = "as large as its content";

                if (row->wanted && !row->wanted(config))
                        continue;
                if (row->size(config) > 0)
                        size_format(row->size(config), bytes);
                (void)fprintf(stream, "%s%s: %s",
                              ftell(stream) > 0 ? ", " : "partitions: ", partition_type_name(row->type),
                              bytes);
        }
        /* Closing may move the text, so it comes first. */
        if (fclose(TAKE_PTR(stream)) != 0)
                return -ENOMEM;

        *ret = TAKE_PTR(text);
        return 0;
}

/* The partitions of one image, while they are being made. */
typedef struct Assembly {
        const PartitionRow *rows[PARTITIONS_MAX];
        Tree *trees[PARTITIONS_MAX];
        FilesystemOptions options[PARTITIONS_MAX];
        Partition partitions[PARTITIONS_MAX];
        size_t n;
} Assembly;

static void assembly_done(Assembly *assembly) {
        for (size_t i = 0; i < assembly->n; i++)
                tree_free(assembly->trees[i]);
}

static uint64_t reserve_size(const Image *image, const PartitionRow *row, const Filesystem *filesystem,
                             uint64_t content_size) {
        if (row->type != PARTITION_ROOT || filesystem->read_only || image->config->read_only)
                return 0;
        return MAX(ROOT_RESERVE_MIN, align_up(content_size / ROOT_RESERVE_DIVISOR, MIB));
}

/* The size of a partition: what the setting says, if that is enough, else what the content needs. */
static int choose_size(const Image *image, const PartitionRow *row, const Filesystem *filesystem,
                       const Tree *tree, const FilesystemOptions *options, uint64_t *ret) {
        _cleanup_(reason_done) Reason reason = {};
        const uint64_t wished = row->size(image->config);
        uint64_t needed;

        int r = filesystem->measure(tree, options, 0, &needed, &reason);
        if (r < 0)
                return log_error(r, "Cannot measure the %s partition: %s", partition_type_name(row->type),
                                 reason_text(&reason, r));
        needed = align_up(needed, MIB);

        if (wished > 0 && wished < needed) {
                char wished_text[24], needed_text[24];

                size_format(wished, wished_text);
                size_format(needed, needed_text);
                return log_error(
                        -ENOSPC,
                        "%s=%s is too small for the %s partition, its content needs %s: raise it to that",
                        row->setting, wished_text, partition_type_name(row->type), needed_text);
        }
        if (wished > 0) {
                *ret = wished;
                return 0;
        }

        const uint64_t reserve = reserve_size(image, row, filesystem, needed);
        if (reserve > 0) {
                r = filesystem->measure(tree, options, reserve, &needed, &reason);
                if (r < 0)
                        return log_error(r, "Cannot measure the %s partition: %s",
                                         partition_type_name(row->type), reason_text(&reason, r));
        }
        *ret = align_up(needed, MIB);
        return 0;
}

static int derive_uuid(const Image *image, const PartitionRow *row, const char *purpose, Uuid *ret) {
        _cleanup_(freep) char *text = NULL;

        const int r = text_format(&text, "%s %s", partition_type_name(row->type), purpose);
        if (r < 0)
                return r;
        return uuid_derive(image->seed, text, ret);
}

static int add_partition(const Image *image, Assembly *assembly, const PartitionRow *row) {
        _cleanup_(reason_done) Reason reason = {};
        const Filesystem *filesystem = row->filesystem(image->format);
        const size_t i = assembly->n;
        FilesystemOptions options = { .label = row->label,
                                      .last_mounted = row->last_mounted,
                                      .time = image->time };
        Partition partition = { .type = row->type, .name = row->name };
        int r;

        r = derive_uuid(image, row, "partition", &partition.uuid);
        if (r >= 0)
                r = derive_uuid(image, row, "file system", &options.uuid);
        if (r >= 0)
                r = derive_uuid(image, row, "hash seed", &options.hash_seed);
        if (r < 0)
                return log_error(r, "Cannot derive UUIDs from the seed: %m");

        r = tree_load(AT_FDCWD, row->tree(image), &assembly->trees[i], &reason);
        if (r < 0)
                return log_error(r, "Cannot read the tree of the %s partition: %s",
                                 partition_type_name(row->type), reason_text(&reason, r));
        assembly->n++;

        r = choose_size(image, row, filesystem, assembly->trees[i], &options, &partition.size);
        if (r < 0)
                return r;
        if (row->type == PARTITION_ROOT)
                partition.attributes = image->config->read_only ? PARTITION_ATTRIBUTE_READ_ONLY : 0;

        assembly->rows[i] = row;
        assembly->options[i] = options;
        assembly->partitions[i] = partition;
        return 0;
}

static int write_filesystem(const Image *image, const Assembly *assembly, size_t i, int fd,
                            PartitionPlace place) {
        _cleanup_(reason_done) Reason reason = {};
        const PartitionRow *row = assembly->rows[i];
        const Filesystem *filesystem = row->filesystem(image->format);
        char size[24];

        size_format(place.size, size);
        progress_detail(image->progress, row->name);
        log_debug("Writing %s, %s, at offset %llu", row->name, size, (unsigned long long)place.offset);

        const int r = filesystem->make(
                assembly->trees[i], &assembly->options[i],
                &(const FilesystemPlace){ .fd = fd, .offset = place.offset, .size = place.size }, &reason);
        if (r == -EINTR)
                return r;
        if (r < 0)
                return log_error(r, "Cannot write the %s file system of the %s partition (%s): %s",
                                 filesystem->name, partition_type_name(row->type), size,
                                 reason_text(&reason, r));
        return 0;
}

static int write_disk(Image *image, const Assembly *assembly, const PartitionTable *table,
                      const PartitionLayout *layout) {
        _cleanup_(reason_done) Reason reason = {};
        _cleanup_(freep) char *path = NULL;
        _cleanup_(fd_closep) int fd = -EBADF;
        int r;

        r = path_join(image->workspace->path, "disk", &path);
        if (r < 0)
                return r;
        fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
        if (fd < 0)
                return log_error(-errno, "Cannot create %s: %m", path);
        if (ftruncate(fd, (off_t)layout->disk_size) < 0)
                return log_error(-errno, "Cannot make %s %llu bytes long: %m", path,
                                 (unsigned long long)layout->disk_size);

        for (size_t i = 0; i < assembly->n; i++) {
                r = write_filesystem(image, assembly, i, fd, layout->places[i]);
                if (r < 0)
                        return r;
        }
        r = gpt_write(fd, table, layout, &reason);
        if (r < 0)
                return log_error(r, "Cannot write the partition table: %s", reason_text(&reason, r));
        if (fsync(fd) < 0)
                return log_error(-errno, "Cannot write %s to disk: %m", path);

        image->disk_path = TAKE_PTR(path);
        return 0;
}

int step_assemble(Image *image) {
        _cleanup_(assembly_done) Assembly assembly = {};
        _cleanup_(partition_layout_freep) PartitionLayout *layout = NULL;
        PartitionTable table = { .partitions = assembly.partitions };
        int r;

        /* Rounded up: what was written in this second keeps its time as well. */
        if (!image->time_given)
                image->time = (int64_t)time(NULL) + 1;

        for (size_t i = 0; i < ELEMENTSOF(partition_rows); i++) {
                if (partition_rows[i].wanted && !partition_rows[i].wanted(image->config))
                        continue;
                r = add_partition(image, &assembly, &partition_rows[i]);
                if (r < 0)
                        return r;
        }
        table.n_partitions = assembly.n;

        r = partition_architecture_find(architecture_words[image->config->architecture], &table.architecture);
        if (r < 0)
                return log_error(r, "No root partition type is specified for %s",
                                 architecture_words[image->config->architecture]);
        r = uuid_derive(image->seed, "disk", &table.disk_uuid);
        if (r < 0)
                return log_error(r, "Cannot derive UUIDs from the seed: %m");
        r = partition_table_place(&table, &layout);
        if (r < 0)
                return log_error(r, "Cannot lay out the partitions: %m");

        return write_disk(image, &assembly, &table, layout);
}
