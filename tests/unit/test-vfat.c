/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/path.h"
#include "base/text.h"
#include "foreign-program.h"
#include "format/filesystem.h"
#include "temporary-directory.h"

#define TIME_MAX 1600000000

static const FilesystemOptions options = {
        .label = "EFI",
        .uuid = { { 0x12, 0x34, 0xab, 0xcd, 0x55, 0x66 } },
        .time = TIME_MAX,
};

/* Puts a file with content of its own into the tree, with a time that FAT can tell. */
static void put(const char *path, size_t size) {
        const struct timespec times[2] = { { .tv_sec = 1500000000 },
                                           { .tv_sec = 1500000000 + 2 * (int64_t)size % 4096 } };
        _cleanup_(freep) char *parent = NULL;
        _cleanup_(freep) uint8_t *data = malloc(MAX(size, (size_t)1));
        uint32_t number = (uint32_t)size;

        assert_non_null(data);
        for (size_t i = 0; i < size; i++) {
                number = number * 1664525 + 1013904223;
                data[i] = (uint8_t)(number >> 24);
        }
        assert_int_equal(path_parent(path, &parent), 0);
        assert_int_equal(path_make_directories(AT_FDCWD, parent, 0755), 0);
        assert_int_equal(file_write(AT_FDCWD, path, data, size, 0644), 0);
        assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
}

static Tree *load(const char *path) {
        Tree *tree;

        assert_int_equal(path_make_directories(AT_FDCWD, path, 0755), 0);
        assert_int_equal(tree_load(AT_FDCWD, path, &tree, NULL), 0);
        return tree;
}

