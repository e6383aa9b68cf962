/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "format/vfat-geometry.h"

/* A content of files of one size. */
typedef struct Files {
        uint64_t n, size;
} Files;

static uint64_t count(const void *content, uint64_t cluster_size) {
        const Files *files = content;

        return files->n * divide_round_up(files->size, cluster_size);
}

/* What every reader relies on. */
static void check(const VfatGeometry *geometry, uint64_t size) {
        const uint64_t first = geometry->reserved_sectors + 2 * (uint64_t)geometry->table_sectors;

        assert_true(geometry->reserved_sectors >= 32);
        assert_true(geometry->reserved_sectors < 65536);
        assert_int_equal(first * 512 % 4096, 0);
        assert_int_equal(first % geometry->cluster_sectors, 0);
        assert_int_equal(geometry->total_sectors,
                         first + (uint64_t)geometry->n_clusters * geometry->cluster_sectors);
        assert_true(geometry->total_sectors <= size / 512);
        assert_true(geometry->n_clusters >= VFAT_N_CLUSTERS_MIN);
        assert_true(geometry->n_clusters <= VFAT_N_CLUSTERS_MAX);
        assert_true((uint64_t)geometry->table_sectors * 128 >= (uint64_t)geometry->n_clusters + 2);
        assert_true(((uint64_t)geometry->table_sectors - 1) * 128 < (uint64_t)geometry->n_clusters + 2);
        assert_int_equal(vfat_geometry_offset(geometry, 2), first * 512);
        assert_int_equal(vfat_geometry_offset(geometry, 4), (first + 2 * geometry->cluster_sectors) * 512);
}

static void test_sizes(void **state) {
        static const struct {
                uint64_t size;
                uint32_t cluster_sectors;
        } cases[] = {
                { 33 * MIB, 1 },        { 256 * MIB, 1 }, { 260 * MIB, 1 },   { 260 * MIB + 512, 8 },
                { 261 * MIB, 8 },       { 512 * MIB, 8 }, { 8 * GIB, 8 },     { 8 * GIB + 512, 16 },
                { 16 * GIB + 512, 32 }, { 32 * GIB, 32 }, { 2047 * GIB, 64 }, { 5000 * GIB, 64 },
        };
        const Files none = {};

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                VfatGeometry geometry;

                assert_int_equal(vfat_geometry_choose(count, &none, cases[i].size, &geometry), 0);
                check(&geometry, cases[i].size);
                assert_int_equal(geometry.cluster_sectors, cases[i].cluster_sectors);
                /* Nothing that another cluster could have had is left over, unless the format ends there. */
                if (cases[i].size < 2048 * GIB)
                        assert_true(cases[i].size / 512 - geometry.total_sectors <=
                                    geometry.cluster_sectors + 2 + MAX(geometry.cluster_sectors, 8U));
        }
}

/* The measured size is enough, one sector less is not, and any more is. */
static void test_measure(void **state) {
        static const Files cases[] = {
                { 0, 0 },
                { 1, 1 },
                { 65541, 512 },
                { 65542, 512 },
                { 1, 30 * MIB },
                { 1, 200 * MIB },
                { 500000, 100 },
                { 400000, 600 },
                { 1, 255 * MIB },
                { 1, 256 * MIB },
                { 1, 257 * MIB },
                { 1, 258 * MIB },
                { 1, 260 * MIB },
                { 3, 4 * GIB - 1 },
                { 9, 4 * GIB - 1 },
                { 100, 4 * GIB - 1 },
                { 500, 4 * GIB - 1 },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                VfatGeometry geometry;
                uint64_t size;

                assert_int_equal(vfat_geometry_measure(count, &cases[i], &size), 0);
                assert_int_equal(size % 512, 0);
                assert_int_equal(vfat_geometry_choose(count, &cases[i], size - 512, &geometry), -ENOSPC);
                for (uint64_t more = 0; more < 4 * GIB; more = more * 2 + 512) {
                        assert_int_equal(vfat_geometry_choose(count, &cases[i], size + more, &geometry), 0);
                        check(&geometry, size + more);
                        assert_true(geometry.n_clusters >=
                                    count(&cases[i], (uint64_t)geometry.cluster_sectors * 512));
                }
        }
}

/* Small files keep small clusters where larger ones would not have room for them. */
static void test_small_files(void **state) {
        const Files files = { 1000000, 100 };
        VfatGeometry geometry;

        assert_int_equal(vfat_geometry_choose(count, &files, GIB, &geometry), 0);
        assert_int_equal(geometry.cluster_sectors, 1);
        assert_int_equal(vfat_geometry_choose(count, &files, 5 * GIB, &geometry), 0);
        assert_int_equal(geometry.cluster_sectors, 8);
}

static void test_refused(void **state) {
        const Files none = {}, too_many = { UINT64_C(1) << 32, 1 }, too_large = { 600, 4 * GIB - 1 };
        VfatGeometry geometry = { .n_clusters = 7 };
        uint64_t size = 7;

        /* The smallest FAT32: 65541 clusters, and a whole number of pages before them. */
        assert_int_equal(vfat_geometry_choose(count, &none, 33 * MIB - MIB, &geometry), -ENOSPC);
        assert_int_equal(vfat_geometry_choose(count, &none, 0, &geometry), -ENOSPC);
        assert_int_equal(vfat_geometry_measure(count, &too_many, &size), -EFBIG);
        assert_int_equal(vfat_geometry_measure(count, &too_large, &size), -EFBIG);
        assert_int_equal(vfat_geometry_choose(count, &too_large, 4096 * GIB, &geometry), -ENOSPC);
        assert_int_equal(size, 7);
        assert_int_equal(geometry.n_clusters, 7);
        assert_int_equal(vfat_geometry_measure(count, &none, &size), 0);
        assert_true(size > 32 * MIB && size < 33 * MIB);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_sizes),
                cmocka_unit_test(test_measure),
                cmocka_unit_test(test_small_files),
                cmocka_unit_test(test_refused),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
