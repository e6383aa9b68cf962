/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <endian.h>
#include <string.h>
#include <strings.h>

#include "base/fd.h"
#include "format/vfat-disk.h"
#include "format/vfat-reader-tree.h"
#include "format/vfat-reader.h"

#define SECTOR_SIZE_MAX  4096
#define CLUSTER_SIZE_MAX (256 * KIB)
#define N_TABLES_MAX     2
#define BUFFER_SIZE      (64 * KIB)

/* Where the number of clusters makes one kind of FAT another. */
#define FAT12_CLUSTERS_MAX 4084

/* Highest numbers of clusters that are no more than numbers, by bits. */
#define FAT12_BAD UINT32_C(0xff7)
#define FAT16_BAD UINT32_C(0xfff7)

/* The first two numbers of a table are no clusters': the kind of medium, and an end, in which mounting leaves marks, of FAT16
 * and FAT32, in the two highest bits. */
#define NUMBER_MEDIUM 0
#define NUMBER_END    1

#define MEDIUM_REMOVABLE 0xf0
#define MEDIUM_FIXED     0xf8 /* and above */

/* Where FAT12 and FAT16 have what is further behind in FAT32. */
#define FAT16_EXTENDED_SIGNATURE 38
#define FAT16_LABEL              43
#define EXTENDED_SIGNATURE       0x29
#define NO_LABEL                 "NO NAME    "

/* A byte in which mounting leaves a mark, in one copy of the boot sector only. */
#define BOOT_STATE offsetof(VfatBootSector, reserved2)

static bool is_power_of_two(uint32_t number) {
        return number > 0 && (number & (number - 1)) == 0;
}

static int bad(Reason *reason, const char *what) {
        return reason_set(reason, -EBADMSG, "The boot sector %s", what);
}

/* The sizes in the boot sector, none of which is larger than the file system then. */
static int read_sizes(VfatReader *reader, const VfatBootSector *boot, uint64_t size, Reason *reason) {
        const uint32_t sector = le16toh(boot->sector_size), cluster = sector * boot->cluster_sectors;
        const uint32_t small_total = le16toh(boot->fat16_total_sectors);
        const uint32_t total = small_total > 0 ? small_total : le32toh(boot->total_sectors);

        if (le16toh(boot->signature) != VFAT_SIGNATURE)
                return bad(reason, "has no signature: there is no FAT file system");
        if (!is_power_of_two(sector) || sector < VFAT_SECTOR_SIZE || sector > SECTOR_SIZE_MAX)
                return bad(reason, "tells of sectors of an impossible size: there is no FAT file system");
        if (!is_power_of_two(boot->cluster_sectors) || cluster > CLUSTER_SIZE_MAX)
                return bad(reason, "tells of clusters of an impossible size");
        if (boot->n_tables < 1 || boot->n_tables > N_TABLES_MAX)
                return reason_set(reason, -EBADMSG, "The boot sector tells of %u file allocation tables",
                                  boot->n_tables);
        reader->sector_size = sector;
        reader->cluster_size = cluster;
        reader->size = (uint64_t)total * sector;
        if (reader->size > size)
                return reason_set(
                        reason, -EBADMSG,
                        "The boot sector tells of %llu bytes, and there are no more than %llu: it is cut off",
                        (unsigned long long)reader->size, (unsigned long long)size);
        return 0;
}

/* How the sectors are divided. Returns the size of a table, in bytes. */
static int read_layout(VfatReader *reader, const VfatBootSector *boot, uint64_t *ret_tables,
                       uint64_t *ret_table_size, Reason *reason) {
        const uint32_t small_table = le16toh(boot->fat16_table_sectors);
        const uint64_t table_sectors = small_table > 0 ? small_table : le32toh(boot->table_sectors);
        const uint32_t n_root = le16toh(boot->n_root_entries);
        const uint64_t tables = (uint64_t)le16toh(boot->reserved_sectors) * reader->sector_size;
        const uint64_t root = tables + boot->n_tables * table_sectors * reader->sector_size;
        const uint64_t data = root + align_up((uint64_t)n_root * VFAT_ENTRY_SIZE, reader->sector_size);

        if (tables == 0 || table_sectors == 0 || data >= reader->size)
                return bad(reason, "leaves no room for files");
        const uint64_t n_clusters = (reader->size - data) / reader->cluster_size;
        reader->bits = small_table == 0 ? 32 : n_clusters > FAT12_CLUSTERS_MAX ? 16 : 12;
        if (n_clusters == 0 || n_clusters >= (reader->bits == 32   ? VFAT_CLUSTER_BAD
                                              : reader->bits == 16 ? FAT16_BAD
                                                                   : FAT12_BAD))
                return bad(reason, "tells of an impossible number of clusters");
        if ((n_clusters + VFAT_CLUSTER_FIRST) * reader->bits > table_sectors * reader->sector_size * 8)
                return bad(reason, "tells of a file allocation table that is too small");
        if ((reader->bits == 32) != (n_root == 0))
                return bad(reason, "tells of a root directory of another kind of FAT");

        reader->n_clusters = (uint32_t)n_clusters;
        reader->n_root_entries = n_root;
        reader->root_offset = root;
        reader->data_offset = data;
        *ret_tables = tables;
        *ret_table_size = table_sectors * reader->sector_size;
        return 0;
}

