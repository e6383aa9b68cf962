/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <unistd.h>

#include "squashfs-fixture.h"

#define BLOCK SQUASHFS_BLOCK_SIZE

static SquashfsReader open_file(const Tree *tree) {
        SquashfsReader reader;

        assert_int_equal(squashfs_reader_open(tree, tree_find(tree, "file"), &reader), 0);
        return reader;
}

/* Reads all blocks: one letter for each, 'd' or '0' for zeros, and the sizes of those that are not whole. */
static void assert_blocks(SquashfsReader *reader, const char *letters, size_t last_size) {
        _cleanup_(freep) uint8_t *buffer = malloc(BLOCK);

        for (size_t i = 0;; i++) {
                size_t size = 99;
                bool zeros;

                assert_int_equal(squashfs_reader_next(reader, buffer, &size, &zeros), 0);
                if (size == 0) {
                        assert_int_equal(letters[i], '\0');
                        return;
                }
                assert_int_equal(letters[i], zeros ? '0' : 'd');
                assert_int_equal(size, letters[i + 1] == '\0' ? last_size : BLOCK);
        }
}

static void check_blocks(const char *letters, size_t last_size) {
        _cleanup_(tree_freep) Tree *tree = load_tree();
        _cleanup_(squashfs_reader_close) SquashfsReader reader = open_file(tree);

        assert_blocks(&reader, letters, last_size);
        squashfs_reader_rewind(&reader);
        assert_blocks(&reader, letters, last_size);
}

static void test_dense(void **state) {
        make_noise_file("tree/file", 3 * BLOCK + 5, 1);
        check_blocks("dddd", 5);
        make_noise_file("tree/file", 2 * BLOCK, 1);
        check_blocks("dd", BLOCK);
        make_file("tree/file", "x", 1);
        check_blocks("d", 1);
        make_file("tree/file", "\0", 1);
        check_blocks("0", 1);
        make_file("tree/file", "", 0);
        check_blocks("", 0);
}

/* Holes, and zeros that are written out, look the same. */
static void test_holes(void **state) {
        _cleanup_(freep) uint8_t *zeros = calloc(1, 5 * BLOCK);

        make_hole("tree/file", 5 * BLOCK + 100);
        check_blocks("000000", 100);

        _cleanup_(fd_closep) int fd = open("tree/file", O_WRONLY | O_CLOEXEC);
        assert_int_equal(fd_pwrite_all(fd, "x", 1, 2 * BLOCK - 1), 0);
        assert_int_equal(fd_pwrite_all(fd, "x", 1, 4 * BLOCK), 0);
        check_blocks("0d00d0", 100);
        assert_int_equal(fd_pwrite_all(fd, zeros, BLOCK, 2 * BLOCK), 0);
        check_blocks("0d00d0", 100);
        assert_int_equal(fd_pwrite_all(fd, "x", 1, 5 * BLOCK + 99), 0);
        check_blocks("0d00dd", 100);

        make_file("tree/file", zeros, 5 * BLOCK);
        check_blocks("00000", BLOCK);
}

/* Hundreds of thousands of blocks, and nothing read. */
static void test_big_hole(void **state) {
        _cleanup_(tree_freep) Tree *tree = NULL;
        size_t size, n = 0;
        bool zeros;

        make_hole("tree/file", 100 * GIB);
        tree = load_tree();
        _cleanup_(squashfs_reader_close) SquashfsReader reader = open_file(tree);
        do {
                assert_int_equal(squashfs_reader_next(&reader, NULL, &size, &zeros), 0);
                n += zeros;
        } while (size > 0);
        assert_int_equal(n, 100 * GIB / BLOCK);
}

static void test_shrunk(void **state) {
        _cleanup_(tree_freep) Tree *tree = NULL;
        _cleanup_(freep) uint8_t *buffer = malloc(BLOCK);
        SquashfsReader other = { .fd = -77 };
        size_t size;
        bool zeros;

        make_noise_file("tree/file", 2 * BLOCK, 1);
        make_hole("tree/hole", GIB);
        tree = load_tree();
        _cleanup_(squashfs_reader_close) SquashfsReader reader = open_file(tree);
        assert_int_equal(truncate("tree/file", BLOCK + 1), 0);
        assert_int_equal(squashfs_reader_next(&reader, buffer, &size, &zeros), 0);
        assert_int_equal(squashfs_reader_next(&reader, buffer, &size, &zeros), -ENODATA);

        assert_int_equal(truncate("tree/hole", 1000), 0);
        assert_int_equal(squashfs_reader_open(tree, tree_find(tree, "hole"), &other), -ENODATA);
        assert_int_equal(rename("tree/hole", "tree/file"), 0);
        assert_int_equal(squashfs_reader_open(tree, tree_find(tree, "file"), &other), -ESTALE);
        assert_int_equal(other.fd, -77);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                unit_test_with_tree(test_dense),
                unit_test_with_tree(test_holes),
                unit_test_with_tree(test_big_hole),
                unit_test_with_tree(test_shrunk),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
