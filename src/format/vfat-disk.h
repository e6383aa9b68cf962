/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The structures of a FAT file system on disk, little-endian (Microsoft "FAT: General Overview of On-Disk Format" 1.03). */

#include "format/vfat-content.h"

/* The end of the boot sector, and of the sectors that belong to it. */
#define VFAT_SIGNATURE 0xaa55

/* Of FSInfo. */
#define VFAT_INFO_LEAD   0x41615252
#define VFAT_INFO_MIDDLE 0x61417272

typedef struct VfatBootSector {
        uint8_t jump[3];
        uint8_t system_name[8];
        uint16_t sector_size;
        uint8_t cluster_sectors;
        uint16_t reserved_sectors;
        uint8_t n_tables;
        uint16_t n_root_entries; /* this and the others named fat16 are 0 in FAT32 */
        uint16_t fat16_total_sectors;
        uint8_t media;
        uint16_t fat16_table_sectors;
        uint16_t sectors_per_track, n_heads;
        uint32_t hidden_sectors; /* before the partition */
        uint32_t total_sectors;
        uint32_t table_sectors;
        uint16_t flags, version; /* both tables are kept alike; 0.0 */
        uint32_t root_cluster;
        uint16_t info_sector, backup_sector;
        uint8_t reserved[12];
        uint8_t drive;
        uint8_t reserved2;
        uint8_t extended_signature; /* says that the three below are there */
        uint32_t serial;
        uint8_t label[VFAT_ALIAS_SIZE];
        uint8_t type[8];
        uint8_t code[420];
        uint16_t signature;
} __attribute__((packed)) VfatBootSector;
static_assert(sizeof(VfatBootSector) == VFAT_SECTOR_SIZE, "The boot sector has another size");

typedef struct VfatInfoSector {
        uint32_t signature_lead;
        uint8_t reserved[480];
        uint32_t signature_middle;
        uint32_t n_free, first_free;
        uint8_t reserved2[14];
        uint16_t signature;
} __attribute__((packed)) VfatInfoSector;
static_assert(sizeof(VfatInfoSector) == VFAT_SECTOR_SIZE, "FSInfo has another size");

#define VFAT_ATTRIBUTE_VOLUME_LABEL 0x08
#define VFAT_ATTRIBUTE_DIRECTORY    0x10
#define VFAT_ATTRIBUTE_ARCHIVE      0x20
#define VFAT_ATTRIBUTE_LONG_NAME    0x0f /* all that a long name's entry may have */

#define VFAT_LONG_ORDER_LAST 0x40 /* marks the entry with the end of the name, which comes first on disk */

typedef struct VfatShortEntry {
        uint8_t name[VFAT_ALIAS_SIZE];
        uint8_t attributes;
        uint8_t reserved;
        uint8_t created_hundredths;
        uint16_t created_time, created_date;
        uint16_t accessed_date;
        uint16_t cluster_high;
        uint16_t written_time, written_date;
        uint16_t cluster_low;
        uint32_t size;
} __attribute__((packed)) VfatShortEntry;
static_assert(sizeof(VfatShortEntry) == VFAT_ENTRY_SIZE, "A directory entry has another size");

typedef struct VfatLongEntry {
        uint8_t order;
        uint16_t units_begin[5];
        uint8_t attributes;
        uint8_t type;
        uint8_t checksum;
        uint16_t units_middle[6];
        uint16_t cluster;
        uint16_t units_end[2];
} __attribute__((packed)) VfatLongEntry;
static_assert(sizeof(VfatLongEntry) == VFAT_ENTRY_SIZE, "A long directory entry has another size");
