/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/hash.h"
#include "btrfs-fixture.h"
#include "foreign-program.h"

/* The same numbers in every run. */
static uint32_t next_random(uint64_t *state) {
        *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        return (uint32_t)(*state >> 33);
}

static void make_random_tree(const char *directory, uint64_t *seed, unsigned n, uint32_t size_max) {
        for (unsigned i = 0; i < n; i++) {
                _cleanup_(freep) char *path = NULL;
                const uint32_t kind = next_random(seed) % 16;

                assert_int_equal(
                        text_format(&path, "%s/%0*u", directory, (int)(next_random(seed) % 250) + 1, i), 0);
                if (kind == 0) {
                        assert_int_equal(mkdir(path, 0755), 0);
                        if (n > 1 && strlen(path) < 3000)
                                make_random_tree(path, seed, n / 6, size_max);
                } else if (kind == 1) {
                        assert_int_equal(symlink(path, path), 0);
                } else if (kind == 2) {
                        make_file(path, 0, false);
                        assert_int_equal(truncate(path, (off_t)next_random(seed)), 0);
                } else {
                        make_file(path, next_random(seed) % size_max, kind % 2);
                }
        }
}

static uint64_t make_with(const char *path, uint64_t size, const FilesystemOptions *with) {
        _cleanup_(fd_closep) int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        _cleanup_(reason_done) Reason reason = {};
        _cleanup_(tree_freep) Tree *tree = load_tree();
        uint64_t made = 0;

        int r = filesystem_btrfs.make(tree, with, &(FilesystemPlace){ .fd = fd, .size = size }, &made,
                                      &reason);
        if (r < 0)
                fail_msg("%s", reason_text(&reason, r));
        return made;
}

static uint64_t make(const char *path, uint64_t size) {
        return make_with(path, size, &options);
}

/* btrfs check has nothing to say; where there is no such program, neither has this test. */
static void check(const char *image) {
        const char *const argv[] = { "btrfs", "check", "--readonly", "--check-data-csum", image, NULL };
        _cleanup_(freep) char *program = NULL, *output = NULL;

        if (path_find_program("btrfs", NULL, &program) < 0)
                return;
        output = foreign_check(argv);
        if (!strstr(output, "no error found"))
                fail_msg("%s", output);
}

static void read_super(int fd, BtrfsSuper *ret) {
        assert_int_equal(fd_pread_all(fd, ret, sizeof(*ret), BTRFS_SUPER_OFFSET), 0);
        assert_int_equal(le64toh(ret->magic), BTRFS_SUPER_MAGIC_NUMBER);
}

/* Every tree can be read, and takes as many blocks as the root tree says; all together take what the super block says. */
static void read_all(const char *image) {
        _cleanup_(fd_closep) int fd = open(image, O_RDONLY | O_CLOEXEC);
        _cleanup_(items_done) Items roots = {}, chunks = {};
        uint64_t used = 0;
        BtrfsSuper super;

        read_super(fd, &super);
        read_tree(fd, BTRFS_CHUNK_TREE_OBJECTID, le64toh(super.chunk_tree), super.chunk_tree_level, &chunks);
        read_tree(fd, BTRFS_ROOT_TREE_OBJECTID, le64toh(super.root_tree), super.root_tree_level, &roots);
        used += (chunks.n_blocks + roots.n_blocks) * BTRFS_NODE_SIZE;
        for (size_t i = 0; i < roots.n_items; i++) {
                const struct btrfs_root_item *root = (const void *)roots.items[i].data;
                _cleanup_(items_done) Items items = {};

                if (roots.items[i].key.type != BTRFS_ROOT_ITEM_KEY)
                        continue;
                read_tree(fd, roots.items[i].key.objectid, le64toh(root->bytenr), root->level, &items);
                assert_int_equal(items.n_blocks * BTRFS_NODE_SIZE, le64toh(root->bytes_used));
                used += le64toh(root->bytes_used);
                if (items.owner != BTRFS_EXTENT_TREE_OBJECTID)
                        continue;
                for (size_t k = 0; k < items.n_items; k++)
                        if (items.items[k].key.type == BTRFS_EXTENT_ITEM_KEY)
                                used += items.items[k].key.offset;
        }
        assert_int_equal(used, le64toh(super.used_size));
}

