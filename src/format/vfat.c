/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* FAT32 with long names, for the EFI system partition. What FAT does not know is left out: owners, modes, extended
 * attributes; hard links become files of their own. */

#include <endian.h>

#include "base/fd.h"
#include "base/interrupt.h"
#include "format/filesystem.h"
#include "format/vfat-boot.h"
#include "format/vfat-content.h"
#include "format/vfat-directory.h"

/* The items 0 and 1 of the table have no clusters: one repeats the media byte, the other says that the file system was
 * left clean and without errors. */
#define TABLE_ITEM_MEDIA UINT32_C(0x0ffffff8)
#define TABLE_ITEM_CLEAN UINT32_C(0x0fffffff)
#define TABLE_ITEM_END   UINT32_C(0x0fffffff) /* of a chain */

#define TABLE_BUFFER_ITEMS 16384

/* A file system being written: what goes where. */
typedef struct Vfat {
        const VfatContent *content;
        const FilesystemPlace *place;
        Progress *progress;
        VfatGeometry geometry;
        uint32_t first_free;
} Vfat;

/* The allocation table while it is written, piece by piece, to all its copies. */
typedef struct Table {
        const Vfat *vfat;
        size_t n_written, n_items; /* items in the file, and in the buffer */
        uint32_t items[TABLE_BUFFER_ITEMS];
} Table;

static int table_flush(Table *table) {
        const VfatGeometry *geometry = &table->vfat->geometry;
        const FilesystemPlace *place = table->vfat->place;

        for (uint32_t i = 0; i < VFAT_N_TABLES; i++) {
                const uint64_t sector = geometry->reserved_sectors + (uint64_t)i * geometry->table_sectors;
                const uint64_t offset = sector * VFAT_SECTOR_SIZE + table->n_written * VFAT_TABLE_ITEM_SIZE;

                const int r = fd_pwrite_all(place->fd, table->items, table->n_items * VFAT_TABLE_ITEM_SIZE,
                                            place->offset + offset);
                if (r < 0)
                        return r;
        }
        table->n_written += table->n_items;
        table->n_items = 0;
        return 0;
}

static int table_append(Table *table, uint32_t value) {
        table->items[table->n_items++] = htole32(value);
        return table->n_items < ELEMENTSOF(table->items) ? 0 : table_flush(table);
}

/* All chains are of clusters in a row and in the order of the items, so that the table is written from front to back.
 * Free clusters are zeros, which the file has already. */
static int write_tables(const Vfat *vfat) {
        _cleanup_(freep) Table *table = calloc(1, sizeof(Table));

        if (!table)
                return -ENOMEM;
        table->vfat = vfat;

        int r = table_append(table, TABLE_ITEM_MEDIA);
        if (r >= 0)
                r = table_append(table, TABLE_ITEM_CLEAN);
        for (size_t i = 0; r >= 0 && i < vfat->content->tree->n_nodes; i++) {
                const VfatItem *item = &vfat->content->items[i];

                for (uint32_t n = 1; r >= 0 && n < item->n_clusters; n++)
                        r = table_append(table, item->first_cluster + n);
                if (r >= 0 && item->n_clusters > 0)
                        r = table_append(table, TABLE_ITEM_END);
        }
        if (r >= 0)
                r = table_flush(table);
        return r;
}

static int write_directory(const Vfat *vfat, const TreeNode *node, uint64_t offset) {
        const size_t size = (size_t)vfat->content->items[node->index].n_entries * VFAT_ENTRY_SIZE;
        _cleanup_(freep) void *buffer = calloc(1, MAX(size, (size_t)1));

        if (!buffer)
                return -ENOMEM;
        vfat_directory_encode(vfat->content, node, buffer);
        return fd_pwrite_all(vfat->place->fd, buffer, size, offset);
}

static int write_file(const Vfat *vfat, const TreeNode *node, uint64_t offset) {
        _cleanup_(fd_closep) int fd = tree_open(vfat->content->tree, node);

        if (fd < 0)
                return fd;
        const int r = fd_copy_range(fd, 0, vfat->place->fd, offset, (uint64_t)node->status.st_size);
        if (r >= 0)
                progress_advance(vfat->progress, (uint64_t)node->status.st_size);
        return r;
}

