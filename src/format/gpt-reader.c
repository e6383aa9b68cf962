/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <endian.h>
#include <string.h>
#include <zlib.h>

#include "base/fd.h"
#include "format/gpt-reader.h"
#include "format/partition-table.h"
#include "format/utf16.h"

#define HEADER_SIZE_MIN   92
#define HEADER_REVISION   0x00010000
#define ENTRY_SIZE_MIN    128
#define ENTRY_SIZE_MAX    4096
#define ENTRIES_MAX       1024
#define ENTRIES_BYTES_MIN (16 * KIB) /* UEFI 2.10, 5.3: what is kept free for entries at least */
#define NAME_UNITS        36

#define MBR_TYPE_PROTECTIVE 0xee
#define MBR_SIGNATURE       0xaa55

typedef struct MbrEntry {
        uint8_t status;
        uint8_t first_chs[3];
        uint8_t type;
        uint8_t last_chs[3];
        uint32_t first, n_sectors;
} __attribute__((packed)) MbrEntry;

typedef struct Mbr {
        uint8_t code[446];
        MbrEntry entries[4];
        uint16_t signature;
} __attribute__((packed)) Mbr;
static_assert(sizeof(Mbr) == SECTOR_SIZE, "The MBR has another size");

typedef struct Header {
        char signature[8];
        uint32_t revision, size, checksum, reserved;
        uint64_t here, other; /* sectors of this header and of its copy */
        uint64_t first_usable, last_usable;
        uint8_t uuid[16];
        uint64_t entries;
        uint32_t n_entries, entry_size, entries_checksum;
} __attribute__((packed)) Header;
static_assert(sizeof(Header) == HEADER_SIZE_MIN, "The header has another size");

typedef struct Entry {
        uint8_t type[16], uuid[16];
        uint64_t first, last; /* sectors, both its own */
        uint64_t attributes;
        uint16_t name[NAME_UNITS];
} __attribute__((packed)) Entry;
static_assert(sizeof(Entry) == ENTRY_SIZE_MIN, "An entry has another size");

/* A table that is being read: first its primary side, then the backup. */
typedef struct Reading {
        int fd;
        uint64_t n_sectors;
        const char *side;
        Header header;
        uint8_t *entries;
        Reason *reason;
} Reading;

/* The first three groups are little-endian on disk. */
static Uuid read_uuid(const uint8_t bytes[static 16]) {
        static const uint8_t order[16] = { 3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15 };
        Uuid uuid;

        for (size_t i = 0; i < sizeof(order); i++)
                uuid.bytes[i] = bytes[order[i]];
        return uuid;
}

static int read_sectors(const Reading *reading, uint64_t sector, void *buffer, size_t size) {
        const int r = fd_pread_all(reading->fd, buffer, size, sector * SECTOR_SIZE);

        return r == -ENODATA ? reason_set(reading->reason, -EBADMSG, "The disk is cut off") : r;
}

static int check_mbr(const Reading *reading) {
        Mbr mbr;

        const int r = read_sectors(reading, 0, &mbr, sizeof(mbr));
        if (r < 0)
                return r;
        const uint64_t n = MIN(reading->n_sectors - 1, (uint64_t)UINT32_MAX);
        if (le16toh(mbr.signature) != MBR_SIGNATURE)
                return reason_set(reading->reason, -EBADMSG, "There is no protective MBR");
        if (mbr.entries[0].type != MBR_TYPE_PROTECTIVE || le32toh(mbr.entries[0].first) != 1 ||
            le32toh(mbr.entries[0].n_sectors) != n)
                return reason_set(reading->reason, -EBADMSG, "The MBR does not protect the whole disk");
        for (size_t i = 1; i < ELEMENTSOF(mbr.entries); i++)
                if (memcmp(&mbr.entries[i], &(MbrEntry){}, sizeof(MbrEntry)) != 0)
                        return reason_set(reading->reason, -EBADMSG,
                                          "The MBR has other partitions than the protective one");
        return 0;
}

