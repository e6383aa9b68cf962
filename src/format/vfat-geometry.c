/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "format/vfat-geometry.h"

/* What other systems reserve: room for the boot sector, its copy at sector 6, and the sectors that belong to them. */
#define RESERVED_SECTORS_MIN 32

/* Clusters begin at a multiple of this, so that file data can be shared with a file system of pages. */
#define ALIGNMENT_MIN 4096

#define TOTAL_SECTORS_MAX UINT32_MAX

/* The customary sizes of clusters: those of Windows and mkfs.fat for FAT32. */
static const struct {
        uint64_t size_max; /* of the file system, in bytes */
        uint32_t cluster_sectors;
} customs[] = {
        { 260 * MIB, 1 }, { 8 * GIB, 8 }, { 16 * GIB, 16 }, { 32 * GIB, 32 }, { UINT64_MAX, 64 },
};

static uint64_t cluster_size(size_t custom) {
        return (uint64_t)customs[custom].cluster_sectors * VFAT_SECTOR_SIZE;
}

/* Divides exactly as many sectors as so many clusters take. */
static int geometry_build(uint32_t cluster_sectors, uint64_t n_clusters, VfatGeometry *ret) {
        const uint64_t items_per_sector = VFAT_SECTOR_SIZE / VFAT_TABLE_ITEM_SIZE;
        const uint64_t alignment = MAX((uint64_t)cluster_sectors, ALIGNMENT_MIN / VFAT_SECTOR_SIZE);

        if (n_clusters > VFAT_N_CLUSTERS_MAX)
                return -EFBIG;
        const uint64_t table = divide_round_up(VFAT_CLUSTER_FIRST + n_clusters, items_per_sector);
        const uint64_t first = align_up(RESERVED_SECTORS_MIN + VFAT_N_TABLES * table, alignment);
        const uint64_t total = first + n_clusters * cluster_sectors;
        if (total > TOTAL_SECTORS_MAX)
                return -EFBIG;

        *ret = (VfatGeometry){
                .cluster_sectors = cluster_sectors,
                .reserved_sectors = (uint32_t)(first - VFAT_N_TABLES * table),
                .table_sectors = (uint32_t)table,
                .n_clusters = (uint32_t)n_clusters,
                .total_sectors = (uint32_t)total,
        };
        return 0;
}

/* The most clusters that fit: the total grows with their number, so that halving the interval finds it. */
static int geometry_fill(uint32_t cluster_sectors, uint64_t size, VfatGeometry *ret) {
        uint64_t low = 0, high = (uint64_t)VFAT_N_CLUSTERS_MAX + 1; /* low fits, high does not */
        VfatGeometry geometry;

        while (high - low > 1) {
                const uint64_t middle = low + (high - low) / 2;

                if (geometry_build(cluster_sectors, middle, &geometry) >= 0 &&
                    geometry.total_sectors <= size / VFAT_SECTOR_SIZE)
                        low = middle;
                else
                        high = middle;
        }
        return geometry_build(cluster_sectors, low, ret);
}

int vfat_geometry_measure(VfatCount count, const void *content, uint64_t *ret_size) {
        uint64_t size_min = UINT64_MAX;

        assert(count && ret_size);

        for (size_t i = 0; i < ELEMENTSOF(customs); i++) {
                const uint64_t n_clusters =
                        MAX(count(content, cluster_size(i)), (uint64_t)VFAT_N_CLUSTERS_MIN);
                VfatGeometry geometry;

                if (geometry_build(customs[i].cluster_sectors, n_clusters, &geometry) < 0)
                        continue;
                uint64_t size = (uint64_t)geometry.total_sectors * VFAT_SECTOR_SIZE;
                if (i > 0)
                        size = MAX(size,
                                   customs[i - 1].size_max + VFAT_SECTOR_SIZE); /* not customary before */
                size_min = MIN(size_min, size);
        }

        if (size_min == UINT64_MAX)
                return -EFBIG;
        *ret_size = size_min;
        return 0;
}

int vfat_geometry_choose(VfatCount count, const void *content, uint64_t size, VfatGeometry *ret) {
        size_t i = 0;

        assert(count && ret);

        while (size > customs[i].size_max)
                i++;
        for (;; i--) {
                VfatGeometry geometry;

                int r = geometry_fill(customs[i].cluster_sectors, size, &geometry);
                if (r < 0)
                        return r;
                if (geometry.n_clusters >=
                    MAX(count(content, cluster_size(i)), (uint64_t)VFAT_N_CLUSTERS_MIN)) {
                        *ret = geometry;
                        return 0;
                }
                if (i == 0)
                        return -ENOSPC;
        }
}