static uint32_t count_free(const VfatReader *reader) {
        uint32_t n = 0;

        for (uint32_t i = 0; i < reader->n_clusters; i++)
                n += reader->next[VFAT_CLUSTER_FIRST + i] == VFAT_CLUSTER_FREE;
        return n;
}

/* What FSInfo counts is there to save others the time of counting, so it had better be true. */
static int check_info(const VfatReader *reader, const VfatBootSector *boot, Reason *reason) {
        const uint32_t sector = le16toh(boot->info_sector);
        VfatInfoSector info;

        if (reader->bits != 32 || sector == 0 || sector == UINT16_MAX)
                return 0;
        const int r = fd_pread_all(reader->fd, &info, sizeof(info),
                                   reader->offset + (uint64_t)sector * reader->sector_size);
        if (r < 0)
                return r;
        const uint32_t n_free = le32toh(info.n_free), first_free = le32toh(info.first_free);
        if (le32toh(info.signature_lead) != VFAT_INFO_LEAD ||
            le32toh(info.signature_middle) != VFAT_INFO_MIDDLE || le16toh(info.signature) != VFAT_SIGNATURE)
                return reason_set(reason, -EBADMSG, "The sector FSInfo has other signatures than it should");
        if (n_free != UINT32_MAX && n_free != count_free(reader))
                return reason_set(reason, -EBADMSG,
                                  "The sector FSInfo counts %u free clusters, and there are %u", n_free,
                                  count_free(reader));
        if (first_free != UINT32_MAX &&
            (first_free < VFAT_CLUSTER_FIRST || first_free - VFAT_CLUSTER_FIRST >= reader->n_clusters))
                return reason_set(reason, -EBADMSG,
                                  "The sector FSInfo has free clusters begin at %u, which there is not",
                                  first_free);
        return 0;
}

static int check_copy(const VfatReader *reader, const VfatBootSector *boot, uint32_t sector, Reason *reason) {
        VfatBootSector copy;

        const int r = fd_pread_all(reader->fd, &copy, sizeof(copy),
                                   reader->offset + (uint64_t)sector * reader->sector_size);
        if (r < 0)
                return r;
        ((uint8_t *)&copy)[BOOT_STATE] = ((const uint8_t *)boot)[BOOT_STATE];
        return memcmp(&copy, boot, sizeof(copy)) != 0
                       ? reason_set(reason, -EBADMSG, "The boot sector and its copy in sector %u differ",
                                    sector)
                       : 0;
}

/* What only FAT32 has in its reserved sectors. */
static int check_reserved(VfatReader *reader, const VfatBootSector *boot, Reason *reason) {
        const uint32_t reserved = le16toh(boot->reserved_sectors), info = le16toh(boot->info_sector),
                       backup = le16toh(boot->backup_sector);
        int r = 0;

        reader->root_cluster = le32toh(boot->root_cluster);
        if (le16toh(boot->version) != 0)
                return bad(reason, "is of a version of FAT32 that there is not");
        if (info != UINT16_MAX && info >= reserved)
                return bad(reason, "tells of an FSInfo outside the reserved sectors");
        if (backup != 0 && backup != UINT16_MAX) {
                if (backup >= reserved)
                        return bad(reason, "tells of a copy outside the reserved sectors");
                r = check_copy(reader, boot, backup, reason);
        }
        return r;
}

/* As the table has it. */
static uint32_t raw_number(const VfatReader *reader, const uint8_t *table, uint32_t cluster) {
        uint32_t number;

        switch (reader->bits) {
        case 12:
                number = table[cluster + cluster / 2] | (uint32_t)table[cluster + cluster / 2 + 1] << 8;
                return cluster % 2 ? number >> 4 : number & 0xfff;
        case 16:
                return table[2 * cluster] | (uint32_t)table[2 * cluster + 1] << 8;
        default:
                memcpy(&number, table + 4 * (size_t)cluster, sizeof(number));
                return le32toh(number) & 0x0fffffff; /* the upper four bits mean nothing */
        }
}