static int bad(const Reading *reading, const char *what) {
        return reason_set(reading->reason, -EBADMSG, "The %s header %s", reading->side, what);
}

static int check_header(Reading *reading, const uint8_t *sector, uint64_t here, uint64_t other) {
        const Header *header = &reading->header;
        const uint32_t size = le32toh(header->size), entry_size = le32toh(header->entry_size);
        uint8_t copy[SECTOR_SIZE];

        if (memcmp(header->signature, "EFI PART", sizeof(header->signature)) != 0)
                return bad(reading, "is not there");
        if (le32toh(header->revision) != HEADER_REVISION || size < HEADER_SIZE_MIN || size > SECTOR_SIZE)
                return bad(reading, "is of an unknown revision or size");
        memcpy(copy, sector, sizeof(copy));
        memset(copy + offsetof(Header, checksum), 0, sizeof(header->checksum));
        if (crc32(0, copy, size) != le32toh(header->checksum))
                return bad(reading, "does not have the check sum it says");
        if (le64toh(header->here) != here || le64toh(header->other) != other)
                return bad(reading, "tells of other places than those of the two headers");
        if (entry_size < ENTRY_SIZE_MIN || entry_size > ENTRY_SIZE_MAX || entry_size % 8 != 0 ||
            le32toh(header->n_entries) == 0 || le32toh(header->n_entries) > ENTRIES_MAX)
                return bad(reading, "tells of entries of an impossible number or size");
        return 0;
}

/* Where the entries are, on the outer side of what partitions may use. */
static int check_places(const Reading *reading, bool backup, size_t entries_size) {
        const Header *header = &reading->header;
        const uint64_t first = le64toh(header->first_usable), last = le64toh(header->last_usable);
        const uint64_t entries = le64toh(header->entries), n = entries_size / SECTOR_SIZE;

        if (first > last || last >= reading->n_sectors)
                return bad(reading, "tells of an impossible range for partitions");
        if (backup ? entries <= last || entries > reading->n_sectors - 1 - n
                   : entries < 2 || entries > first || first - entries < n)
                return bad(reading, "has its entries where partitions are, or outside of the disk");
        return 0;
}

static int read_side(Reading *reading, bool backup) {
        const uint64_t last = reading->n_sectors - 1;
        uint8_t sector[SECTOR_SIZE];

        reading->side = backup ? "backup" : "primary";
        int r = read_sectors(reading, backup ? last : 1, sector, sizeof(sector));
        if (r < 0)
                return r;
        memcpy(&reading->header, sector, sizeof(reading->header));
        r = check_header(reading, sector, backup ? last : 1, backup ? 1 : last);
        if (r < 0)
                return r;

        const size_t used = (size_t)le32toh(reading->header.n_entries) * le32toh(reading->header.entry_size);
        const size_t size = align_up(MAX(used, (size_t)ENTRIES_BYTES_MIN), SECTOR_SIZE);
        r = check_places(reading, backup, size);
        if (r < 0)
                return r;
        free(reading->entries);
        reading->entries = malloc(size);
        if (!reading->entries)
                return -ENOMEM;
        r = read_sectors(reading, le64toh(reading->header.entries), reading->entries, size);
        if (r < 0)
                return r;
        if (crc32(0, reading->entries, (unsigned)used) != le32toh(reading->header.entries_checksum))
                return reason_set(reading->reason, -EBADMSG,
                                  "The %s entries do not have the check sum that their header says",
                                  reading->side);
        return 0;
}

/* But for what tells where it is, the backup says the same as the primary header; with the check sum of the entries that
 * goes for them as well. */
static int check_backup(Reading *reading) {
        const Header primary = reading->header;

        const int r = read_side(reading, true);
        if (r < 0)
                return r;
        Header backup = reading->header;
        backup.checksum = primary.checksum;
        backup.here = primary.here;
        backup.other = primary.other;
        backup.entries = primary.entries;
        return memcmp(&primary, &backup, sizeof(primary)) != 0
                       ? reason_set(reading->reason, -EBADMSG, "The partition table and its backup differ")
                       : 0;
}

