/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <time.h>

#include "base/hash.h"
#include "ext4-fixture.h"

/* The same numbers in every run. */
static uint32_t next_random(uint64_t *state) {
        *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        return (uint32_t)(*state >> 33);
}

/* Fills the directory with up to n files of up to size_max bytes, links and directories. */
static void make_random_tree(const char *directory, uint64_t *seed, unsigned n, uint32_t size_max) {
        for (unsigned i = 0; i < n; i++) {
                _cleanup_(freep) char *path = NULL;
                const uint32_t kind = next_random(seed) % 16;

                assert_int_equal(
                        text_format(&path, "%s/%0*u", directory, (int)(next_random(seed) % 250) + 1, i), 0);
                if (kind == 0) {
                        make_directory(path);
                        if (n > 1 && strlen(path) < 3000)
                                make_random_tree(path, seed, n / 6, size_max);
                } else if (kind == 1) {
                        assert_int_equal(symlink(path, path), 0);
                } else if (kind == 2) {
                        make_file(path, 0);
                        assert_int_equal(truncate(path, (off_t)next_random(seed)), 0);
                } else {
                        make_file(path, next_random(seed) % size_max);
                }
        }
}

/* What was measured is enough, with and without a reserve, and less is not. */
static void check_measure(uint64_t reserve) {
        _cleanup_(tree_freep) Tree *tree = load_tree();
        const uint64_t size = measure(tree, reserve);

        make(tree, "image", size);
        check_image("image");
        {
                _cleanup_(ext4_volume_freep) struct struct_ext2_filsys *volume = open_image();

                assert_true(ext2fs_free_blocks_count(volume->super) * EXT4_BLOCK_SIZE >= reserve);
                assert_true(volume->super->s_free_inodes_count >= tree->n_nodes / 8);
                assert_true(ext2fs_has_feature_journal(volume->super));
        }

        /* Sizes beyond it are fine too, whatever groups, tables and journals come with them. */
        static const uint64_t more[] = { 1, 63, 5000, 33000 };
        for (size_t i = 0; i < ELEMENTSOF(more); i++)
                make(tree, "image", size + more[i] * EXT4_BLOCK_SIZE);
        check_image("image");
}

static void test_random_trees(void **state) {
        static const struct {
                unsigned n;
                uint32_t size_max;
        } cases[] = { { 0, 1 }, { 10, 1 }, { 300, 1 }, { 100, 5000 }, { 40, 100000 }, { 10, 2000000 } };
        uint64_t seed = 42;

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                assert_int_equal(tree_remove(AT_FDCWD, "tree"), 0);
                make_directory("tree");
                make_random_tree("tree", &seed, cases[i].n, cases[i].size_max);
                check_measure(0);
                check_measure(next_random(&seed) % (50 * MIB));
        }
}

static void test_many_small_files(void **state) {
        make_files("tree", 5000, 8);
        check_measure(0);
}

static void test_many_directories(void **state) {
        for (unsigned i = 0; i < 1000; i++) {
                char path[32];

                (void)snprintf(path, sizeof(path), "tree/%u", i);
                make_directory(path);
        }
        check_measure(0);
}

/* Around the sizes where a group, or a bigger journal, is added: 128 MiB and multiples of it. Nothing is in the files
 * but their last byte, and so the tests' disk is not filled. */
static void test_one_big_file(void **state) {
        static const uint64_t sizes[] = { 100, 118, 122, 126, 240, 250, 370, 1000, 1010 };

        for (size_t i = 0; i < ELEMENTSOF(sizes); i++) {
                make_file("tree/big", 0);
                assert_int_equal(truncate("tree/big", (off_t)(sizes[i] * MIB)), 0);
                _cleanup_(tree_freep) Tree *tree = load_tree();
                tree->nodes[1]->status.st_blocks =
                        (blkcnt_t)(sizes[i] * MIB / 512); /* as if it had no hole */

                const uint64_t size = measure(tree, 0);
                make(tree, "image", size);
                check_image("image");
                assert_true(size < sizes[i] * MIB * 11 / 10 + 24 * MIB);
                for (uint64_t more = 1; more < 40000; more = more * 3 + 1)
                        make(tree, "image", size + more * EXT4_BLOCK_SIZE);
        }
}

static void test_empty(void **state) {
        _cleanup_(tree_freep) Tree *tree = load_tree();

        assert_int_equal(measure(tree, 0), 8 * MIB);
        assert_true(measure(tree, 100 * MIB) > 100 * MIB);
        make(tree, "image", 8 * MIB);
        check_image("image");

        /* Without a journal there is room in less. */
        make(tree, "image", 2 * MIB);
        check_image("image");
        struct stat status;
        assert_int_equal(stat("image", &status), 0);
        assert_int_equal(status.st_size, 2 * MIB);
}