/* With the numbers that have a meaning of their own like those of FAT32. */
static uint32_t table_number(const VfatReader *reader, const uint8_t *table, uint32_t cluster) {
        const uint32_t number = raw_number(reader, table, cluster);

        if (reader->bits == 12)
                return number >= FAT12_BAD ? number | 0x0ffff000 : number;
        if (reader->bits == 16)
                return number >= FAT16_BAD ? number | 0x0fff0000 : number;
        return number;
}

static int check_first_numbers(const VfatReader *reader, const uint8_t *table, uint8_t medium,
                               Reason *reason) {
        const unsigned bits = MIN(reader->bits, 28u);
        const uint32_t all = (UINT32_C(1) << bits) - 1;
        const uint32_t marks = bits == 12 ? 0 : UINT32_C(3) << (bits - 2);

        if (medium != MEDIUM_REMOVABLE && medium < MEDIUM_FIXED)
                return bad(reason, "tells of a medium that there is not");
        if (raw_number(reader, table, NUMBER_MEDIUM) != ((all & ~UINT32_C(0xff)) | medium))
                return reason_set(reason, -EBADMSG,
                                  "The file allocation table is of another medium than the boot sector");
        if ((raw_number(reader, table, NUMBER_END) | marks) != all)
                return reason_set(reason, -EBADMSG, "The file allocation table does not begin as it should");
        return 0;
}

/* All of the tables, also what is behind the last cluster's number. */
static int compare_tables(const VfatReader *reader, uint64_t offset, uint64_t size, Reason *reason) {
        _cleanup_(freep) uint8_t *table = malloc(BUFFER_SIZE), *copy = malloc(BUFFER_SIZE);

        if (!table || !copy)
                return -ENOMEM;
        for (uint64_t at = 0; at < size; at += BUFFER_SIZE) {
                const size_t n = (size_t)MIN(size - at, BUFFER_SIZE);

                int r = fd_pread_all(reader->fd, table, n, reader->offset + offset + at);
                if (r >= 0)
                        r = fd_pread_all(reader->fd, copy, n, reader->offset + offset + size + at);
                if (r < 0)
                        return r;
                if (memcmp(table, copy, n) != 0)
                        return reason_set(reason, -EBADMSG, "The file allocation table and its copy differ");
        }
        return 0;
}

static int read_table(VfatReader *reader, const VfatBootSector *boot, uint64_t offset, uint64_t size,
                      Reason *reason) {
        const uint32_t end = VFAT_CLUSTER_FIRST + reader->n_clusters;
        /* Of a table that is longer than its clusters need, no more; an odd number of 12 bits takes half a byte more. */
        const size_t used = (size_t)MIN(size, divide_round_up((uint64_t)end * reader->bits, 8) + 1);
        _cleanup_(freep) uint8_t *table = malloc(used + 1);

        reader->next = calloc(end, sizeof(uint32_t));
        if (!table || !reader->next)
                return -ENOMEM;
        table[used] = 0;
        int r = fd_pread_all(reader->fd, table, used, reader->offset + offset);
        if (r >= 0)
                r = check_first_numbers(reader, table, boot->media, reason);
        if (r >= 0 && boot->n_tables > 1)
                r = compare_tables(reader, offset, size, reason);
        if (r < 0)
                return r;

        for (uint32_t cluster = VFAT_CLUSTER_FIRST; cluster < end; cluster++) {
                const uint32_t number = table_number(reader, table, cluster);

                if (number > VFAT_CLUSTER_BAD)
                        reader->next[cluster] = VFAT_CLUSTER_END;
                else if (number == VFAT_CLUSTER_FREE || number == VFAT_CLUSTER_BAD ||
                         (number >= VFAT_CLUSTER_FIRST && number < end))
                        reader->next[cluster] = number;
                else
                        return reason_set(
                                reason, -EBADMSG,
                                "The file allocation table has cluster %u behind %u, which there is not",
                                number, cluster);
        }
        return 0;
}

