/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The boot record of a FAT32 file system: boot sector with the parameter block, FSInfo, and the last, empty sector
 * (Microsoft "FAT: General Overview of On-Disk Format" 1.03). */

#include "format/vfat-content.h"

#define VFAT_BOOT_SECTORS 3
#define VFAT_BOOT_BACKUP  6 /* the sector where a copy of all three begins */

/* Writes the boot record of the geometry, of whose clusters those before first_free are taken. offset is the file
 * system's own on its disk, in bytes. */
void vfat_boot_encode(const VfatContent *content, const VfatGeometry *geometry, uint32_t first_free,
                      uint64_t offset, uint8_t ret[static VFAT_BOOT_SECTORS * VFAT_SECTOR_SIZE]);
