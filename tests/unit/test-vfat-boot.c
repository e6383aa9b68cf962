/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "format/vfat-boot.h"

static const VfatGeometry geometry = {
        .cluster_sectors = 8,
        .reserved_sectors = 0x26,
        .table_sectors = 0x0399,
        .n_clusters = 0x01cc55,
        .total_sectors = 0x0e6b00,
};

static const FilesystemOptions options = {
        .uuid = { { 0x12, 0x34, 0xab, 0xcd, 0x55, 0x66 } },
};

static uint8_t sectors[VFAT_BOOT_SECTORS * VFAT_SECTOR_SIZE];

static void encode(const char *label, uint32_t first_free, uint64_t offset) {
        VfatContent content = { .options = &options, .has_label = label };

        if (label)
                memcpy(content.label, label, sizeof(content.label));
        memset(sectors, 0xee, sizeof(sectors));
        vfat_boot_encode(&content, &geometry, first_free, offset, sectors);
}

/* The parameter block byte by byte, as the specification numbers them. */
static void test_boot_sector(void **state) {
        static const uint8_t expected[] = {
                0xeb, 0x58, 0x90, 'm',  'k',  'o',  's',  'i', ' ', ' ', ' ', /* 0: jump, name */
                0x00, 0x02, 8,    0x26, 0x00, 2,                              /* 11 */
                0,    0,    0,    0,    0xf8, 0,    0,       /* 17: no root directory, no 16 bits */
                63,   0,    255,  0,                         /* 24 */
                0x00, 0x08, 0,    0,                         /* 28: hidden sectors */
                0x00, 0x6b, 0x0e, 0x00,                      /* 32: all sectors */
                0x99, 0x03, 0,    0,    0,    0,    0,    0, /* 36: table, flags, version */
                2,    0,    0,    0,    1,    0,    6,    0, /* 44: root, FSInfo, backup */
                0,    0,    0,    0,    0,    0,    0,    0,   0,   0,   0,   0, /* 52 */
                0x80, 0,    0x29, 0xcd, 0xab, 0x34, 0x12,                        /* 64: drive, serial */
        };

        encode("EFI        ", 3, MIB);
        assert_memory_equal(sectors, expected, sizeof(expected));
        assert_int_equal(sizeof(expected), 71);
        assert_memory_equal(sectors + 71, "EFI        FAT32   \xcd\x18", 21);
        assert_memory_equal(sectors + 510, "\x55\xaa", 2);

        encode(NULL, 3, 0);
        assert_memory_equal(sectors + 71, "NO NAME    FAT32   ", 19);
        assert_memory_equal(sectors + 28, "\0\0\0\0", 4);
        encode(NULL, 3, UINT64_C(1) << 41);
        assert_memory_equal(sectors + 28, "\0\0\0\0", 4);
}

static void test_info_sector(void **state) {
        const uint8_t *info = sectors + 512;

        encode(NULL, 0x55, 0);
        assert_memory_equal(info, "RRaA\0\0", 6);
        assert_memory_equal(info + 484, "rrAa", 4);
        assert_memory_equal(info + 488, "\x02\xcc\x01\x00", 4); /* 0x1cc55 - (0x55 - 2) */
        assert_memory_equal(info + 492, "\x55\0\0\0", 4);
        assert_memory_equal(info + 508, "\0\0\x55\xaa", 4);

        encode(NULL, geometry.n_clusters + 2, 0);
        assert_memory_equal(info + 488, "\0\0\0\0\xff\xff\xff\xff", 8);
}

static void test_last_sector(void **state) {
        static const uint8_t zeros[510];

        encode(NULL, 3, 0);
        assert_memory_equal(sectors + 1024, zeros, sizeof(zeros));
        assert_memory_equal(sectors + 1024 + 510, "\x55\xaa", 2);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_boot_sector),
                cmocka_unit_test(test_info_sector),
                cmocka_unit_test(test_last_sector),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
