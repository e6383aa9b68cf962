/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "squashfs-fixture.h"

static void test_levels(void **state) {
        static const struct {
                Compression compression;
                int good[4], bad[4];
                const char *reason;
        } rows[] = {
                { COMPRESSION_NONE, { 0 }, { 1, -1 }, "squashfs: there are no levels without compression" },
                { COMPRESSION_ZLIB, { 1, 9 }, { 10, -1 }, "squashfs: zlib levels are 1 to 9" },
                { COMPRESSION_LZ4,
                  { 1, 12 },
                  { 2, 11, 13 },
                  "squashfs: lz4 levels are 1 (fast) and 12 (small)" },
                { COMPRESSION_XZ, { 1, 9 }, { 10, -6 }, "squashfs: xz levels are 1 to 9" },
                { COMPRESSION_ZSTD, { 1, 22 }, { 23, -5 }, "squashfs: zstd levels are 1 to 22" },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                assert_int_equal(squashfs_check_compression(rows[i].compression, 0, NULL), 0);
                for (size_t j = 0; j < ELEMENTSOF(rows[i].good); j++)
                        assert_int_equal(
                                squashfs_check_compression(rows[i].compression, rows[i].good[j], NULL), 0);
                for (size_t j = 0; j < ELEMENTSOF(rows[i].bad) && rows[i].bad[j] != 0; j++) {
                        _cleanup_(reason_done) Reason reason = {};

                        assert_int_equal(squashfs_check_compression(rows[i].compression, rows[i].bad[j],
                                                                    &reason),
                                         -EINVAL);
                        assert_string_equal(reason.text, rows[i].reason);
                }
        }
}

/* Builds of libsquashfs with LZO are as good as those without; but the levels are told before. */
static void test_lzo(void **state) {
        _cleanup_(reason_done) Reason reason = {}, level_reason = {};

        const int r = squashfs_check_compression(COMPRESSION_LZO, 0, &reason);
        if (r < 0) {
                assert_int_equal(r, -EOPNOTSUPP);
                assert_string_equal(reason.text,
                                    "squashfs: libsquashfs was built without lzo on this machine");
        }
        assert_int_equal(squashfs_check_compression(COMPRESSION_LZO, 10, &level_reason), -EINVAL);
        assert_string_equal(level_reason.text, "squashfs: lzo levels are 1 to 9");
}

static size_t pack(Compression compression, int level, const uint8_t *data, size_t size) {
        _cleanup_(squashfs_compressor_freep) struct sqfs_compressor_t *compressor = NULL, *copy = NULL;
        _cleanup_(freep) uint8_t *packed = malloc(size), *again = malloc(size);

        assert_int_equal(squashfs_compressor_new(compression, level, &compressor, NULL), 0);
        copy = sqfs_copy(compressor);
        assert_non_null(copy);
        const sqfs_s32 n = compressor->do_block(compressor, data, (sqfs_u32)size, packed, (sqfs_u32)size);
        assert_true(n >= 0);
        assert_int_equal(copy->do_block(copy, data, (sqfs_u32)size, again, (sqfs_u32)size), n);
        assert_memory_equal(packed, again, (size_t)n);
        return (size_t)n;
}

static void test_packs(void **state) {
        _cleanup_(freep) uint8_t *noise = make_noise(SQUASHFS_BLOCK_SIZE, 1);
        _cleanup_(freep) uint8_t *text = malloc(SQUASHFS_BLOCK_SIZE);

        for (size_t i = 0; i < SQUASHFS_BLOCK_SIZE; i++)
                text[i] = noise[i % 97 * (i / 5000 + 1)] % 8 + noise[i / 300] % 64;
        assert_int_equal(pack(COMPRESSION_NONE, 0, text, SQUASHFS_BLOCK_SIZE), 0);
        for (Compression i = COMPRESSION_ZLIB; i < COMPRESSION_MAX; i++) {
                if (squashfs_check_compression(i, 0, NULL) < 0)
                        continue;
                assert_in_range(pack(i, 0, text, SQUASHFS_BLOCK_SIZE), 100, SQUASHFS_BLOCK_SIZE - 1);
                assert_int_equal(pack(i, 0, noise, SQUASHFS_BLOCK_SIZE), 0);
                assert_int_equal(pack(i, 0, noise, 28), 0); /* LZ4 would make 30 of them */
                assert_int_equal(pack(i, 0, noise, 1), 0);
        }

        /* The level arrives. */
        assert_true(pack(COMPRESSION_ZSTD, 22, text, SQUASHFS_BLOCK_SIZE) <
                    pack(COMPRESSION_ZSTD, 1, text, SQUASHFS_BLOCK_SIZE));
        assert_true(pack(COMPRESSION_ZLIB, 9, text, SQUASHFS_BLOCK_SIZE) <
                    pack(COMPRESSION_ZLIB, 1, text, SQUASHFS_BLOCK_SIZE));
        assert_true(pack(COMPRESSION_LZ4, 12, text, SQUASHFS_BLOCK_SIZE) <
                    pack(COMPRESSION_LZ4, 1, text, SQUASHFS_BLOCK_SIZE));
}

static void test_id(void **state) {
        assert_int_equal(squashfs_compressor_id(COMPRESSION_NONE), SQFS_COMP_GZIP);
        assert_int_equal(squashfs_compressor_id(COMPRESSION_ZLIB), SQFS_COMP_GZIP);
        assert_int_equal(squashfs_compressor_id(COMPRESSION_LZO), SQFS_COMP_LZO);
        assert_int_equal(squashfs_compressor_id(COMPRESSION_LZ4), SQFS_COMP_LZ4);
        assert_int_equal(squashfs_compressor_id(COMPRESSION_XZ), SQFS_COMP_XZ);
        assert_int_equal(squashfs_compressor_id(COMPRESSION_ZSTD), SQFS_COMP_ZSTD);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_levels),
                cmocka_unit_test(test_lzo),
                cmocka_unit_test(test_packs),
                cmocka_unit_test(test_id),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