/* Turns the tree into a file system of the size (0: as small as can be), alone in a file. */
static uint64_t make(const Tree *tree, const char *image, uint64_t size) {
        _cleanup_(fd_closep) int fd = open(image, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
        _cleanup_(reason_done) Reason reason = {};

        const int r = filesystem_vfat.make(tree, &options, &(FilesystemPlace){ .fd = fd, .size = size },
                                           &size, &reason);
        if (r < 0)
                fail_msg("%s", reason_text(&reason, r));
        return size;
}

/* The clusters in use, and all there are, as fsck counts them, which finds nothing else to say. */
static void check(const char *image, unsigned *ret_used, unsigned *ret_all) {
        _cleanup_(freep) char *output = FOREIGN_CHECK("fsck.fat", "-n", image);
        unsigned files;
        int end = 0;

        /* "fsck.fat 4.2 (2021-01-31)", "image: 11 files, 61644/201616 clusters" */
        (void)sscanf(output, "fsck.fat %*[^\n]\n%*[^:]: %u files, %u/%u clusters%n", &files, ret_used,
                     ret_all, &end);
        assert_string_equal(output + end, "\n");
}

/* Reads all files back, and compares them with the tree: names, sizes, times, content. */
static void compare(const Tree *tree, const char *path, const char *image) {
        _cleanup_(tree_freep) Tree *copy = NULL;

        assert_int_equal(tree_remove(AT_FDCWD, "copy"), 0);
        assert_int_equal(mkdir("copy", 0755), 0);
        if (tree->n_nodes > 1)
                free(FOREIGN_CHECK("mcopy", "-s", "-m", "-i", image, "::*", "copy"));
        free(FOREIGN_CHECK("diff", "-r", path, "copy"));

        copy = load("copy");
        assert_int_equal(copy->n_nodes, tree->n_nodes);
        for (size_t i = 0; i < tree->n_nodes; i++) {
                const TreeNode *node = tree->nodes[i], *other = copy->nodes[i];

                assert_string_equal(node->name, other->name);
                if (S_ISREG(node->status.st_mode))
                        assert_int_equal(other->status.st_mtim.tv_sec,
                                         MIN(node->status.st_mtim.tv_sec & ~(time_t)1, TIME_MAX));
        }
}

static void check_tree(uint64_t size) {
        _cleanup_(tree_freep) Tree *tree = load("tree");
        unsigned used, all;

        (void)make(tree, "image", size);
        check("image", &used, &all);
        compare(tree, "tree", "image");
}

static void test_empty(void **state) {
        struct stat status;

        check_tree(0);
        check_tree(100 * MIB);
        assert_int_equal(stat("image", &status), 0);
        assert_true(status.st_blocks * 512 <= 64 * 1024);
}

static void test_one_file(void **state) {
        put("tree/EFI/BOOT/BOOTX64.EFI", 123456);
        check_tree(0);
        check_tree(64 * MIB);
}

static void test_sizes(void **state) {
        static const uint64_t sizes[] = { 0, 64 * MIB, 300 * MIB, 9 * GIB, 17 * GIB, 33 * GIB };
        static const size_t file_sizes[] = {
                0, 1, 511, 512, 513, 4095, 4096, 4097, 32767, 32768, 32769, 65536
        };

        for (size_t i = 0; i < ELEMENTSOF(file_sizes); i++) {
                char path[32];

                (void)snprintf(path, sizeof(path), "tree/size %zu", file_sizes[i]);
                put(path, file_sizes[i]);
        }
        for (size_t i = 0; i < ELEMENTSOF(sizes); i++)
                check_tree(sizes[i]);
}

/* mtools would not take a name with characters beyond U+FFFF. */
static void test_names(void **state) {
        static const char *const names[] = {
                "BOOTX64.EFI",      "README",        "loader.conf",
                "LOADER~1.CON",     "loader~2.con",  "loader.config",
                "loader.confuse",   "x+y.txt",       "x=y.txt",
                ".hidden",          "..two",         "a.b.c.d",
                " leading",         "Größe.txt",     "Größe.TXU",
                "日本語のファイル", "1234567890123", "12345678901234567890123456",
        };
        char longest[5 + 255 + 1] = "tree/";

        for (size_t i = 0; i < ELEMENTSOF(names); i++) {
                _cleanup_(freep) char *path = NULL;

                assert_int_equal(path_join("tree", names[i], &path), 0);
                put(path, 100 + i);
        }
        memset(longest + 5, 'x', 255);
        put(longest, 5);
        check_tree(0);
}

static void test_deep(void **state) {
        char path[1024] = "tree";
        size_t length = strlen(path);

        for (size_t i = 0; i < 40; i++) {
                length += (size_t)snprintf(path + length, sizeof(path) - length, "/Level number %zu", i);
                put(path, i);
                assert_int_equal(unlink(path), 0);
                assert_int_equal(mkdir(path, 0755), 0);
        }
        assert_true(length + 10 < sizeof(path));
        memcpy(path + length, "/FILE", 6);
        put(path, 1000);
        check_tree(0);
}

static void test_many(void **state) {
        for (size_t i = 0; i < 2000; i++) {
                char path[64];

                (void)snprintf(path, sizeof(path), "tree/many/linux-image-6.1.0-%zu.efi", i);
                put(path, i);
        }
        check_tree(0);
        check_tree(261 * MIB);
}

/* Everything that there is room for: not a cluster is left, and a sector less is too little. */
static void test_full(void **state) {
        _cleanup_(tree_freep) Tree *tree = NULL;
        _cleanup_(reason_done) Reason reason = {};
        _cleanup_(fd_closep) int fd = -EBADF;
        uint64_t size, needed;
        FilesystemOptions with_reserve = options;
        unsigned used, all;

        put("tree/a", 40 * MIB);
        put("tree/b/c", 512);
        tree = load("tree");
        size = make(tree, "image", 0);
        check("image", &used, &all);
        assert_int_equal(used, all);
        compare(tree, "tree", "image");

        fd = open("image", O_RDWR | O_CLOEXEC);
        assert_int_equal(filesystem_vfat.make(tree, &options,
                                              &(FilesystemPlace){ .fd = fd, .size = size - 512 }, &needed,
                                              &reason),
                         -ENOSPC);
        assert_int_equal(needed, size);
        assert_non_null(strstr(reason.text, "FAT32 with this content needs"));

        with_reserve.reserve_size = 10 * MIB;
        assert_int_equal(ftruncate(fd, 0), 0);
        assert_int_equal(
                filesystem_vfat.make(tree, &with_reserve, &(FilesystemPlace){ .fd = fd }, &size, NULL), 0);
        check("image", &used, &all);
        assert_int_equal((all - used) * UINT64_C(512), 10 * MIB);
}

/* Neither the zone nor the mask, nor the order in which files came to be. */
static void test_same_bytes(void **state) {
        _cleanup_(tree_freep) Tree *one = NULL, *two = NULL;

        put("one/A/b", 10);
        put("one/A/c", 20);
        put("one/long name", 30);
        one = load("one");
        (void)make(one, "image-one", 0);

        assert_int_equal(setenv("TZ", "Asia/Tokyo", 1), 0);
        const mode_t mask = umask(0);
        put("two/long name", 30);
        put("two/A/c", 20);
        put("two/A/b", 10);
        two = load("two");
        (void)make(two, "image-two", 0);
        (void)umask(mask);
        free(FOREIGN_CHECK("cmp", "image-one", "image-two"));
}

/* In the middle of a file, of which nothing else is touched. */
static void test_offset(void **state) {
        _cleanup_(fd_closep) int fd = open("disk", O_RDWR | O_CREAT | O_CLOEXEC, 0644);
        const uint64_t offset = 3 * MIB, size = 40 * MIB;
        uint64_t made;
        _cleanup_(freep) uint8_t *border = malloc(offset), *found = malloc(offset);
        _cleanup_(freep) char *blkid = NULL, *list = NULL;
        _cleanup_(tree_freep) Tree *tree = NULL;

        put("tree/EFI/Linux/linux.efi", 1000000);
        tree = load("tree");
        assert_true(border && found);
        memset(border, 0xa5, offset);
        assert_int_equal(fd_pwrite_all(fd, border, offset, 0), 0);
        assert_int_equal(fd_pwrite_all(fd, border, offset, offset + size), 0);
        assert_int_equal(
                filesystem_vfat.make(tree, &options, &(FilesystemPlace){ fd, offset, size }, &made, NULL), 0);

        assert_int_equal(fd_pread_all(fd, found, offset, 0), 0);
        assert_memory_equal(found, border, offset);
        assert_int_equal(fd_pread_all(fd, found, offset, offset + size), 0);
        assert_memory_equal(found, border, offset);
        blkid = FOREIGN_CHECK("blkid", "-p", "-O", "3145728", "-S", "41943040", "disk");
        assert_non_null(strstr(blkid, "LABEL=\"EFI\" UUID=\"1234-ABCD\" VERSION=\"FAT32\""));
        list = FOREIGN_CHECK("mdir", "-i", "disk@@3M", "-b", "::EFI/Linux");
        assert_string_equal(list, "::/EFI/Linux/linux.efi\n");
        compare(tree, "tree", "disk@@3M");
}

static void test_times(void **state) {
        static const struct {
                int64_t seconds;
                const char *listed;
        } cases[] = {
                { 0, "1980-01-01   0:00" },
                { 1234567890, "2009-02-13  23:31" },
                { TIME_MAX, "2020-09-13  12:26" },
                { TIME_MAX + 1000000, "2020-09-13  12:26" },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                const struct timespec times[2] = { { .tv_sec = cases[i].seconds },
                                                   { .tv_sec = cases[i].seconds } };
                _cleanup_(freep) char *list = NULL;
                _cleanup_(tree_freep) Tree *tree = NULL;

                put("tree/FILE", 1);
                assert_int_equal(utimensat(AT_FDCWD, "tree/FILE", times, 0), 0);
                tree = load("tree");
                (void)make(tree, "image", 0);
                list = FOREIGN_CHECK("mdir", "-i", "image", "::FILE");
                if (!strstr(list, cases[i].listed))
                        fail_msg("%s is not in %s", cases[i].listed, list);
        }
}

static void test_changed_file(void **state) {
        _cleanup_(fd_closep) int fd = open("image", O_RDWR | O_CREAT | O_CLOEXEC, 0644);
        const FilesystemPlace place = { .fd = fd, .size = 40 * MIB };
        _cleanup_(reason_done) Reason reason = {}, other = {};
        _cleanup_(tree_freep) Tree *tree = NULL;
        uint64_t size;

        put("tree/a/file", 1000);
        tree = load("tree");
        assert_int_equal(truncate("tree/a/file", 999), 0);
        assert_int_equal(filesystem_vfat.make(tree, &options, &place, &size, &reason), -ENODATA);
        assert_non_null(strstr(reason.text, "'a/file'"));

        assert_int_equal(unlink("tree/a/file"), 0);
        assert_int_equal(filesystem_vfat.make(tree, &options, &place, &size, &other), -ENOENT);
        assert_non_null(strstr(other.text, "'a/file'"));
}

static void test_refused(void **state) {
        _cleanup_(reason_done) Reason reason = {};
        _cleanup_(tree_freep) Tree *tree = NULL;
        const FilesystemPlace place = { .fd = -EBADF, .size = 40 * MIB };
        uint64_t size = 7;

        assert_int_equal(mkdir("tree", 0755), 0);
        assert_int_equal(symlink("target", "tree/link"), 0);
        tree = load("tree");
        assert_int_equal(filesystem_vfat.make(tree, &options, &place, &size, &reason), -EOPNOTSUPP);
        assert_non_null(strstr(reason.text, "'link'"));
        assert_int_equal(size, 7);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                unit_test_in_directory(test_empty),        unit_test_in_directory(test_one_file),
                unit_test_in_directory(test_sizes),        unit_test_in_directory(test_names),
                unit_test_in_directory(test_deep),         unit_test_in_directory(test_many),
                unit_test_in_directory(test_full),         unit_test_in_directory(test_same_bytes),
                unit_test_in_directory(test_offset),       unit_test_in_directory(test_times),
                unit_test_in_directory(test_changed_file), unit_test_in_directory(test_refused),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
