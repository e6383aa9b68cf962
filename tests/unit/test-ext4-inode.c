/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include "ext4-fixture.h"

static void set_time(const char *path, time_t seconds, long nanoseconds) {
        const struct timespec times[] = { {}, { .tv_sec = seconds, .tv_nsec = nanoseconds } };

        assert_int_equal(utimensat(AT_FDCWD, path, times, AT_SYMLINK_NOFOLLOW), 0);
}

/* The modification time, but never later than the options say, is all four times. */
static void test_times(void **state) {
        static const struct {
                int64_t seconds, nanoseconds;
                uint32_t expected, extra;
        } cases[] = {
                { 0, 0, 0, 0 },
                { 0, 1, 0, 1 << 2 },
                { -1, 999999999, UINT32_MAX, 999999999U << 2 },
                { INT32_MIN, 0, 0x80000000U, 0 },
                { INT64_C(-10000000000), 5, 0x80000000U, 5 << 2 },
                { INT32_MAX, 0, INT32_MAX, 0 },
                { INT64_C(0x80000000), 7, 0x80000000U, 7 << 2 | 1 },
                { INT64_C(0x180000000), 7, 0x80000000U, 7 << 2 | 2 },
                { INT64_C(0x37fffffff), 7, 0x7fffffffU, 7 << 2 | 3 },
                { INT64_C(0x500000000), 7, 0x7fffffffU, 7 << 2 | 3 },
        };
        FilesystemOptions other = options;

        make_file("tree/f", 1);
        _cleanup_(tree_freep) Tree *tree = load_tree();
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(fd_closep) int fd = open("image", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
                uint64_t made;

                other.time = INT64_MAX;
                tree->nodes[1]->status.st_mtim =
                        (struct timespec){ .tv_sec = cases[i].seconds, .tv_nsec = cases[i].nanoseconds };
                assert_int_equal(filesystem_ext4.make(tree, &other,
                                                      &(FilesystemPlace){ .fd = fd, .size = 8 * MIB }, &made,
                                                      NULL),
                                 0);
                _cleanup_(ext4_volume_freep) struct struct_ext2_filsys *volume = open_image();
                const struct ext2_inode_large inode = read_inode(volume, "f");
                const uint32_t seconds[] = { inode.i_mtime, inode.i_atime, inode.i_ctime, inode.i_crtime };
                const uint32_t extras[] = { inode.i_mtime_extra, inode.i_atime_extra, inode.i_ctime_extra,
                                            inode.i_crtime_extra };
                for (size_t k = 0; k < ELEMENTSOF(seconds); k++) {
                        assert_int_equal(seconds[k], cases[i].expected);
                        assert_int_equal(extras[k], cases[i].extra);
                }
        }
}

static void test_clamped_times(void **state) {
        make_file("tree/old", 1);
        set_time("tree/old", TIME_MAX - 1, 999999999);
        make_file("tree/same", 1);
        set_time("tree/same", TIME_MAX, 1);
        make_file("tree/new", 1);
        set_time("tree/new", TIME_MAX + 1000, 5);
        make_image();

        _cleanup_(ext4_volume_freep) struct struct_ext2_filsys *volume = open_image();
        assert_int_equal(read_inode(volume, "old").i_mtime, TIME_MAX - 1);
        assert_int_equal(read_inode(volume, "old").i_mtime_extra, 999999999U << 2);
        assert_int_equal(read_inode(volume, "same").i_mtime, TIME_MAX);
        assert_int_equal(read_inode(volume, "same").i_mtime_extra, 0);
        assert_int_equal(read_inode(volume, "new").i_mtime, TIME_MAX);
        assert_int_equal(read_inode(volume, "lost+found").i_mtime, TIME_MAX);
}

static void test_status(void **state) {
        static const struct {
                unsigned major, minor;
                uint32_t old, new;
        } devices[] = {
                { 1, 3, 0x103, 0 },
                { 255, 255, 0xffff, 0 },
                { 256, 0, 0, 0x10000 },
                { 259, 70000, 0, 0x11110370 },
                { 4095, 1048575, 0, 0xffffffff },
        };

        if (geteuid() != 0)
                skip(); /* only root makes devices and gives files away */
        assert_int_equal(chown("tree", 77, 0), 0);
        assert_int_equal(chmod("tree", 01750), 0);
        for (size_t i = 0; i < ELEMENTSOF(devices); i++) {
                const mode_t mode = (i % 2 == 0 ? S_IFCHR : S_IFBLK) | 0640;

                assert_int_equal(mknod("tree/f", mode, makedev(devices[i].major, devices[i].minor)), 0);
                assert_int_equal(chown("tree/f", 0x12345678, 0x9abcdef0), 0);
                make_image();
                assert_int_equal(unlink("tree/f"), 0);
                check_image("image");

                _cleanup_(ext4_volume_freep) struct struct_ext2_filsys *volume = open_image();
                struct ext2_inode_large inode = read_inode(volume, "f");
                assert_int_equal(inode_uid(inode), 0x12345678);
                assert_int_equal(inode_gid(inode), 0x9abcdef0);
                assert_int_equal(inode.i_mode, mode);
                assert_int_equal(inode.i_block[0], devices[i].old);
                assert_int_equal(inode.i_block[1], devices[i].new);
                assert_int_equal(inode.i_size, 0);
                assert_int_equal(inode.i_extra_isize, 32);
                inode = read_inode(volume, "/");
                assert_int_equal(inode.i_mode, S_IFDIR | 01750);
                assert_int_equal(inode_uid(inode), 77);
        }
}

