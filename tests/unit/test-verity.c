/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <unistd.h>

#include "base/interrupt.h"
#include "foreign-program.h"
#include "temporary-directory.h"
#include "verity-fixture.h"
#include "verity/verity.h"

#define UUID_TEXT "6a5b1c5e-3f0d-4c4b-8e41-0d7a6a1fbb01"

static VerityOptions test_options(void) {
        VerityOptions options = { .salt = test_salt };

        assert_int_equal(uuid_parse(UUID_TEXT, &options.uuid), 0);
        return options;
}

static void test_size(void **state) {
        assert_int_equal(verity_size(4096), 4096);
        assert_int_equal(verity_size(2 * 4096), 2 * 4096);
        assert_int_equal(verity_size(128 * 4096), 2 * 4096);
        assert_int_equal(verity_size(129 * 4096), 4 * 4096);
        assert_int_equal(verity_size(GIB), 8462336);
        assert_int_equal(verity_size(0), 0);
        assert_int_equal(verity_size(4095), 0);
        assert_int_equal(verity_size(4097), 0);
        assert_int_equal(verity_size(UINT64_MAX - 4095), 0);
}

/* The tree and the root hash are those that are computed the simple way, and nothing else is written. */
static void check_tree(size_t n_blocks, uint64_t offset, unsigned n_threads) {
        const size_t size = n_blocks * VERITY_BLOCK_SIZE;
        _cleanup_(freep) uint8_t *bytes = make_bytes(size), *tree = NULL, *found = NULL;
        _cleanup_(fd_closep) int fd = data_file(bytes, size, offset), hash_fd = memory_file();
        VerityOptions options = test_options();
        VeritySuperblock superblock;
        Sha256Digest expected, root_hash;
        size_t tree_size;

        options.n_threads = n_threads;
        tree = simple_tree(&test_salt, bytes, n_blocks, &tree_size, &expected);
        assert_int_equal(verity_size(size), VERITY_BLOCK_SIZE + tree_size);
        assert_int_equal(verity_hash_file(&(VerityData){ .fd = fd, .offset = offset, .size = size }, &options,
                                          &(VerityPlace){ .fd = hash_fd, .offset = offset }, &root_hash,
                                          NULL),
                         0);
        assert_digest_equal(&root_hash, &expected);

        assert_int_equal(lseek(hash_fd, 0, SEEK_END), offset + verity_size(size));
        found = malloc(VERITY_BLOCK_SIZE + tree_size);
        assert_non_null(found);
        assert_int_equal(fd_pread_all(hash_fd, found, VERITY_BLOCK_SIZE + tree_size, offset), 0);
        assert_int_equal(verity_superblock_decode(found, &superblock, NULL), 0);
        assert_true(uuid_equal(superblock.uuid, options.uuid));
        assert_int_equal(superblock.n_data_blocks, n_blocks);
        assert_int_equal(superblock.salt.size, 32);
        assert_memory_equal(superblock.salt.bytes, test_salt.bytes, 32);
        if (tree_size > 0)
                assert_memory_equal(found + VERITY_BLOCK_SIZE, tree, tree_size);
}

static void test_trees(void **state) {
        static const size_t n_blocks[] = { 1, 2, 127, 128, 129, 1000, 128 * 128, 128 * 128 + 1 };

        for (size_t i = 0; i < ELEMENTSOF(n_blocks); i++)
                check_tree(n_blocks[i], i * 512, (unsigned)i % 4);
}

/* Data and tree in one file, as in an image; and what lies around them stays. */
static void test_one_file(void **state) {
        const size_t size = 1000 * VERITY_BLOCK_SIZE;
        _cleanup_(freep) uint8_t *bytes = make_bytes(2 * size), *found = malloc(2 * size);
        _cleanup_(fd_closep) int fd = data_file(bytes, 2 * size, 0);
        const VerityOptions options = test_options();
        Sha256Digest root_hash;

        assert_int_equal(verity_hash_file(&(VerityData){ .fd = fd, .offset = 512, .size = size }, &options,
                                          &(VerityPlace){ .fd = fd, .offset = size + 1024 }, &root_hash,
                                          NULL),
                         0);
        assert_non_null(found);
        assert_int_equal(fd_pread_all(fd, found, 2 * size, 0), 0);
        assert_memory_equal(found, bytes, size + 1024);
        assert_memory_not_equal(found + size + 1024, bytes + size + 1024, verity_size(size));
        assert_memory_equal(found + size + 1024 + verity_size(size), bytes + size + 1024 + verity_size(size),
                            size - 1024 - verity_size(size));
}

