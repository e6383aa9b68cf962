/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "btrfs-fixture.h"

/* A disk with the contents of the tree on it. */
typedef struct Disk {
        Ground ground;
        Tree *tree;
        BtrfsPlan *plan;
        BtrfsData data;
} Disk;

static void disk_done(Disk *disk) {
        btrfs_data_done(&disk->data);
        btrfs_plan_free(disk->plan);
        tree_free(disk->tree);
        ground_done(&disk->ground);
}

static void write_disk(Disk *disk, const FilesystemOptions *with) {
        *disk = (Disk){ .tree = load_tree() };
        disk->plan = make_plan(disk->tree, with);
        ground_init(&disk->ground);
        assert_int_equal(btrfs_data_write(disk->plan, &disk->ground.output, &disk->ground.space, &disk->data,
                                          NULL),
                         0);
        assert_int_equal(btrfs_output_flush(&disk->ground.output), 0);
}

/* The sums of all sectors that are taken are those of what is there. */
static void check_sums(const Disk *disk) {
        uint8_t sector[4096];
        size_t n = 0;

        for (size_t i = 0; i < disk->ground.space.n_runs; i++) {
                const BtrfsRun *run = &disk->ground.space.runs[i];

                for (uint64_t offset = 0; offset < run->size; offset += 4096) {
                        assert_int_equal(
                                fd_pread_all(disk->ground.place.fd, sector, 4096, run->start + offset), 0);
                        assert_int_equal(disk->data.sums[n++], ~crc32c(UINT32_MAX, sector, 4096));
                }
        }
        assert_int_equal(disk->data.n_sums, n);
}

/* The file's extents hold what the file does. Only for what is not compressed. */
static void check_file(const Disk *disk, const char *path) {
        const TreeNode *node = tree_find(disk->tree, path);
        const BtrfsInode *inode = btrfs_inode(disk->plan, node);
        const size_t size = (size_t)node->status.st_size;
        _cleanup_(freep) uint8_t *found = calloc(1, size + 4096);
        _cleanup_(freep) char *expected = NULL, *full = NULL;

        assert_non_null(found);
        assert_int_equal(path_join("tree", path, &full), 0);
        assert_int_equal(file_read(AT_FDCWD, full, GIB, &expected, &(size_t){ 0 }), 0);
        for (size_t i = 0; i < inode->n_extents; i++) {
                const BtrfsExtent *extent = &disk->data.extents[inode->first_extent + i];

                assert_int_equal(extent->encoding, BTRFS_ENCODING_NONE);
                assert_int_equal(extent->size, extent->disk_size);
                if (extent->is_inline)
                        memcpy(found, disk->data.inline_content + extent->address, extent->size);
                else
                        assert_int_equal(fd_pread_all(disk->ground.place.fd, found + extent->offset,
                                                      extent->size, extent->address),
                                         0);
        }
        assert_memory_equal(found, expected, size);
        for (size_t i = size; i < size + 4096; i++)
                assert_int_equal(found[i], 0);
}

static size_t n_extents(const Disk *disk, const char *path) {
        return btrfs_inode(disk->plan, tree_find(disk->tree, path))->n_extents;
}

static void test_sizes(void **state) {
        static const size_t sizes[] = { 0, 1, 2047, 2048, 2049, 4095, 4096, 4097, 100000, 5000000 };
        _cleanup_(disk_done) Disk disk;
        char path[32];

        for (size_t i = 0; i < ELEMENTSOF(sizes); i++) {
                (void)snprintf(path, sizeof(path), "tree/%zu", sizes[i]);
                make_file(path, sizes[i], false);
        }
        assert_int_equal(link("tree/4097", "tree/link"), 0);
        write_disk(&disk, &options);
        check_sums(&disk);
        for (size_t i = 0; i < ELEMENTSOF(sizes); i++) {
                (void)snprintf(path, sizeof(path), "%zu", sizes[i]);
                check_file(&disk, path);
                assert_int_equal(n_extents(&disk, path), sizes[i] > 0);
        }
        assert_int_equal(n_extents(&disk, "link"), 0);
        assert_int_equal(disk.data.inline_size, 1 + 2047 + 2048);
        assert_int_equal(disk.ground.space.n_chunks, 1);
        assert_int_equal(disk.ground.space.chunks[0].used, (1 + 1 + 1 + 2 + 25 + 1221) * 4096);
}

static void test_holes(void **state) {
        _cleanup_(disk_done) Disk disk;
        _cleanup_(fd_closep) int fd = open("tree/holes", O_RDWR | O_CREAT | O_CLOEXEC, 0644);

        for (uint64_t i = 0; i < 20; i++)
                assert_int_equal(fd_pwrite_all(fd, "data", 4, i * 3 * 4096 + 17), 0);
        assert_int_equal(ftruncate(fd, (off_t)(MIB + 77)), 0);
        make_file("tree/only", 0, false);
        assert_int_equal(truncate("tree/only", (off_t)(10 * GIB)), 0);
        make_file("tree/small", 0, false);
        assert_int_equal(truncate("tree/small", 1000), 0);
        write_disk(&disk, &options);
        check_sums(&disk);
        check_file(&disk, "holes");
        assert_int_equal(n_extents(&disk, "holes"), 20);
        assert_int_equal(n_extents(&disk, "only"), 0);
        assert_int_equal(n_extents(&disk, "small"), 0);
        assert_int_equal(disk.data.n_sums, 20);
}