static int read_name(const Entry *entry, char **ret) {
        uint16_t units[NAME_UNITS];
        size_t n = 0;

        memcpy(units, entry->name, sizeof(units));
        for (; n < ELEMENTSOF(units) && units[n] != 0; n++)
                units[n] = le16toh(units[n]);
        return utf16_to_utf8(units, n, ret);
}

static int add_entry(const Reading *reading, unsigned number, const Entry *entry, GptDisk *disk) {
        const uint64_t first = le64toh(entry->first), last = le64toh(entry->last);
        GptEntry *new = &disk->entries[disk->n_entries];

        if (first < le64toh(reading->header.first_usable) || first > last ||
            last > le64toh(reading->header.last_usable))
                return reason_set(reading->reason, -EBADMSG,
                                  "Partition %u is not within what the disk has for partitions", number);
        *new = (GptEntry){
                .type = read_uuid(entry->type),
                .uuid = read_uuid(entry->uuid),
                .offset = first * SECTOR_SIZE,
                .size = (last - first + 1) * SECTOR_SIZE,
                .attributes = le64toh(entry->attributes),
        };
        if (uuid_is_null(new->uuid))
                return reason_set(reading->reason, -EBADMSG, "Partition %u has no UUID", number);
        for (size_t i = 0; i < disk->n_entries; i++) {
                const GptEntry *other = &disk->entries[i];

                if (uuid_equal(other->uuid, new->uuid))
                        return reason_set(reading->reason, -EBADMSG,
                                          "Partition %u has the UUID of another one", number);
                if (new->offset < other->offset + other->size && other->offset < new->offset + new->size)
                        return reason_set(reading->reason, -EBADMSG, "Partition %u overlaps another one",
                                          number);
        }
        const int r = read_name(entry, &new->name);
        if (r == -EILSEQ)
                return reason_set(reading->reason, -EBADMSG, "The name of partition %u is no UTF-16", number);
        if (r >= 0)
                disk->n_entries++;
        return r;
}

static int read_entries(const Reading *reading, GptDisk *disk) {
        const uint32_t n = le32toh(reading->header.n_entries), size = le32toh(reading->header.entry_size);

        disk->uuid = read_uuid(reading->header.uuid);
        disk->entries = calloc(n, sizeof(disk->entries[0]));
        if (!disk->entries)
                return -ENOMEM;
        for (uint32_t i = 0; i < n; i++) {
                Entry entry;

                memcpy(&entry, reading->entries + (size_t)i * size, sizeof(entry));
                if (uuid_is_null(read_uuid(entry.type)))
                        continue;
                const int r = add_entry(reading, i + 1, &entry, disk);
                if (r < 0)
                        return r;
        }
        return 0;
}

static void reading_done(Reading *reading) {
        free(reading->entries);
}

int gpt_read(int fd, uint64_t size, GptDisk *ret, Reason *reason) {
        _cleanup_(reading_done)
                Reading reading = { .fd = fd, .n_sectors = size / SECTOR_SIZE, .reason = reason };
        _cleanup_(gpt_disk_done) GptDisk disk = {};

        assert(fd >= 0 && ret);

        if (reading.n_sectors < 3 + 2 * ENTRIES_BYTES_MIN / SECTOR_SIZE)
                return reason_set(reason, -EBADMSG, "There is no room for a partition table");
        int r = check_mbr(&reading);
        if (r >= 0)
                r = read_side(&reading, false);
        if (r >= 0)
                r = read_entries(&reading, &disk);
        if (r >= 0)
                r = check_backup(&reading);
        if (r < 0)
                return r;
        *ret = disk;
        disk = (GptDisk){};
        return 0;
}

void gpt_disk_done(GptDisk *disk) {
        for (size_t i = 0; i < disk->n_entries; i++)
                free(disk->entries[i].name);
        free(disk->entries);
        *disk = (GptDisk){};
}