static void test_random_trees(void **state) {
        static const struct {
                unsigned n;
                uint32_t size_max;
        } cases[] = { { 0, 1 }, { 10, 1 }, { 300, 2000 }, { 100, 10000 }, { 40, 300000 }, { 10, 20000000 } };
        static const Compression compressions[] = { COMPRESSION_NONE, COMPRESSION_ZSTD, COMPRESSION_ZLIB };
        uint64_t seed = 42;

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                FilesystemOptions with = options;

                assert_int_equal(tree_remove(AT_FDCWD, "tree"), 0);
                assert_int_equal(mkdir("tree", 0755), 0);
                make_random_tree("tree", &seed, cases[i].n, cases[i].size_max);
                for (size_t k = 0; k < ELEMENTSOF(compressions); k++) {
                        with.compression = compressions[k];
                        (void)make_with("image", 0, &with);
                        read_all("image");
                        check("image");
                }
        }
}

static void test_sizes(void **state) {
        static const uint64_t more[] = { 4096, 65536, MIB - 512, 100 * MIB, 300 * GIB };
        struct stat status;

        make_file("tree/f", 3000000, false);
        const uint64_t needed = make("image", 0);
        assert_true(needed > 3 * MIB && needed < 34 * MIB);
        for (size_t i = 0; i < ELEMENTSOF(more); i++) {
                assert_int_equal(make("image", needed + more[i]), needed + more[i]);
                check("image");
                assert_int_equal(stat("image", &status), 0);
                assert_int_equal(status.st_size, needed + more[i]);
                assert_true((uint64_t)status.st_blocks * 512 < 4 * MIB);
        }
        assert_int_equal(make("image", needed), needed);
        check("image");
}

static void test_reserve(void **state) {
        FilesystemOptions with = options;

        make_file("tree/f", 20000000, false);
        const uint64_t needed = make("image", 0);
        with.reserve_size = 10 * MIB;
        assert_int_equal(make_with("image", 0, &with), needed + 10 * MIB);
        with.reserve_percent = 100;
        const uint64_t doubled = make_with("image", 0, &with);
        assert_true(doubled > needed + 20000000 && doubled < needed + 23000000);
        assert_int_equal(doubled % 4096, 0);
        with.size_grain = GIB;
        assert_int_equal(make_with("image", 0, &with), GIB);
        check("image");
}

static void test_too_small(void **state) {
        static const uint64_t sizes[] = { 1, 4096, 65536, 66000, MIB, 20 * MIB };
        static const Compression compressions[] = { COMPRESSION_NONE, COMPRESSION_ZSTD };

        make_file("tree/f", 30000000, false);
        _cleanup_(tree_freep) Tree *tree = load_tree();
        for (size_t i = 0; i < ELEMENTSOF(sizes) * ELEMENTSOF(compressions); i++) {
                const uint64_t size = sizes[i % ELEMENTSOF(sizes)];
                _cleanup_(fd_closep) int fd = memfd_create("image", MFD_CLOEXEC);
                _cleanup_(reason_done) Reason reason = {};
                FilesystemOptions with = options;
                struct stat status;
                uint64_t needed = 0;

                with.compression = compressions[i / ELEMENTSOF(sizes)];
                const FilesystemPlace place = { .fd = fd, .offset = 512, .size = size };
                assert_int_equal(filesystem_btrfs.make(tree, &with, &place, &needed, &reason), -ENOSPC);
                assert_int_equal(needed, make_with("measured", 0, &with));
                assert_non_null(text_after_prefix(reason.text, "The tree needs a btrfs file system of"));
                assert_int_equal(fstat(fd, &status), 0);
                assert_true((uint64_t)status.st_size <= 512 + size);
        }
}

/* A full disk is no question of the place's size. */
static void test_full_disk(void **state) {
        _cleanup_(fd_closep) int fd = open("/dev/full", O_RDWR | O_CLOEXEC);
        _cleanup_(tree_freep) Tree *tree = load_tree();
        uint64_t size = 7;

        assert_true(fd >= 0);
        assert_int_equal(filesystem_btrfs.make(tree, &options, &(FilesystemPlace){ .fd = fd }, &size, NULL),
                         -ENOSPC);
        assert_int_equal(size, 7);
}

static void hash_file(const char *path, uint64_t offset, Sha256Digest *ret) {
        _cleanup_(freep) char *data = NULL;
        size_t size;

        assert_int_equal(file_read(AT_FDCWD, path, GIB, &data, &size), 0);
        assert_true(size > offset);
        assert_int_equal(sha256(data + offset, size - offset, ret), 0);
}

