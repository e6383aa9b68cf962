/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "base/fd.h"
#include "foreign-program.h"
#include "format/bmap.h"
#include "temporary-directory.h"

static int create(uint64_t size) {
        const int fd = open("image", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

        assert_true(fd >= 0);
        assert_int_equal(ftruncate(fd, (off_t)size), 0);
        return fd;
}

static void make(int fd, char **ret) {
        assert_int_equal(bmap_make(fd, NULL, ret), 0);
        assert_int_equal(file_write_text(AT_FDCWD, "image.bmap", *ret, 0600), 0);
}

/* bmaptool copies the image by its map, and the copy is the image. */
static void check_copy(void) {
        free(FOREIGN_CHECK("bmaptool", "copy", "--bmap", "image.bmap", "image", "copy"));
        free(FOREIGN_CHECK("cmp", "image", "copy"));
        assert_int_equal(unlink("copy"), 0);
}

static void put(int fd, uint64_t offset, size_t size, int byte) {
        _cleanup_(freep) void *bytes = malloc(size);

        memset(bytes, byte, size);
        assert_int_equal(fd_pwrite_all(fd, bytes, size, offset), 0);
}

static void test_ranges(void **state) {
        static const char *const ranges[] = { "> 0 <", "> 3-4 <", "> 63-130 <", "> 1000 <", "> 2560 <" };
        _cleanup_(fd_closep) int fd = create(10 * MIB + 17);

        put(fd, 4095, 1, 'a');
        put(fd, 3 * 4096, 4097, 'b');
        put(fd, 63 * 4096 + 5, 68 * 4096 - 10, 'c'); /* across what is read at once */
        put(fd, 500 * 4096, 20000, 0);               /* data, but of zeros */
        put(fd, 1000 * 4096 + 2000, 1, 'd');
        put(fd, 10 * MIB + 16, 1, 'e');

        _cleanup_(freep) char *text = NULL;
        make(fd, &text);
        const char *rest = text;
        for (size_t i = 0; i < ELEMENTSOF(ranges); i++) {
                rest = strstr(rest, ranges[i]);
                assert_non_null(rest);
        }
        assert_null(strstr(rest + 1, "<Range"));
        assert_non_null(strstr(text, "<ImageSize> 10485777 </ImageSize>"));
        assert_non_null(strstr(text, "<BlocksCount> 2561 </BlocksCount>"));
        assert_non_null(strstr(text, "<MappedBlocksCount> 73 </MappedBlocksCount>"));
        check_copy();
}

/* How the zeros are stored does not show. */
static void test_same_text(void **state) {
        _cleanup_(fd_closep) int fd = create(3 * MIB), other = -EBADF;
        _cleanup_(freep) char *sparse = NULL, *dense = NULL;

        put(fd, MIB + 5, 10, 'x');
        make(fd, &sparse);
        other = open("dense", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        put(other, 0, 3 * MIB, 0);
        put(other, MIB + 5, 10, 'x');
        make(other, &dense);
        assert_string_equal(sparse, dense);
}

static void test_whole_and_nothing(void **state) {
        _cleanup_(fd_closep) int whole = create(0);
        _cleanup_(freep) char *text = NULL, *empty = NULL;

        put(whole, 0, 2 * MIB, 'x');
        make(whole, &text);
        check_copy();

        _cleanup_(fd_closep) int nothing = create(MIB);
        make(nothing, &empty);
        assert_non_null(strstr(empty, "<MappedBlocksCount> 0 </MappedBlocksCount>"));
        assert_null(strstr(empty, "<Range"));
}

/* A byte of the image, or of the map, is another one. */
static void test_refused(void **state) {
        _cleanup_(fd_closep) int fd = create(5 * MIB);
        _cleanup_(freep) char *text = NULL, *image_says = NULL, *map_says = NULL;

        put(fd, MIB, 100000, 'x');
        make(fd, &text);
        check_copy();
        put(fd, MIB + 50000, 1, 'y');
        assert_int_not_equal(
                FOREIGN_RUN(&image_says, "bmaptool", "copy", "--bmap", "image.bmap", "image", "copy"), 0);
        assert_non_null(strstr(image_says, "checksum"));

        put(fd, MIB + 50000, 1, 'x');
        check_copy();
        strstr(text, "256-")[2] = '5';
        assert_int_equal(file_write_text(AT_FDCWD, "image.bmap", text, 0600), 0);
        assert_int_not_equal(
                FOREIGN_RUN(&map_says, "bmaptool", "copy", "--bmap", "image.bmap", "image", "copy"), 0);
        assert_non_null(strstr(map_says, "checksum"));
}

static void test_errors(void **state) {
        _cleanup_(fd_closep) int directory = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        char *text;

        assert_int_equal(bmap_make(directory, NULL, &text), -EINVAL);
        assert_int_equal(bmap_make(-EBADF, NULL, &text), -EBADF);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                unit_test_in_directory(test_ranges),
                unit_test_in_directory(test_same_text),
                unit_test_in_directory(test_whole_and_nothing),
                unit_test_in_directory(test_refused),
                unit_test_in_directory(test_errors),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