/* The label is in two places. That only the directory has one is what some make of it, and no contradiction. */
static int check_label(const VfatReader *reader, const VfatBootSector *boot, Reason *reason) {
        const uint8_t *bytes = (const uint8_t *)boot;
        const uint8_t signature =
                reader->bits == 32 ? boot->extended_signature : bytes[FAT16_EXTENDED_SIGNATURE];
        const uint8_t *label = reader->bits == 32 ? boot->label : bytes + FAT16_LABEL;

        if (signature != EXTENDED_SIGNATURE || memcmp(label, NO_LABEL, VFAT_ALIAS_SIZE) == 0)
                return 0;
        return reader->has_label && memcmp(label, reader->label, VFAT_ALIAS_SIZE) == 0
                       ? 0
                       : bad(reason, "has another label than the root directory");
}

static int read_all(VfatReader *reader, uint64_t size, Reason *reason) {
        uint64_t tables = 0, table_size = 0;
        VfatBootSector boot;

        if (size < sizeof(boot))
                return reason_set(reason, -EBADMSG, "There is no room for a FAT file system");
        int r = fd_pread_all(reader->fd, &boot, sizeof(boot), reader->offset);
        if (r < 0)
                return r;
        r = read_sizes(reader, &boot, size, reason);
        if (r < 0)
                return r;
        r = read_layout(reader, &boot, &tables, &table_size, reason);
        if (r >= 0 && reader->bits == 32)
                r = check_reserved(reader, &boot, reason);
        if (r >= 0)
                r = read_table(reader, &boot, tables, table_size, reason);
        if (r >= 0)
                r = vfat_reader_read_tree(reader, reason);
        if (r >= 0)
                r = check_info(reader, &boot, reason);
        return r < 0 ? r : check_label(reader, &boot, reason);
}

int vfat_reader_new(int fd, uint64_t offset, uint64_t size, VfatReader **ret, Reason *reason) {
        _cleanup_(vfat_reader_freep) VfatReader *reader = calloc(1, sizeof(*reader));

        assert(fd >= 0 && ret);

        if (!reader)
                return -ENOMEM;
        *reader = (VfatReader){ .fd = fd, .offset = offset };
        const int r = read_all(reader, size, reason);
        if (r == -ENODATA)
                return reason_set(reason, -EBADMSG, "The file system is cut off");
        if (r < 0)
                return r;
        *ret = TAKE_PTR(reader);
        return 0;
}

void vfat_reader_free(VfatReader *reader) {
        if (!reader)
                return;
        for (size_t i = 0; i < reader->n_files; i++)
                free(reader->files[i].path);
        free(reader->files);
        free(reader->next);
        free(reader);
}

const VfatFile *vfat_reader_find(const VfatReader *reader, const char *path) {
        for (size_t i = 0; i < reader->n_files; i++)
                if (strcasecmp(reader->files[i].path, path) == 0)
                        return &reader->files[i];
        return NULL;
}

/* The chain was found to be as long as the file. */
int vfat_reader_locate(const VfatReader *reader, const VfatFile *file, VfatExtent **ret, size_t *ret_n) {
        _cleanup_(freep) VfatExtent *extents = NULL;
        uint32_t cluster = file->cluster;
        uint64_t left = file->size;
        size_t n = 0;

        while (left > 0) {
                const uint64_t offset =
                        reader->data_offset + (uint64_t)(cluster - VFAT_CLUSTER_FIRST) * reader->cluster_size;
                const uint64_t size = MIN(left, (uint64_t)reader->cluster_size);

                if (n > 0 && extents[n - 1].offset + extents[n - 1].size == offset) {
                        extents[n - 1].size += size;
                } else {
                        VfatExtent *more = reallocarray(extents, n + 1, sizeof(*more));

                        if (!more)
                                return -ENOMEM;
                        extents = more;
                        extents[n++] = (VfatExtent){ .offset = offset, .size = size };
                }
                left -= size;
                cluster = reader->next[cluster];
        }
        *ret = TAKE_PTR(extents);
        *ret_n = n;
        return 0;
}

int vfat_reader_copy(const VfatReader *reader, const VfatFile *file, int to_fd) {
        _cleanup_(freep) uint8_t *buffer = malloc(reader->cluster_size);
        _cleanup_(freep) VfatExtent *extents = NULL;
        size_t n;

        if (!buffer)
                return -ENOMEM;
        int r = vfat_reader_locate(reader, file, &extents, &n);
        for (size_t i = 0; i < n && r >= 0; i++) {
                for (uint64_t done = 0; done < extents[i].size && r >= 0;) {
                        const size_t size =
                                (size_t)MIN(extents[i].size - done, (uint64_t)reader->cluster_size);

                        r = fd_pread_all(reader->fd, buffer, size, reader->offset + extents[i].offset + done);
                        if (r >= 0)
                                r = fd_write_all(to_fd, buffer, size);
                        done += size;
                }
        }
        return r;
}