/* Files made in another order, under another zone and mask, by other numbers of threads: the same bytes. */
static void test_deterministic(void **state) {
        static const char *const subvolumes[][3] = { { "b", "a", NULL }, { "a", "b", NULL } };
        Sha256Digest digests[4];

        for (unsigned round = 0; round < ELEMENTSOF(digests); round++) {
                const struct timespec times[] = { { .tv_nsec = UTIME_NOW }, { .tv_sec = 1000 } };
                const mode_t mask = umask(round % 2 == 0 ? 0022 : 0077);
                FilesystemOptions with = options;
                char path[128];

                assert_int_equal(setenv("TZ", round == 0 ? "UTC" : "Asia/Tokyo", 1), 0);
                assert_int_equal(tree_remove(AT_FDCWD, "tree"), 0);
                for (unsigned i = 0; i < 3; i++) {
                        static const char *const directories[] = { "tree", "tree/a", "tree/b" };

                        assert_int_equal(mkdir(directories[i], 0755), 0);
                        assert_int_equal(chmod(directories[i], 0755), 0);
                }
                for (unsigned i = 0; i < 300; i++) {
                        const unsigned name = round % 2 == 0 ? i : 299 - i;

                        (void)snprintf(path, sizeof(path), "tree/%s/%0*u", name % 2 ? "a" : "b",
                                       (int)(name % 100) + 3, name);
                        make_file(path, name * 1000, name % 3);
                        assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
                }
                assert_int_equal(utimensat(AT_FDCWD, "tree/a", times, 0), 0);
                assert_int_equal(utimensat(AT_FDCWD, "tree/b", times, 0), 0);
                assert_int_equal(utimensat(AT_FDCWD, "tree", times, 0), 0);
                with.compression = COMPRESSION_ZSTD;
                with.n_threads = round;
                with.subvolumes = subvolumes[round % 2];
                (void)make_with("image", 0, &with);
                hash_file("image", 0, &digests[round]);
                (void)umask(mask);
        }
        for (unsigned round = 1; round < ELEMENTSOF(digests); round++)
                assert_memory_equal(&digests[0], &digests[round], sizeof(Sha256Digest));
}

/* At an offset, and nothing before or behind it is touched. */
static void test_offset(void **state) {
        _cleanup_(fd_closep) int fd = open("disk", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        const uint64_t offset = 3 * MIB + 512, size = 40 * MIB;
        char before[512], behind[512], mark[512];
        Sha256Digest at_offset, alone;
        uint64_t made = 0;

        make_file("tree/f", 100000, false);
        memset(mark, 'm', sizeof(mark));
        assert_int_equal(fd_pwrite_all(fd, mark, sizeof(mark), offset - sizeof(mark)), 0);
        assert_int_equal(fd_pwrite_all(fd, mark, sizeof(mark), offset + size), 0);
        _cleanup_(tree_freep) Tree *tree = load_tree();
        assert_int_equal(filesystem_btrfs.make(tree, &options, &(FilesystemPlace){ fd, offset, size }, &made,
                                               NULL),
                         0);
        assert_int_equal(made, size);

        assert_int_equal(fd_pread_all(fd, before, sizeof(before), offset - sizeof(before)), 0);
        assert_int_equal(fd_pread_all(fd, behind, sizeof(behind), offset + size), 0);
        assert_memory_equal(before, mark, sizeof(mark));
        assert_memory_equal(behind, mark, sizeof(mark));
        assert_int_equal(ftruncate(fd, (off_t)(offset + size)), 0);
        (void)make("image", size);
        hash_file("disk", offset, &at_offset);
        hash_file("image", 0, &alone);
        assert_memory_equal(&at_offset, &alone, sizeof(alone));
}

/* The volume that is no subvolume is the one to mount; the others are where they were as directories. */
static void test_subvolumes(void **state) {
        static const char *const names[] = { "home", "var", "var/tmp", NULL };
        FilesystemOptions with = options;
        _cleanup_(freep) char *output = NULL;

        assert_int_equal(path_make_directories(AT_FDCWD, "tree/home/user", 0755), 0);
        assert_int_equal(path_make_directories(AT_FDCWD, "tree/var/tmp", 01777), 0);
        make_file("tree/var/f", 10000, false);
        assert_int_equal(link("tree/var/f", "tree/home/user/g"), 0);
        with.subvolumes = names;
        (void)make_with("image", 0, &with);
        read_all("image");
        check("image");
        output = FOREIGN_CHECK("btrfs", "inspect-internal", "dump-tree", "-t", "root", "image");
        assert_non_null(strstr(output, "root ref key dirid 256 sequence 3 name var"));
        assert_non_null(strstr(output, "root ref key dirid 256 sequence 3 name tmp"));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                unit_test_with_tree(test_random_trees), unit_test_with_tree(test_sizes),
                unit_test_with_tree(test_reserve),      unit_test_with_tree(test_too_small),
                unit_test_with_tree(test_full_disk),    unit_test_with_tree(test_deterministic),
                unit_test_with_tree(test_offset),       unit_test_with_tree(test_subvolumes),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