static void test_too_small(void **state) {
        static const uint64_t sizes[] = { 1, 4096, 65536, MIB, 8 * MIB, 28 * MIB };
        _cleanup_(fd_closep) int fd = open("image", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        struct stat status;

        make_file("tree/f", 30 * MIB);
        _cleanup_(tree_freep) Tree *tree = load_tree();
        for (size_t i = 0; i < ELEMENTSOF(sizes); i++) {
                _cleanup_(reason_done) Reason reason = {};
                uint64_t needed = 0;

                assert_int_equal(filesystem_ext4.make(tree, &options,
                                                      &(FilesystemPlace){ .fd = fd, .size = sizes[i] },
                                                      &needed, &reason),
                                 -ENOSPC);
                assert_int_equal(needed, measure(tree, 0));
                assert_non_null(text_after_prefix(reason.text, "The tree needs an ext4 file system of 3"));
        }
        /* Nothing was written before that was known. */
        assert_int_equal(fstat(fd, &status), 0);
        assert_int_equal(status.st_size, 0);
}

static void hash_file(const char *path, uint64_t offset, Sha256Digest *ret) {
        _cleanup_(freep) char *data = NULL;
        size_t size;

        assert_int_equal(file_read(AT_FDCWD, path, GIB, &data, &size), 0);
        assert_true(size > offset);
        assert_int_equal(sha256(data + offset, size - offset, ret), 0);
}

/* Files made in another order, at another time, under another zone and mask: the same bytes. */
static void test_deterministic(void **state) {
        Sha256Digest digests[2];

        for (unsigned round = 0; round < 2; round++) {
                const struct timespec times[] = { { .tv_nsec = UTIME_NOW }, { .tv_sec = 1000 } };
                const mode_t mask = umask(round == 0 ? 0022 : 0077);
                char path[128];

                assert_int_equal(setenv("TZ", round == 0 ? "UTC" : "Asia/Tokyo", 1), 0);
                assert_int_equal(setenv("E2FSPROGS_FAKE_TIME", round == 0 ? "1" : "2", 1), 0);
                tzset();
                assert_int_equal(tree_remove(AT_FDCWD, "tree"), 0);
                make_directory("tree");
                for (unsigned i = 0; i < 500; i++) {
                        const unsigned name = round == 0 ? i : 499 - i;

                        (void)snprintf(path, sizeof(path), "tree/%0*u", (int)(name % 100) + 3, name);
                        make_file(path, name * 10);
                        assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
                }
                assert_int_equal(chmod("tree", 0755), 0);
                assert_int_equal(utimensat(AT_FDCWD, "tree", times, 0), 0);
                make_image();
                hash_file("image", 0, &digests[round]);
                (void)umask(mask);
        }
        assert_memory_equal(&digests[0], &digests[1], sizeof(Sha256Digest));
        assert_int_equal(unsetenv("E2FSPROGS_FAKE_TIME"), 0);
}

/* At an offset, and nothing before or behind it is touched. */
static void test_offset(void **state) {
        _cleanup_(fd_closep) int fd = open("disk", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        const uint64_t offset = 3 * MIB + 512, size = 10 * MIB;
        uint64_t made = 0;
        char before[512], behind[512], mark[512];
        Sha256Digest at_offset, alone;

        make_file("tree/f", 100000);
        memset(mark, 'm', sizeof(mark));
        assert_int_equal(fd_pwrite_all(fd, mark, sizeof(mark), offset - sizeof(mark)), 0);
        assert_int_equal(fd_pwrite_all(fd, mark, sizeof(mark), offset + size), 0);
        _cleanup_(tree_freep) Tree *tree = load_tree();
        assert_int_equal(filesystem_ext4.make(tree, &options,
                                              &(FilesystemPlace){ .fd = fd, .offset = offset, .size = size },
                                              &made, NULL),
                         0);

        assert_int_equal(fd_pread_all(fd, before, sizeof(before), offset - sizeof(before)), 0);
        assert_int_equal(fd_pread_all(fd, behind, sizeof(behind), offset + size), 0);
        assert_memory_equal(before, mark, sizeof(mark));
        assert_memory_equal(behind, mark, sizeof(mark));
        assert_int_equal(ftruncate(fd, (off_t)(offset + size)), 0);
        make(tree, "image", size);
        hash_file("disk", offset, &at_offset);
        hash_file("image", 0, &alone);
        assert_memory_equal(&at_offset, &alone, sizeof(alone));
}

/* Empty parts of the file system, the journal among them, take no room on the disk. */
static void test_sparse(void **state) {
        struct stat status;

        make_file("tree/f", 100000);
        _cleanup_(tree_freep) Tree *tree = load_tree();
        make(tree, "image", 4 * GIB);
        check_image("image");
        assert_int_equal(stat("image", &status), 0);
        assert_int_equal(status.st_size, 4 * GIB);
        assert_true((uint64_t)status.st_blocks * 512 < 4 * MIB);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                unit_test_with_tree(test_empty),
                unit_test_with_tree(test_too_small),
                unit_test_with_tree(test_random_trees),
                unit_test_with_tree(test_many_small_files),
                unit_test_with_tree(test_many_directories),
                unit_test_with_tree(test_one_big_file),
                unit_test_with_tree(test_deterministic),
                unit_test_with_tree(test_offset),
                unit_test_with_tree(test_sparse),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
