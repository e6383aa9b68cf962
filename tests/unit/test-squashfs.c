/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <unistd.h>

#include "foreign-program.h"
#include "squashfs-fixture.h"

#define BLOCK SQUASHFS_BLOCK_SIZE

static const char *const files[] = { "small", "block", "blocks", "end", "deep/below/file", "text", "again" };

static void fill_tree(void) {
        _cleanup_(freep) char *text = malloc(5 * BLOCK);

        memset(text, 't', 5 * BLOCK);
        make_noise_file("tree/small", 100, 1);
        make_noise_file("tree/block", BLOCK, 2);
        make_noise_file("tree/blocks", 40 * BLOCK, 3);
        make_noise_file("tree/end", BLOCK + 4097, 4);
        assert_int_equal(mkdir("tree/deep", 0755), 0);
        assert_int_equal(mkdir("tree/deep/below", 0755), 0);
        make_noise_file("tree/deep/below/file", 5000, 5);
        make_file("tree/text", text, 5 * BLOCK);
        make_noise_file("tree/again", BLOCK + 4097, 4);
        make_file("tree/empty", "", 0);
}

static FilesystemOptions options_for(Compression compression, unsigned n_threads) {
        return (FilesystemOptions){ .time = TIME_MAX, .compression = compression, .n_threads = n_threads };
}

static void test_compressions(void **state) {
        fill_tree();
        _cleanup_(tree_freep) Tree *tree = load_tree();

        for (Compression i = 0; i < COMPRESSION_MAX; i++) {
                const FilesystemOptions with = options_for(i, 0);

                if (squashfs_check_compression(i, 0, NULL) < 0)
                        continue;
                assert_true(filesystem_compresses(&filesystem_squashfs, i));
                (void)make_with(tree, "image", &with);

                _cleanup_(image_close) Image image = {};
                image_open("image", &image);
                assert_int_equal(image.super.modification_time, TIME_MAX);
                assert_int_equal(image.super.compression_id, squashfs_compressor_id(i));
                assert_int_equal((image.super.flags & SQFS_FLAG_UNCOMPRESSED_DATA) != 0,
                                 i == COMPRESSION_NONE);
                for (size_t j = 0; j < ELEMENTSOF(files); j++) {
                        _cleanup_(freep) char *path = NULL;

                        assert_int_equal(text_format(&path, "tree/%s", files[j]), 0);
                        assert_same_content(&image, files[j], path);
                }
        }
}

static void test_threads(void **state) {
        static const unsigned n_threads[] = { 1, 2, 3, 8, 0 };
        _cleanup_(freep) char *first = NULL;
        size_t first_size;

        fill_tree();
        for (size_t i = 0; i < ELEMENTSOF(n_threads); i++) {
                _cleanup_(tree_freep) Tree *tree = load_tree();
                const FilesystemOptions with = options_for(COMPRESSION_ZLIB, n_threads[i]);
                _cleanup_(freep) char *data = NULL;
                size_t size;

                (void)make_with(tree, "image", &with);
                assert_int_equal(file_read(AT_FDCWD, "image", 64 * MIB, &data, &size), 0);
                if (first) {
                        assert_int_equal(size, first_size);
                        assert_memory_equal(data, first, size);
                } else {
                        first = TAKE_PTR(data);
                        first_size = size;
                }
        }
}

