/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <zlib.h>
#include <zstd.h>

#include "btrfs-fixture.h"
#include "format/btrfs-compress.h"
#include "lzo-reader.h"

/* Sectors by themselves, each with its size in front, which lies within one sector. */
static void decompress_lzo(const uint8_t *from, size_t from_size, uint8_t *to, size_t size) {
        size_t n = 0, at = 4;
        uint32_t word;

        memcpy(&word, from, 4);
        assert_int_equal(le32toh(word), from_size);
        while (n < size) {
                if (at % 4096 > 4092)
                        at = align_up(at, 4096);
                memcpy(&word, from + at, 4);
                assert_true(at + 4 + le32toh(word) <= from_size);
                const size_t part =
                        lzo_read(from + at + 4, le32toh(word), to + n, MIN(size - n, (size_t)4096));
                assert_int_equal(part, MIN(size - n, (size_t)4096));
                at += 4 + le32toh(word);
                n += part;
        }
        assert_int_equal(at, from_size);
}

static void decompress(uint8_t encoding, const void *from, size_t from_size, void *to, size_t size) {
        uLongf n = size;

        if (encoding == BTRFS_ENCODING_ZSTD) {
                assert_int_equal(ZSTD_decompress(to, size, from, from_size), size);
                assert_int_equal(ZSTD_getFrameContentSize(from, from_size), size);
        } else if (encoding == BTRFS_ENCODING_LZO)
                decompress_lzo(from, from_size, to, size);
        else {
                assert_int_equal(encoding, BTRFS_ENCODING_ZLIB);
                assert_int_equal(uncompress(to, &n, from, from_size), Z_OK);
                assert_int_equal(n, size);
        }
}

static void check_level(Compression compression, int level, uint8_t encoding) {
        static uint8_t from[BTRFS_PIECE_SIZE], to[BTRFS_PIECE_SIZE], again[BTRFS_PIECE_SIZE];
        static const size_t sizes[] = { 2, 100, 4096, 5000, BTRFS_PIECE_SIZE };
        _cleanup_(btrfs_compressor_freep) BtrfsCompressor *compressor = NULL;
        size_t n;

        assert_int_equal(btrfs_compressor_new(compression, level, &compressor), 0);
        assert_int_equal(btrfs_compressor_encoding(compressor), encoding);
        for (size_t i = 0; i < ELEMENTSOF(sizes); i++) {
                for (size_t k = 0; k < sizes[i]; k++)
                        from[k] = (uint8_t)(k / 16 % 37);
                if (btrfs_compress(compressor, from, sizes[i], to, sizes[i], &n) == 0) {
                        assert_true(sizes[i] < 1000);
                        continue;
                }
                memset(again, 0, sizes[i]);
                decompress(encoding, to, n, again, sizes[i]);
                assert_memory_equal(again, from, sizes[i]);

                /* What exactly fits, and what does not. */
                size_t m = 0;
                assert_int_equal(btrfs_compress(compressor, from, sizes[i], again, n - 1, &m), 0);
                assert_int_equal(btrfs_compress(compressor, from, sizes[i], again, 0, &m), 0);
                assert_int_equal(m, 0);
        }
}

static void test_levels(void **state) {
        for (int level = 0; level <= 9; level++)
                check_level(COMPRESSION_ZLIB, level, BTRFS_ENCODING_ZLIB);
        check_level(COMPRESSION_LZO, 0, BTRFS_ENCODING_LZO);
        for (int level = 0; level <= 15; level++)
                check_level(COMPRESSION_ZSTD, level, BTRFS_ENCODING_ZSTD);
}

/* The kernel has a window of 128 KiB for Zstandard; the frame says that it needs no more. */
static void test_window(void **state) {
        static uint8_t from[BTRFS_PIECE_SIZE], to[BTRFS_PIECE_SIZE], again[BTRFS_PIECE_SIZE];

        for (int level = 1; level <= 15; level++) {
                _cleanup_(btrfs_compressor_freep) BtrfsCompressor *compressor = NULL;
                ZSTD_DCtx *context = ZSTD_createDCtx();
                ZSTD_outBuffer output = { .dst = again, .size = sizeof(again) };
                size_t n;

                assert_int_equal(btrfs_compressor_new(COMPRESSION_ZSTD, level, &compressor), 0);
                assert_int_equal(btrfs_compress(compressor, from, sizeof(from), to, sizeof(to), &n), 1);
                assert_false(ZSTD_isError(ZSTD_DCtx_setParameter(context, ZSTD_d_windowLogMax, 17)));
                assert_int_equal(
                        ZSTD_decompressStream(context, &output, &(ZSTD_inBuffer){ .src = to, .size = n }), 0);
                assert_int_equal(output.pos, sizeof(again));
                (void)ZSTD_freeDCtx(context);
        }
}

static void test_refused(void **state) {
        static const struct {
                Compression compression;
                int level, r;
        } cases[] = {
                { COMPRESSION_ZLIB, 10, -EINVAL }, { COMPRESSION_ZLIB, -1, -EINVAL },
                { COMPRESSION_ZSTD, 16, -EINVAL }, { COMPRESSION_XZ, 0, -ENOTSUP },
                { COMPRESSION_LZ4, 1, -ENOTSUP },  { COMPRESSION_LZO, 1, -EINVAL },
                { COMPRESSION_NONE, 0, -ENOTSUP },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                BtrfsCompressor *compressor = NULL;

                assert_int_equal(btrfs_compressor_new(cases[i].compression, cases[i].level, &compressor),
                                 cases[i].r);
                assert_null(compressor);
        }
        /* What the file system says that it can is what it can. */
        for (Compression i = COMPRESSION_NONE + 1; i < COMPRESSION_MAX; i++) {
                _cleanup_(btrfs_compressor_freep) BtrfsCompressor *compressor = NULL;

                assert_int_equal(btrfs_compressor_new(i, 0, &compressor) == 0,
                                 filesystem_compresses(&filesystem_btrfs, i));
        }
}

static void test_check(void **state) {
        static const struct {
                Compression compression;
                int level, r;
                const char *reason;
        } cases[] = {
                { COMPRESSION_NONE, 0, 0, NULL },
                { COMPRESSION_ZSTD, 15, 0, NULL },
                { COMPRESSION_ZLIB, 0, 0, NULL },
                { COMPRESSION_ZSTD, 16, -EINVAL, "btrfs: zstd levels are 1 to 15" },
                { COMPRESSION_ZLIB, -1, -EINVAL, "btrfs: zlib levels are 1 to 9" },
                { COMPRESSION_NONE, 1, -EINVAL, "btrfs: there are no levels without compression" },
                { COMPRESSION_LZO, 0, 0, NULL },
                { COMPRESSION_LZO, 1, -EINVAL, "btrfs: lzo has no levels" },
                { COMPRESSION_XZ, 0, -EOPNOTSUPP, "btrfs: xz is not one of its compressions" },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(reason_done) Reason reason = {};

                assert_int_equal(btrfs_check_compression(cases[i].compression, cases[i].level, &reason),
                                 cases[i].r);
                if (cases[i].reason)
                        assert_string_equal(reason.text, cases[i].reason);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_levels),
                cmocka_unit_test(test_window),
                cmocka_unit_test(test_refused),
                cmocka_unit_test(test_check),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