static void test_refused(void **state) {
        static const struct {
                VerityData data;
                int r;
                const char *reason;
        } cases[] = {
                { { .size = 0 }, -EINVAL, "no data" },
                { { .size = 4097 }, -EINVAL, "4097 bytes" },
                { { .size = 8192, .offset = 1 }, -ENODATA, "ends at 8192, not at 8193" },
                { { .size = 12288 }, -ENODATA, "ends at 8192, not at 12288" },
                { { .size = UINT64_MAX - 4095 }, -EINVAL, "No file has" },
                { { .size = 4096, .offset = INT64_MAX }, -EINVAL, "No file has" },
        };
        _cleanup_(fd_closep) int fd = memory_file(), hash_fd = memory_file();
        const VerityOptions options = test_options();

        assert_int_equal(ftruncate(fd, 8192), 0);
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(reason_done) Reason reason = {};
                VerityData data = cases[i].data;
                Sha256Digest root_hash = {};

                data.fd = fd;
                assert_int_equal(verity_hash_file(&data, &options, &(VerityPlace){ .fd = hash_fd },
                                                  &root_hash, &reason),
                                 cases[i].r);
                if (!strstr(reason.text, cases[i].reason))
                        fail_msg("\"%s\" does not say \"%s\"", reason.text, cases[i].reason);
                assert_digest_equal(&root_hash, &(Sha256Digest){});
        }
        assert_int_equal(lseek(hash_fd, 0, SEEK_END), 0);
}

/* A disk that is full, and a descriptor that is none. */
static void test_errors(void **state) {
        _cleanup_(reason_done) Reason reason = {};
        _cleanup_(fd_closep) int fd = memory_file(), full_fd = open("/dev/full", O_RDWR | O_CLOEXEC);
        const VerityOptions options = test_options();
        VerityData data = { .fd = fd, .size = 100 * MIB };
        Sha256Digest root_hash;

        assert_int_equal(ftruncate(fd, 100 * MIB), 0);
        assert_int_equal(verity_hash_file(&data, &options, &(VerityPlace){ .fd = full_fd }, &root_hash,
                                          &reason),
                         -ENOSPC);
        assert_non_null(strstr(reason.text, "No space left"));
        data.fd = -EBADF;
        assert_int_equal(verity_hash_file(&data, &options, &(VerityPlace){ .fd = fd }, &root_hash, NULL),
                         -EBADF);
}

/* veritysetup makes the same bytes. */
static void test_veritysetup(void **state) {
        static const size_t n_blocks[] = { 1, 128, 129, 16385 };
        VerityOptions options = test_options();
        char salt[2 * 32 + 1], text[2 * SHA256_SIZE + 1];

        for (size_t i = 0; i < 32; i++)
                (void)snprintf(salt + 2 * i, 3, "%02x", test_salt.bytes[i]);
        for (size_t i = 0; i < ELEMENTSOF(n_blocks); i++) {
                const size_t size = n_blocks[i] * VERITY_BLOCK_SIZE;
                _cleanup_(freep) uint8_t *bytes = make_bytes(size);
                _cleanup_(freep) char *said = NULL, *same = NULL;
                _cleanup_(fd_closep) int hash_fd = open("ours", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
                _cleanup_(fd_closep) int fd = -EBADF;
                Sha256Digest root_hash;

                assert_int_equal(file_write(AT_FDCWD, "data", bytes, size, 0600), 0);
                assert_int_equal(file_write_text(AT_FDCWD, "theirs", "", 0600), 0);
                fd = open("data", O_RDONLY | O_CLOEXEC);
                assert_int_equal(verity_hash_file(&(VerityData){ .fd = fd, .size = size }, &options,
                                                  &(VerityPlace){ .fd = hash_fd }, &root_hash, NULL),
                                 0);
                said = FOREIGN_CHECK("veritysetup", "format", "data", "theirs", "--salt", salt, "--uuid",
                                     UUID_TEXT);
                sha256_format(&root_hash, text);
                assert_non_null(strstr(said, text));
                same = FOREIGN_CHECK("cmp", "ours", "theirs");
        }
}

/* The last one: the signal stays noted. */
static void test_interrupted(void **state) {
        _cleanup_(fd_closep) int fd = memory_file(), hash_fd = memory_file();
        const VerityOptions options = test_options();
        Sha256Digest root_hash;

        assert_int_equal(ftruncate(fd, (off_t)GIB), 0);
        assert_int_equal(interrupt_catch(), 0);
        assert_int_equal(raise(SIGTERM), 0);
        assert_int_equal(verity_hash_file(&(VerityData){ .fd = fd, .size = GIB }, &options,
                                          &(VerityPlace){ .fd = hash_fd }, &root_hash, NULL),
                         -EINTR);
        assert_true(lseek(hash_fd, 0, SEEK_END) < (off_t)MIB);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_size),        cmocka_unit_test(test_trees),
                cmocka_unit_test(test_one_file),    cmocka_unit_test(test_refused),
                cmocka_unit_test(test_errors),      unit_test_in_directory(test_veritysetup),
                cmocka_unit_test(test_interrupted),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
