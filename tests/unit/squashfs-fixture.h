/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the tests of squashfs share: making file systems of the directory "tree" in the current directory, and reading
 * them back through libsquashfs. */

#include <sys/stat.h>

#include <sqfs/compressor.h>
#include <sqfs/data_reader.h>
#include <sqfs/dir_reader.h>
#include <sqfs/id_table.h>
#include <sqfs/inode.h>
#include <sqfs/io.h>
#include <sqfs/super.h>

#include "base/fd.h"
#include "base/text.h"
#include "format/squashfs.h"
#include "temporary-directory.h"

#define TIME_MAX INT64_C(1700000000)

static const FilesystemOptions options = {
        .time = TIME_MAX,
        .compression = COMPRESSION_ZSTD,
        .compression_level = 1,
        .n_threads = 2,
};

_unused_ static void make_file(const char *path, const void *data, size_t size) {
        assert_int_equal(file_write(AT_FDCWD, path, data, size, 0644), 0);
}

/* Bytes that no algorithm makes smaller, always the same for a seed. */
_unused_ static uint8_t *make_noise(size_t size, uint64_t seed) {
        uint8_t *data = malloc(size + 8);
        uint64_t state = seed * 2 + 1;

        assert_non_null(data);
        for (size_t i = 0; i < size; i += 8) {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                memcpy(data + i, &state, 8);
        }
        return data;
}

_unused_ static void make_noise_file(const char *path, size_t size, uint64_t seed) {
        _cleanup_(freep) uint8_t *data = make_noise(size, seed);

        make_file(path, data, size);
}

_unused_ static void make_hole(const char *path, uint64_t size) {
        make_file(path, "", 0);
        assert_int_equal(truncate(path, (off_t)size), 0);
}

_unused_ static Tree *load_tree(void) {
        Tree *tree = NULL;

        assert_int_equal(tree_load(AT_FDCWD, "tree", &tree, NULL), 0);
        return tree;
}

_unused_ static uint64_t make_with(const Tree *tree, const char *path, const FilesystemOptions *with) {
        _cleanup_(fd_closep) int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        _cleanup_(reason_done) Reason reason = {};
        struct stat status;
        uint64_t size = 0;

        int r = filesystem_squashfs.make(tree, with, &(FilesystemPlace){ .fd = fd }, &size, &reason);
        if (r < 0)
                fail_msg("%s", reason_text(&reason, r));
        assert_int_equal(fstat(fd, &status), 0);
        assert_int_equal(status.st_size, size);
        assert_int_equal(size % SQUASHFS_ALIGNMENT, 0);
        return size;
}

/* Makes a file system of the directory "tree", in the file "image". */
_unused_ static void make_image(void) {
        _cleanup_(tree_freep) Tree *tree = load_tree();

        (void)make_with(tree, "image", &options);
}

/* What makes a file system of the tree fail, with a reason that says this. */
_unused_ static void assert_refused(const Tree *tree, int error, const char *text) {
        _cleanup_(fd_closep) int fd = open("refused", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        _cleanup_(reason_done) Reason reason = {};
        uint64_t size = 12345;

        const int r =
                filesystem_squashfs.make(tree, &options, &(FilesystemPlace){ .fd = fd }, &size, &reason);
        assert_int_equal(r, error);
        assert_int_equal(size, 12345);
        if (!strstr(reason_text(&reason, r), text))
                fail_msg("'%s' does not say '%s'", reason_text(&reason, r), text);
}

/* An open image. */
typedef struct Image {
        sqfs_file_t *file;
        sqfs_super_t super;
        sqfs_compressor_t *compressor;
        sqfs_dir_reader_t *directories;
        sqfs_data_reader_t *data;
        sqfs_id_table_t *ids;
        sqfs_inode_generic_t *root;
} Image;

_unused_ static void image_close(Image *image) {
        sqfs_free(image->root);
        sqfs_destroy(image->ids);
        sqfs_destroy(image->data);
        sqfs_destroy(image->directories);
        sqfs_destroy(image->compressor);
        sqfs_destroy(image->file);
}

/* The readers of libsquashfs point to the super block, so it stays where it is. */
_unused_ static void image_open(const char *path, Image *image) {
        sqfs_compressor_config_t config;

        image->file = sqfs_open_file(path, SQFS_FILE_OPEN_READ_ONLY);
        assert_non_null(image->file);
        assert_int_equal(sqfs_super_read(&image->super, image->file), 0);
        assert_int_equal(sqfs_compressor_config_init(&config, (SQFS_COMPRESSOR)image->super.compression_id,
                                                     image->super.block_size, SQFS_COMP_FLAG_UNCOMPRESS),
                         0);
        assert_int_equal(sqfs_compressor_create(&config, &image->compressor), 0);
        image->ids = sqfs_id_table_create(0);
        assert_int_equal(sqfs_id_table_read(image->ids, image->file, &image->super, image->compressor), 0);
        image->directories = sqfs_dir_reader_create(&image->super, image->compressor, image->file, 0);
        assert_non_null(image->directories);
        image->data = sqfs_data_reader_create(image->file, image->super.block_size, image->compressor, 0);
        assert_non_null(image->data);
        assert_int_equal(sqfs_data_reader_load_fragment_table(image->data, &image->super), 0);
        assert_int_equal(sqfs_dir_reader_get_root_inode(image->directories, &image->root), 0);
}

_unused_ static sqfs_inode_generic_t *image_find(Image *image, const char *path) {
        sqfs_inode_generic_t *inode = NULL;

        const int error = sqfs_dir_reader_find_by_path(image->directories, image->root, path, &inode);
        if (error < 0)
                fail_msg("Cannot find '%s': error %d", path, error);
        return inode;
}

_unused_ static uint32_t image_id(const Image *image, uint16_t index) {
        uint32_t id;

        assert_int_equal(sqfs_id_table_index_to_id(image->ids, index, &id), 0);
        return id;
}

/* The file in the image has the same bytes as that on disk. */
_unused_ static void assert_same_content(Image *image, const char *path, const char *disk_path) {
        _cleanup_(freep) sqfs_inode_generic_t *inode = image_find(image, path);
        _cleanup_(freep) char *data = NULL;
        sqfs_u64 inode_size;
        size_t size;

        assert_int_equal(file_read(AT_FDCWD, disk_path, 64 * MIB, &data, &size), 0);
        assert_int_equal(sqfs_inode_get_file_size(inode, &inode_size), 0);
        assert_int_equal(inode_size, size);

        _cleanup_(freep) char *copy = malloc(size + 1);
        assert_non_null(copy);
        assert_int_equal(sqfs_data_reader_read(image->data, inode, 0, copy, (sqfs_u32)size), size);
        assert_memory_equal(copy, data, size);
}

_unused_ static int enter_with_tree(void **state) {
        return temporary_directory_enter(state) < 0 ? -1 : mkdir("tree", 0755);
}

#define unit_test_with_tree(function) \
        cmocka_unit_test_setup_teardown(function, enter_with_tree, temporary_directory_leave)