/* Fills a file with a byte, makes a file system in the middle of it, and looks at what is left of the bytes. */
static int make_inside(const Tree *tree, uint64_t size, uint64_t *ret_size, Reason *reason) {
        const uint64_t offset = 12345, around = 20000;
        _cleanup_(freep) uint8_t *before = malloc(offset), *behind = malloc(around);
        _cleanup_(fd_closep) int fd = open("inside", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

        memset(before, 'b', offset);
        memset(behind, 'e', around);
        assert_int_equal(fd_pwrite_all(fd, before, offset, 0), 0);
        assert_int_equal(fd_pwrite_all(fd, behind, around, offset + size), 0);
        const int r = filesystem_squashfs.make(tree, &options,
                                               &(FilesystemPlace){ .fd = fd, .offset = offset, .size = size },
                                               ret_size, reason);

        struct stat status;
        assert_int_equal(fstat(fd, &status), 0);
        assert_int_equal(status.st_size, offset + size + around);
        memset(before, 0, offset);
        memset(behind, 0, around);
        assert_int_equal(fd_pread_all(fd, before, offset, 0), 0);
        assert_int_equal(fd_pread_all(fd, behind, around, offset + size), 0);
        for (size_t i = 0; i < offset; i++)
                assert_int_equal(before[i], 'b');
        for (size_t i = 0; i < around; i++)
                assert_int_equal(behind[i], 'e');

        if (r == 0) {
                _cleanup_(freep) uint8_t *data = malloc(size);

                assert_int_equal(fd_pread_all(fd, data, size, offset), 0);
                make_file("image", data, size);
        }
        return r;
}

static void test_place(void **state) {
        _cleanup_(reason_done) Reason reason = {};
        uint64_t needed = 0, size = 0;

        fill_tree();
        _cleanup_(tree_freep) Tree *tree = load_tree();
        const uint64_t free_size = make_with(tree, "free", &options);

        for (uint64_t small = SQUASHFS_ALIGNMENT; small < free_size; small += free_size / 3) {
                reason_done(&reason);
                assert_int_equal(make_inside(tree, small, &needed, &reason), -ENOSPC);
                assert_int_equal(needed, free_size);
                assert_non_null(strstr(reason.text, "The tree needs a squashfs file system of "));
        }
        assert_int_equal(make_inside(tree, needed - SQUASHFS_ALIGNMENT, &size, NULL), -ENOSPC);
        assert_int_equal(make_inside(tree, needed, &size, NULL), 0);
        assert_int_equal(size, free_size);
        assert_int_equal(make_inside(tree, needed + 100 * SQUASHFS_ALIGNMENT, &size, NULL), 0);
        assert_int_equal(size, free_size);

        _cleanup_(image_close) Image image = {};
        image_open("image", &image);
        assert_same_content(&image, "blocks", "tree/blocks");
}

/* A disk that is full is not a place that is too small. */
static void test_disk_full(void **state) {
        _cleanup_(fd_closep) int fd = open("/dev/full", O_RDWR | O_CLOEXEC);
        uint64_t size = 77;

        fill_tree();
        _cleanup_(tree_freep) Tree *tree = load_tree();
        assert_int_equal(filesystem_squashfs.make(tree, &options, &(FilesystemPlace){ .fd = fd }, &size,
                                                  NULL),
                         -ENOSPC);
        assert_int_equal(size, 77);
}

static void test_changed(void **state) {
        fill_tree();
        _cleanup_(tree_freep) Tree *tree = load_tree();

        make_file("new", "x", 1);
        assert_int_equal(truncate("tree/blocks", 39 * BLOCK), 0);
        assert_refused(tree, -ENODATA, "Cannot put 'blocks' into a squashfs file system: ");
        assert_int_equal(unlink("tree/blocks"), 0);
        assert_refused(tree, -ENOENT, "Cannot put 'blocks' into a squashfs file system: ");
        assert_int_equal(rename("new", "tree/blocks"), 0);
        assert_refused(tree, -ESTALE, "Cannot put 'blocks' into a squashfs file system: ");
}

static void test_time(void **state) {
        static const int64_t bad[] = { -1, INT64_C(1) << 32 };
        _cleanup_(tree_freep) Tree *tree = load_tree();
        _cleanup_(fd_closep) int fd = open("image", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        uint64_t size;

        for (size_t i = 0; i < ELEMENTSOF(bad); i++) {
                const FilesystemOptions with = { .time = bad[i] };

                assert_int_equal(filesystem_squashfs.make(tree, &with, &(FilesystemPlace){ .fd = fd }, &size,
                                                          NULL),
                                 -ERANGE);
        }
}

static void test_foreign(void **state) {
        fill_tree();
        assert_int_equal(symlink("target", "tree/link"), 0);
        assert_int_equal(link("tree/small", "tree/deep/small"), 0);
        make_image();

        _cleanup_(freep) char *super = FOREIGN_CHECK("unsquashfs", "-s", "image"),
                              *list = FOREIGN_CHECK("unsquashfs", "-lls", "image");
        assert_non_null(strstr(super, "Tue Nov 14 22:13:20 2023"));
        assert_non_null(strstr(super, "Compression zstd\n\tcompression-level 1\n"));
        assert_non_null(strstr(super, "is exportable via NFS"));
        assert_non_null(strstr(super, "Number of inodes 12\n"));
        assert_non_null(strstr(list, "squashfs-root/deep/below/file\n"));
        assert_non_null(strstr(list, "squashfs-root/link -> target\n"));
}

static void test_foreign_unpacks(void **state) {
        fill_tree();
        assert_int_equal(symlink("target", "tree/link"), 0);
        _cleanup_(tree_freep) Tree *tree = load_tree();

        for (Compression i = 0; i < COMPRESSION_MAX; i++) {
                const FilesystemOptions with = options_for(i, 0);

                if (squashfs_check_compression(i, 0, NULL) < 0)
                        continue;
                (void)make_with(tree, "image", &with);
                free(FOREIGN_CHECK("unsquashfs", "-f", "-d", "unpacked", "image"));
                free(FOREIGN_CHECK("diff", "-r", "--no-dereference", "tree", "unpacked"));
        }
}

static void test_empty_tree(void **state) {
        make_image();
        _cleanup_(image_close) Image image = {};
        image_open("image", &image);
        assert_int_equal(image.super.inode_count, 1);
        assert_int_equal(image.super.fragment_entry_count, 0);
        assert_true((image.super.flags & SQFS_FLAG_NO_FRAGMENTS) != 0);
        assert_int_equal(image.root->data.dir.nlink, 2);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                unit_test_with_tree(test_compressions), unit_test_with_tree(test_threads),
                unit_test_with_tree(test_place),        unit_test_with_tree(test_disk_full),
                unit_test_with_tree(test_changed),      unit_test_with_tree(test_time),
                unit_test_with_tree(test_foreign),      unit_test_with_tree(test_foreign_unpacks),
                unit_test_with_tree(test_empty_tree),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