static int write_node(const Vfat *vfat, const TreeNode *node, Reason *reason) {
        const VfatItem *item = &vfat->content->items[node->index];
        _cleanup_(freep) char *path = NULL;

        if (item->n_clusters == 0)
                return 0;

        const uint64_t offset =
                vfat->place->offset + vfat_geometry_offset(&vfat->geometry, item->first_cluster);
        const int r = S_ISDIR(node->status.st_mode) ? write_directory(vfat, node, offset)
                                                    : write_file(vfat, node, offset);
        if (r < 0 && tree_node_path(node, &path) >= 0)
                return reason_set(reason, r, "Cannot copy '%s' into the file system: %m", path);
        return r;
}

static int write_boot_record(const Vfat *vfat) {
        uint8_t sectors[VFAT_BOOT_SECTORS * VFAT_SECTOR_SIZE];

        vfat_boot_encode(vfat->content, &vfat->geometry, vfat->first_free, vfat->place->offset, sectors);
        const int r = fd_pwrite_all(vfat->place->fd, sectors, sizeof(sectors), vfat->place->offset);
        if (r < 0)
                return r;
        return fd_pwrite_all(vfat->place->fd, sectors, sizeof(sectors),
                             vfat->place->offset + VFAT_BOOT_BACKUP * VFAT_SECTOR_SIZE);
}

static int measure_content(const VfatContent *content, uint64_t *ret_size, Reason *reason) {
        const int r = vfat_geometry_measure(vfat_content_count, content, ret_size);
        if (r < 0)
                return reason_set(reason, r, "The content is larger than any FAT32 file system");
        return 0;
}

/* The size that the content needs, with the reserve that goes with it. */
static int choose_size(const Tree *tree, const FilesystemOptions *options, uint64_t content_size,
                       uint64_t *ret_size, Reason *reason) {
        const uint64_t reserve_size = filesystem_reserve(options, content_size);
        _cleanup_(vfat_content_freep) VfatContent *content = NULL;

        int r = vfat_content_new(tree, options, reserve_size, &content, reason);
        if (r < 0)
                return r;
        r = measure_content(content, ret_size, reason);
        if (r < 0)
                return r;
        if (options->size_grain > 0)
                *ret_size = align_up(*ret_size, options->size_grain);
        return 0;
}

static int write_all(Vfat *vfat, Reason *reason) {
        const Tree *tree = vfat->content->tree;

        for (size_t i = 0; i < tree->n_nodes; i++) {
                int r = interrupt_check();
                if (r >= 0)
                        r = write_node(vfat, tree->nodes[i], reason);
                if (r < 0)
                        return r;
        }
        const int r = write_tables(vfat);
        return r < 0 ? r : write_boot_record(vfat);
}

static int vfat_make(const Tree *tree, const FilesystemOptions *options, const FilesystemPlace *wish,
                     uint64_t *ret_size, Reason *reason) {
        _cleanup_(vfat_content_freep) VfatContent *content = NULL;
        FilesystemPlace place = *wish;
        Vfat vfat = { .place = &place, .progress = options->progress };
        uint64_t needed;

        int r = vfat_content_new(tree, options, 0, &content, reason);
        if (r < 0)
                return r;
        r = measure_content(content, &needed, reason);
        if (r < 0)
                return r;
        if (place.size == 0) {
                r = choose_size(tree, options, needed, &place.size, reason);
                if (r < 0)
                        return r;
        }
        if (place.size < needed) {
                *ret_size = needed;
                return reason_set(reason, -ENOSPC, "FAT32 with this content needs %llu bytes and has %llu",
                                  (unsigned long long)needed, (unsigned long long)place.size);
        }
        r = fd_extend(place.fd, place.offset + place.size);
        if (r < 0)
                return r;
        r = vfat_geometry_choose(vfat_content_count, content, place.size, &vfat.geometry);
        if (r < 0)
                return r;
        vfat.content = content;
        vfat.first_free =
                vfat_content_place(content, (uint64_t)vfat.geometry.cluster_sectors * VFAT_SECTOR_SIZE);

        r = write_all(&vfat, reason);
        if (r < 0)
                return r;
        *ret_size = place.size;
        return 0;
}

const Filesystem filesystem_vfat = {
        .name = "vfat",
        .make = vfat_make,
};
