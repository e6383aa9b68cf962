/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <stdio.h>

#include "base/fd.h"
#include "base/parse.h"
#include "image/partition-row.h"
#include "image/signer.h"

/* A root file system that is written to later gets this much more than its content, when no size is given. */
#define ROOT_RESERVE_SIZE    (64 * MIB)
#define ROOT_RESERVE_PERCENT 10

static bool wants_esp(const Config *config) {
        return config->bootable;
}

static bool wants_swap(const Config *config) {
        return config->swap_size > 0;
}

/* With btrfs, data lies in subvolumes of the root file system. */
static bool wants_home(const Config *config) {
        return config->home_size > 0 && config->format != OUTPUT_FORMAT_GPT_BTRFS;
}

static bool wants_srv(const Config *config) {
        return config->srv_size > 0 && config->format != OUTPUT_FORMAT_GPT_BTRFS;
}

static bool wants_verity(const Config *config) {
        return config->verity;
}

static bool wants_verity_signature(const Config *config) {
        return signer_wanted(config, SIGNER_VERITY);
}

#define SIZE(member) offsetof(Config, member)

#define NEVER     0
#define WITH_ALL  (1U << ENCRYPT_ALL)
#define WITH_DATA (1U << ENCRYPT_ALL | 1U << ENCRYPT_DATA)

/* clang-format off */
const PartitionRow partition_rows[] = {
        { PARTITION_ESP,  "ESP System Partition",  "EFI",  NULL,    SIZE(esp_size),  wants_esp,  &filesystem_vfat, PARTITION_SOURCE_BOOT, NEVER,     "efi" },
        { PARTITION_SWAP, "Swap Partition",        "swap", NULL,    SIZE(swap_size), wants_swap, &filesystem_swap, PARTITION_SOURCE_NONE, NEVER,     NULL },
        { PARTITION_HOME, "Home Partition",        "home", "/home", SIZE(home_size), wants_home, &filesystem_ext4, PARTITION_SOURCE_PART, WITH_DATA, "home" },
        { PARTITION_SRV,  "Server Data Partition", "srv",  "/srv",  SIZE(srv_size),  wants_srv,  &filesystem_ext4, PARTITION_SOURCE_PART, WITH_DATA, "srv" },
        { PARTITION_ROOT, "Root Partition",        "root", "/",     SIZE(root_size), NULL,       NULL,             PARTITION_SOURCE_ROOT, WITH_ALL,  NULL },
        { PARTITION_ROOT_VERITY, "Verity Partition", NULL, NULL, PARTITION_BY_CONTENT, wants_verity, NULL, PARTITION_SOURCE_HASH, NEVER, NULL },
        { PARTITION_ROOT_VERITY_SIGNATURE, "Verity Signature Partition", NULL, NULL, PARTITION_BY_CONTENT, wants_verity_signature, NULL, PARTITION_SOURCE_SIGNATURE, NEVER, NULL },
};
/* clang-format on */

const size_t n_partition_rows = ELEMENTSOF(partition_rows);

static_assert(ELEMENTSOF(partition_rows) <= PARTITION_ROWS_MAX,
              "There is too little room for all partitions");

const PartitionRow *partition_row_find(PartitionType type) {
        for (size_t i = 0; i < n_partition_rows; i++)
                if (partition_rows[i].type == type)
                        return &partition_rows[i];
        return NULL;
}

bool partition_row_wanted(const PartitionRow *row, const Config *config) {
        return !row->wanted || row->wanted(config);
}

/* The size of a file system that nobody can write to is that of its content, whatever is wished for. */
uint64_t partition_row_size(const PartitionRow *row, const Config *config) {
        if (row->size == PARTITION_BY_CONTENT ||
            (row->type == PARTITION_ROOT && output_format_is_squashfs(config->format)))
                return 0;
        return *(const uint64_t *)((const char *)config + row->size);
}

bool partition_row_encrypted(const PartitionRow *row, const Config *config) {
        return (row->encrypted & 1U << config->encrypt) != 0;
}

bool partition_rows_encrypted(const Config *config) {
        if (!output_format_is_disk(config->format))
                return false;
        for (size_t i = 0; i < n_partition_rows; i++)
                if (partition_row_wanted(&partition_rows[i], config) &&
                    partition_row_encrypted(&partition_rows[i], config))
                        return true;
        return false;
}

const Filesystem *partition_row_filesystem(const PartitionRow *row, const ImageFormat *format) {
        return row->source == PARTITION_SOURCE_ROOT ? format->root : row->filesystem;
}

static bool is_written_to(const PartitionRow *row, const Config *config, const ImageFormat *format) {
        return !partition_row_filesystem(row, format)->read_only &&
               (row->type != PARTITION_ROOT || !config->read_only);
}

uint64_t partition_row_attributes(const PartitionRow *row, const Config *config, const ImageFormat *format) {
        switch (row->type) {
        case PARTITION_ROOT:
                if (!is_written_to(row, config, format))
                        return format->subvolumes ? 0 : PARTITION_ATTRIBUTE_READ_ONLY;
                return PARTITION_ATTRIBUTE_GROW;
        case PARTITION_HOME:
        case PARTITION_SRV:
                return PARTITION_ATTRIBUTE_GROW;
        case PARTITION_ROOT_VERITY:
        case PARTITION_ROOT_VERITY_SIGNATURE:
                return PARTITION_ATTRIBUTE_READ_ONLY;
        default:
                return 0;
        }
}

void partition_row_reserve(const PartitionRow *row, const Config *config, const ImageFormat *format,
                           FilesystemOptions *options) {
        if (row->type != PARTITION_ROOT || !is_written_to(row, config, format))
                return;
        options->reserve_size = ROOT_RESERVE_SIZE;
        options->reserve_percent = ROOT_RESERVE_PERCENT;
}

int partition_rows_describe(const Config *config, char **ret) {
        _cleanup_(freep) char *text = NULL;
        _cleanup_(file_closep) FILE *stream = NULL;
        size_t size;

        stream = open_memstream(&text, &size);
        if (!stream)
                return -ENOMEM;

        for (size_t i = 0; i < n_partition_rows; i++) {
                const PartitionRow *row = &partition_rows[i];
                char bytes[24] = "as large as its content";

                if (!partition_row_wanted(row, config))
                        continue;
                if (partition_row_size(row, config) > 0)
                        size_format(partition_row_size(row, config), bytes);
                (void)fprintf(stream, "%s%s: %s%s",
                              ftell(stream) > 0 ? ", " : "partitions: ", partition_type_name(row->type),
                              bytes, partition_row_encrypted(row, config) ? " (encrypted)" : "");
        }
        /* Closing may move the text, so it comes first. */
        if (fclose(TAKE_PTR(stream)) != 0)
                return -ENOMEM;

        *ret = TAKE_PTR(text);
        return 0;
}