static void test_special_files(void **state) {
        char target[61] = "";

        assert_int_equal(mkfifo("tree/fifo", 0600), 0);
        memset(target, 't', 59);
        assert_int_equal(symlink(target, "tree/fast"), 0);
        memset(target, 't', 60);
        assert_int_equal(symlink(target, "tree/slow"), 0);
        make_image();
        check_image("image");

        _cleanup_(ext4_volume_freep) struct struct_ext2_filsys *volume = open_image();
        assert_int_equal(read_inode(volume, "fifo").i_mode, S_IFIFO | 0600);
        assert_int_equal(read_inode(volume, "fifo").i_blocks, 0);

        struct ext2_inode_large inode = {};
        ext2_ino_t number = 0;
        assert_int_equal(ext2fs_lookup(volume, EXT2_ROOT_INO, "fast", 4, NULL, &number), 0);
        assert_int_equal(ext2fs_read_inode_full(volume, number, EXT2_INODE(&inode), sizeof(inode)), 0);
        assert_int_equal(inode.i_size, 59);
        assert_int_equal(inode.i_blocks, 0);
        assert_memory_equal(inode.i_block, target, 59);
        assert_int_equal(ext2fs_lookup(volume, EXT2_ROOT_INO, "slow", 4, NULL, &number), 0);
        assert_int_equal(ext2fs_read_inode_full(volume, number, EXT2_INODE(&inode), sizeof(inode)), 0);
        assert_int_equal(inode.i_size, 60);
        assert_int_equal(inode.i_blocks, EXT4_BLOCK_SIZE / 512);
        assert_int_equal(inode.i_flags, EXT4_EXTENTS_FL);
}

static void test_attributes(void **state) {
        static const struct {
                const char *name, *value;
                size_t size;
        } cases[] = {
                { "user.small", "value", 5 },
                { "user.large", NULL, 2000 },
                { "user.empty", "", 0 },
                { "user.binary", "\0\1\2", 3 },
        };
        char large[2000];

        memset(large, 'l', sizeof(large));
        make_file("tree/f", 10);
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                if (setxattr("tree/f", cases[i].name, cases[i].value ? cases[i].value : large, cases[i].size,
                             0) < 0)
                        skip();
        }
        make_image();
        check_image("image");

        _cleanup_(ext4_volume_freep) struct struct_ext2_filsys *volume = open_image();
        struct ext2_xattr_handle *handle = NULL;
        size_t count = 0;
        assert_int_equal(ext2fs_xattrs_open(volume, find_inode(volume, "f"), &handle), 0);
        assert_int_equal(ext2fs_xattrs_read(handle), 0);
        assert_int_equal(ext2fs_xattrs_count(handle, &count), 0);
        assert_int_equal(count, ELEMENTSOF(cases));
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                void *value = NULL;
                size_t size = 0;

                assert_int_equal(ext2fs_xattr_get(handle, cases[i].name, &value, &size), 0);
                assert_int_equal(size, cases[i].size);
                if (size > 0)
                        assert_memory_equal(value, cases[i].value ? cases[i].value : large, size);
                assert_int_equal(ext2fs_free_mem(&value), 0);
        }
        assert_int_equal(ext2fs_xattrs_close(&handle), 0);
}

static void test_many_subdirectories(void **state) {
        make_directory("tree/d");
        for (unsigned i = 0; i < 30; i++) {
                char path[32];

                (void)snprintf(path, sizeof(path), "tree/d/%u", i);
                make_directory(path);
        }
        make_image();
        _cleanup_(ext4_volume_freep) struct struct_ext2_filsys *volume = open_image();
        assert_int_equal(read_inode(volume, "d").i_links_count, 32);
}

/* A file that got shorter since it was looked at, and one that is gone. */
static void test_changed_tree(void **state) {
        _cleanup_(reason_done) Reason shorter = {}, gone = {};
        _cleanup_(fd_closep) int fd = open("image", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        const FilesystemPlace place = { .fd = fd, .size = 8 * MIB };
        uint64_t made;

        make_file("tree/f", 10000);
        _cleanup_(tree_freep) Tree *tree = load_tree();
        assert_int_equal(truncate("tree/f", 5000), 0);
        assert_int_equal(filesystem_ext4.make(tree, &options, &place, &made, &shorter), -ENODATA);
        assert_string_equal(shorter.text, "Cannot write 'f' to the ext4 file system: No data available");
        assert_int_equal(unlink("tree/f"), 0);
        assert_int_equal(filesystem_ext4.make(tree, &options, &place, &made, &gone), -ENOENT);
        assert_string_equal(gone.text, "Cannot put 'f' into an ext4 file system: No such file or directory");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                unit_test_with_tree(test_times),        unit_test_with_tree(test_clamped_times),
                unit_test_with_tree(test_status),       unit_test_with_tree(test_special_files),
                unit_test_with_tree(test_attributes),   unit_test_with_tree(test_many_subdirectories),
                unit_test_with_tree(test_changed_tree),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
