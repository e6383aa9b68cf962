/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <endian.h>
#include <string.h>

#include "format/vfat-boot.h"
#include "format/vfat-disk.h"

/* The disk geometry is that of all disks whose geometry does not matter. */
#define SECTORS_PER_TRACK 63
#define N_HEADS           255

/* x86: asks the BIOS for another boot device (int 0x18), and stops should it come back. */
static const uint8_t boot_code[] = { 0xcd, 0x18, 0xf4, 0xeb, 0xfd };

/* Read as a number, the serial shows the first eight digits of the UUID. */
static uint32_t uuid_serial(Uuid uuid) {
        return (uint32_t)uuid.bytes[0] << 24 | (uint32_t)uuid.bytes[1] << 16 | (uint32_t)uuid.bytes[2] << 8 |
               uuid.bytes[3];
}

static VfatBootSector boot_sector_build(const VfatContent *content, const VfatGeometry *geometry,
                                        uint64_t offset) {
        const uint64_t hidden = offset / VFAT_SECTOR_SIZE;
        VfatBootSector sector = {
                .jump = { 0xeb, offsetof(VfatBootSector, code) - 2, 0x90 },
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
                .signature = htole16(VFAT_SIGNATURE),
        };

        memcpy(sector.system_name, "mkosi   ", sizeof(sector.system_name));
        memcpy(sector.label, content->has_label ? (const char *)content->label : "NO NAME    ",
               sizeof(sector.label));
        memcpy(sector.type, "FAT32   ", sizeof(sector.type));
        memcpy(sector.code, boot_code, sizeof(boot_code));
        return sector;
}

static VfatInfoSector info_sector_build(const VfatGeometry *geometry, uint32_t first_free) {
        const uint32_t n_free = geometry->n_clusters - (first_free - VFAT_CLUSTER_FIRST);

        return (VfatInfoSector){
                .signature_lead = htole32(VFAT_INFO_LEAD),
                .signature_middle = htole32(VFAT_INFO_MIDDLE),
                .n_free = htole32(n_free),
                .first_free = htole32(n_free > 0 ? first_free : UINT32_MAX),
                .signature = htole16(VFAT_SIGNATURE),
        };
}

void vfat_boot_encode(const VfatContent *content, const VfatGeometry *geometry, uint32_t first_free,
                      uint64_t offset, uint8_t ret[static VFAT_BOOT_SECTORS * VFAT_SECTOR_SIZE]) {
        const VfatBootSector sectors[VFAT_BOOT_SECTORS] = {
                boot_sector_build(content, geometry, offset),
                [2] = { .signature = htole16(VFAT_SIGNATURE) },
        };
        const VfatInfoSector info = info_sector_build(geometry, first_free);

        memcpy(ret, sectors, sizeof(sectors));
        memcpy(ret + VFAT_SECTOR_SIZE, &info, sizeof(info));
}
