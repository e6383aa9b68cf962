/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* How a FAT32 file system divides its sectors (Microsoft "FAT: General Overview of On-Disk Format" 1.03): pure
 * arithmetic, no I/O. Reserved sectors, two file allocation tables, clusters. */

#include "base/macro.h"

#define VFAT_SECTOR_SIZE     512
#define VFAT_N_TABLES        2
#define VFAT_CLUSTER_FIRST   2 /* clusters are numbered from here; the first one is the root directory's */
#define VFAT_TABLE_ITEM_SIZE 4

/* Readers tell FAT16 from FAT32 by the number of clusters alone, and not all by the same: the specification asks to keep
 * clear of the border, 65525, by 16. There is no FAT32 below about 33 MiB, therefore, and none is written: FAT16 would
 * be another format with another root directory, for sizes that hold no kernel. */
#define VFAT_N_CLUSTERS_MIN UINT32_C(65541)
#define VFAT_N_CLUSTERS_MAX UINT32_C(0x0ffffff5)

typedef struct VfatGeometry {
        uint32_t cluster_sectors;
        uint32_t reserved_sectors; /* before the tables, so many that the clusters are aligned */
        uint32_t table_sectors;    /* of one table */
        uint32_t n_clusters;
        uint32_t total_sectors; /* ends with the last cluster: sectors beyond would be of no use */
} VfatGeometry;

/* How many clusters the content needs when a cluster has so many bytes. */
typedef uint64_t (*VfatCount)(const void *content, uint64_t cluster_size);

/* The smallest size, in bytes, for which vfat_geometry_choose() says yes. -EFBIG when there is none. */
int vfat_geometry_measure(VfatCount count, const void *content, uint64_t *ret_size);

/* Divides up to size bytes. Clusters are as large as is customary for the size, or smaller where the content would not
 * fit otherwise. -ENOSPC when it does not fit at all. */
int vfat_geometry_choose(VfatCount count, const void *content, uint64_t size, VfatGeometry *ret);

/* Where a cluster begins, in bytes from the start of the file system. */
static inline uint64_t vfat_geometry_offset(const VfatGeometry *geometry, uint32_t cluster) {
        return (geometry->reserved_sectors + VFAT_N_TABLES * (uint64_t)geometry->table_sectors +
                (uint64_t)(cluster - VFAT_CLUSTER_FIRST) * geometry->cluster_sectors) *
               VFAT_SECTOR_SIZE;
}
