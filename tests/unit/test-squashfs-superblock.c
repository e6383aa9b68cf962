/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "foreign-program.h"
#include "format/squashfs-superblock.h"
#include "temporary-directory.h"

static void make(const char *options) {
        _cleanup_(freep) char *script = NULL;

        assert_int_equal(text_format(&script,
                                     "set -e; rm -rf tree image; mkdir -p tree/a; seq 10000 >tree/a/file\n"
                                     "mksquashfs tree image -quiet -no-progress %s",
                                     options),
                         0);
        free(FOREIGN_CHECK("sh", "-c", script));
}

static int read_image(SquashfsSuperblock *ret, Reason *reason) {
        _cleanup_(fd_closep) int fd = open("image", O_RDONLY | O_CLOEXEC);

        assert_true(fd >= 0);
        return squashfs_superblock_read(fd, 0, (uint64_t)lseek(fd, 0, SEEK_END), ret, reason);
}

static void refuse(const char *said) {
        _cleanup_(reason_done) Reason reason = {};
        SquashfsSuperblock superblock;

        if (read_image(&superblock, &reason) != -EBADMSG)
                fail_msg("taken, and not: %s", said);
        assert_string_equal(reason.text, said);
}

/* All kinds of options, with which tables and compressions come and go. */
static void test_foreign(void **state) {
        static const struct {
                const char *options, *compressor;
                uint32_t block_size;
        } cases[] = {
                { "-comp gzip", "gzip", 128 * 1024 },
                { "-comp zstd -b 1M", "zstd", 1024 * 1024 },
                { "-comp xz -b 4K -no-fragments", "xz", 4096 },
                { "-comp lz4 -no-exports -no-xattrs", "lz4", 128 * 1024 },
                { "-comp lzo -noI -noD -noF -noX", "lzo", 128 * 1024 },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(reason_done) Reason reason = {};
                SquashfsSuperblock superblock;

                make(cases[i].options);
                if (read_image(&superblock, &reason) < 0)
                        fail_msg("%s: %s", cases[i].options, reason.text);
                assert_string_equal(superblock.compressor, cases[i].compressor);
                assert_int_equal(superblock.block_size, cases[i].block_size);
                assert_int_equal(superblock.n_inodes, 3);
                assert_true(superblock.size > SQUASHFS_SUPERBLOCK_SIZE && superblock.size <= MIB);
        }
}

static void test_lies(void **state) {
        static const struct {
                unsigned offset;
                const char *bytes;
                size_t size;
                const char *said;
        } cases[] = {
                { 0, "X", 1, "is not there" },
                { 4, "\0\0\0\0", 4, "tells of no inodes or of no owners" },
                { 26, "\0\0", 2, "tells of no inodes or of no owners" },
                { 12, "\0\0\0\0", 4, "tells of blocks of an impossible size" },
                { 12, "\0\0\x04", 3, "tells of blocks of an impossible size" },
                { 22, "\x10", 1, "tells of blocks of an impossible size" },
                { 22, "\xff\xff", 2, "tells of blocks of an impossible size" },
                { 20, "\0", 1, "tells of a compression that is not known" },
                { 20, "\7", 1, "tells of a compression that is not known" },
                { 28, "\3", 1, "is of another version than 4.0" },
                { 30, "\1", 1, "is of another version than 4.0" },
                { 34, "\xff\xff", 2, "has no place for the root directory" },
                { 32, "\x00\x20", 2, "has no place for the root directory" },
                { 40, "\x61\0\0\0", 4, "has its tables in disorder, or outside of the file system" },
                { 48, "\0\0\0\0\0\0\0\1", 8, "has its tables in disorder, or outside of the file system" },
                { 48, "\xff\xff\xff\xff\xff\xff\xff\xff", 8,
                  "has its tables in disorder, or outside of the file system" },
                { 56, "\x01\0\0\0\0\0\0\0", 8, "has its tables in disorder, or outside of the file system" },
                { 64, "\x01\0\0\0\0\0\0\0", 8, "has its tables in disorder, or outside of the file system" },
                { 72, "\x60\0\0\0\0\0\0\0", 8, "has its tables in disorder, or outside of the file system" },
                { 80, "\xff\xff\xff\xff\xff\xff\xff\xff", 8,
                  "has its tables in disorder, or outside of the file system" },
                { 88, "\x60\0\0\0\0\0\0\0", 8, "has its tables in disorder, or outside of the file system" },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(freep) char *said = NULL;

                make("");
                _cleanup_(fd_closep) int fd = open("image", O_WRONLY | O_CLOEXEC);
                assert_int_equal(fd_pwrite_all(fd, cases[i].bytes, cases[i].size, cases[i].offset), 0);
                assert_int_equal(text_format(&said, "The superblock of the squashfs %s", cases[i].said), 0);
                refuse(said);
        }
}

static void test_cut_off(void **state) {
        SquashfsSuperblock superblock;
        _cleanup_(freep) char *said = NULL;

        make("-nopad");
        assert_int_equal(read_image(&superblock, NULL), 0);
        assert_int_equal(truncate("image", (off_t)superblock.size - 1), 0);
        assert_int_equal(
                text_format(
                        &said,
                        "The squashfs has %llu bytes, and there is room for no more than %llu: it is cut off",
                        (unsigned long long)superblock.size, (unsigned long long)superblock.size - 1),
                0);
        refuse(said);
        assert_int_equal(truncate("image", SQUASHFS_SUPERBLOCK_SIZE - 1), 0);
        refuse("There is no room for a squashfs");
}

#define TEST(function) \
        cmocka_unit_test_setup_teardown(function, temporary_directory_enter, temporary_directory_leave)

int main(void) {
        const struct CMUnitTest tests[] = { TEST(test_foreign), TEST(test_lies), TEST(test_cut_off) };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
