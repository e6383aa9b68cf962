/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <endian.h>
#include <string.h>

#include "format/vfat-boot.h"

/* The disk geometry is that of all disks whose geometry does not matter. */
#define SECTORS_PER_TRACK 63
#define N_HEADS           255

#define SIGNATURE 0xaa55

typedef struct BootSector {
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
} __attribute__((packed)) BootSector;
static_assert(sizeof(BootSector) == VFAT_SECTOR_SIZE, "The boot sector has another size");

typedef struct InfoSector {
        uint32_t signature_lead;
        uint8_t reserved[480];
        uint32_t signature_middle;
        uint32_t n_free, first_free;
        uint8_t reserved2[14];
        uint16_t signature;
} __attribute__((packed)) InfoSector;
static_assert(sizeof(InfoSector) == VFAT_SECTOR_SIZE, "FSInfo has another size");

/* x86: asks the BIOS for another boot device (int 0x18), and stops should it come back. */
static const uint8_t boot_code[] = { 0xcd, 0x18, 0xf4, 0xeb, 0xfd };

/* Read as a number, the serial shows the first eight digits of the UUID. */
static uint32_t uuid_serial(Uuid uuid) {
        return (uint32_t)uuid.bytes[0] << 24 | (uint32_t)uuid.bytes[1] << 16 | (uint32_t)uuid.bytes[2] << 8 |
               uuid.bytes[3];
}

static BootSector boot_sector_build(const VfatContent *content, const VfatGeometry *geometry,
                                    uint64_t offset) {
        const uint64_t hidden = offset / VFAT_SECTOR_SIZE;
        BootSector sector = {
                .jump = { 0xeb, offsetof(BootSector, code) - 2, 0x90 },
                .sector_size = htole16(VFAT_SECTOR_SIZE),
                .cluster_sectors = (uint8_t)geometry->cluster_sectors,
                .reserved_sectors = htole16((uint16_t)geometry->reserved_sectors),
                .n_tables = VFAT_N_TABLES,
                .media = 0xf8, /* a fixed disk */
                .sectors_per_track = htole16(SECTORS_PER_TRACK),
                .n_heads = htole16(N_HEADS),
                .hidden_sectors = htole32(hidden <= UINT32_MAX ? (uint32_t)hidden : 0),
                .total_sectors = htole32(geometry->total_sectors),
                .table_sectors = htole32(geometry->table_sectors),
                .root_cluster = htole32(VFAT_CLUSTER_FIRST),
                .info_sector = htole16(1),
                .backup_sector = htole16(VFAT_BOOT_BACKUP),
                .drive = 0x80, /* the first fixed disk */
                .extended_signature = 0x29,
                .serial = htole32(uuid_serial(content->options->uuid)),
                .signature = htole16(SIGNATURE),
        };

        memcpy(sector.system_name, "mkosi   ", sizeof(sector.system_name));
        memcpy(sector.label, content->has_label ? (const char *)content->label : "NO NAME    ",
               sizeof(sector.label));
        memcpy(sector.type, "FAT32   ", sizeof(sector.type));
        memcpy(sector.code, boot_code, sizeof(boot_code));
        return sector;
}

static InfoSector info_sector_build(const VfatGeometry *geometry, uint32_t first_free) {
        const uint32_t n_free = geometry->n_clusters - (first_free - VFAT_CLUSTER_FIRST);

        return (InfoSector){
                .signature_lead = htole32(0x41615252),
                .signature_middle = htole32(0x61417272),
                .n_free = htole32(n_free),
                .first_free = htole32(n_free > 0 ? first_free : UINT32_MAX),
                .signature = htole16(SIGNATURE),
        };
}

void vfat_boot_encode(const VfatContent *content, const VfatGeometry *geometry, uint32_t first_free,
                      uint64_t offset, uint8_t ret[static VFAT_BOOT_SECTORS * VFAT_SECTOR_SIZE]) {
        const BootSector sectors[VFAT_BOOT_SECTORS] = {
                boot_sector_build(content, geometry, offset),
                [2] = { .signature = htole16(SIGNATURE) },
        };
        const InfoSector info = info_sector_build(geometry, first_free);

        memcpy(ret, sectors, sizeof(sectors));
        memcpy(ret + VFAT_SECTOR_SIZE, &info, sizeof(info));
}