/* The second copy of the super block is in the way, and is left alone. */
static void test_mirror(void **state) {
        _cleanup_(disk_done) Disk disk;
        uint8_t found[4096], zeros[4096] = {};

        make_file("tree/large", 70 * MIB, false);
        write_disk(&disk, &options);
        check_sums(&disk);
        check_file(&disk, "large");
        assert_int_equal(n_extents(&disk, "large"), 2);
        for (uint64_t i = 0; i < BTRFS_STRIPE_SIZE; i += 4096) {
                assert_int_equal(fd_pread_all(disk.ground.place.fd, found, 4096, BTRFS_MIRROR_1 + i), 0);
                assert_memory_equal(found, zeros, 4096);
        }
}

static void test_compressed(void **state) {
        FilesystemOptions with = options;
        _cleanup_(disk_done) Disk disk;

        make_file("tree/good", 1000000, true);
        make_file("tree/inline", 4096, true);
        make_file("tree/mixed", 300000, false);
        make_file("tree/tiny", 5, false);
        with.compression = COMPRESSION_ZSTD;
        with.n_threads = 2;
        write_disk(&disk, &with);
        check_sums(&disk);
        check_file(&disk, "mixed");
        check_file(&disk, "tiny");
        assert_int_equal(n_extents(&disk, "mixed"), 1); /* pieces that do not compress become one */
        assert_int_equal(n_extents(&disk, "good"), 8);
        assert_int_equal(n_extents(&disk, "inline"), 1);

        const BtrfsExtent *extents = disk.data.extents;
        uint64_t offset = 0;
        for (size_t i = 0; i < 8; i++) {
                assert_int_equal(extents[i].offset, offset);
                assert_int_equal(extents[i].encoding, BTRFS_ENCODING_ZSTD);
                assert_true(extents[i].disk_size < extents[i].size);
                offset += extents[i].size;
        }
        assert_int_equal(offset, align_up(1000000, 4096));
        assert_true(extents[8].is_inline && extents[8].encoding == BTRFS_ENCODING_ZSTD);
        assert_int_equal(extents[8].size, 4096);
}

static void try_broken(const FilesystemOptions *with) {
        _cleanup_(reason_done) Reason reason = {}, other = {};
        _cleanup_(btrfs_data_done) BtrfsData data = {};
        _cleanup_(ground_done) Ground ground;

        make_file("tree/file", 10000, false);
        _cleanup_(tree_freep) Tree *tree = load_tree();
        _cleanup_(btrfs_plan_freep) BtrfsPlan *plan = make_plan(tree, with);
        ground_init(&ground);
        assert_int_equal(truncate("tree/file", 9999), 0);
        assert_int_equal(btrfs_data_write(plan, &ground.output, &ground.space, &data, &reason), -ENODATA);
        assert_non_null(strstr(reason.text, "'file'"));
        tree->nodes[1]->status.st_blocks = 0; /* as if it had holes */
        assert_int_equal(btrfs_data_write(plan, &ground.output, &ground.space, &data, NULL), -ENODATA);
        assert_int_equal(unlink("tree/file"), 0);
        assert_int_equal(btrfs_data_write(plan, &ground.output, &ground.space, &data, &other), -ENOENT);
        assert_non_null(strstr(other.text, "'file'"));
}

static void test_changed_file(void **state) {
        FilesystemOptions with = options;

        try_broken(&with);
        with.compression = COMPRESSION_ZLIB;
        try_broken(&with);
}

static void test_level(void **state) {
        _cleanup_(reason_done) Reason reason = {};
        _cleanup_(btrfs_data_done) BtrfsData data = {};
        _cleanup_(tree_freep) Tree *tree = load_tree();
        _cleanup_(ground_done) Ground ground;
        FilesystemOptions with = options;

        with.compression = COMPRESSION_ZSTD;
        with.compression_level = 16;
        _cleanup_(btrfs_plan_freep) BtrfsPlan *plan = make_plan(tree, &with);
        ground_init(&ground);
        assert_int_equal(btrfs_data_write(plan, &ground.output, &ground.space, &data, &reason), -EINVAL);
        assert_string_equal(reason.text, "btrfs has no level 16 of zstd");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                unit_test_with_tree(test_sizes),        unit_test_with_tree(test_holes),
                unit_test_with_tree(test_mirror),       unit_test_with_tree(test_compressed),
                unit_test_with_tree(test_changed_file), unit_test_with_tree(test_level),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
