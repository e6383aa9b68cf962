/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sched.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fd.h"
#include "foreign-program.h"
#include "format/hash-follower.h"
#include "temporary-directory.h"

static int create(const char *path) {
        const int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

        assert_true(fd >= 0);
        return fd;
}

static void check_digest(const Sha256Digest *digest, const char *path) {
        _cleanup_(freep) char *output = FOREIGN_CHECK("sha256sum", path);
        char text[2 * SHA256_SIZE + 1];

        sha256_format(digest, text);
        output[2 * SHA256_SIZE] = '\0';
        assert_string_equal(output, text);
}

/* The file is written by its position, which the follower leaves alone, in pieces of many sizes; some are holes. */
static void test_follows(void **state) {
        _cleanup_(fd_closep) int fd = create("file");
        _cleanup_(hash_follower_freep) HashFollower *follower = NULL;
        _cleanup_(freep) uint8_t *bytes = malloc(MIB);
        Sha256Digest digest;
        uint64_t offset = 0;

        for (size_t i = 0; i < MIB; i++)
                bytes[i] = (uint8_t)(i * i >> 5);
        assert_int_equal(hash_follower_start(fd, &follower), 0);
        for (size_t i = 1; i < 300; i++) {
                const size_t size = i * 7919 % MIB;

                if (i % 3 == 0)
                        assert_true(lseek(fd, (off_t)size, SEEK_CUR) > 0);
                else
                        assert_int_equal(fd_write_all(fd, bytes, size), 0);
                offset += size;
                assert_int_equal(lseek(fd, 0, SEEK_CUR), offset);
                hash_follower_advance(follower, offset);
                hash_follower_advance(follower, offset / 2);
        }
        assert_int_equal(ftruncate(fd, (off_t)offset + 3 * MIB), 0);
        assert_int_equal(hash_follower_finish(follower, offset + 3 * MIB, &digest), 0);
        check_digest(&digest, "file");
}

/* What is not final may still become something else: holes in front of the limit and behind it. */
static void test_waits_for_the_limit(void **state) {
        _cleanup_(fd_closep) int fd = create("file");
        _cleanup_(hash_follower_freep) HashFollower *follower = NULL;
        Sha256Digest digest;

        assert_int_equal(ftruncate(fd, 64 * MIB), 0);
        assert_int_equal(hash_follower_start(fd, &follower), 0);
        for (uint64_t offset = 4 * MIB; offset < 64 * MIB; offset += 4 * MIB) {
                hash_follower_advance(follower, offset);
                assert_int_equal(usleep(2000), 0);
                assert_int_equal(fd_pwrite_all(fd, "late", 4, offset), 0);
                assert_int_equal(fd_pwrite_all(fd, "later", 5, offset + 3 * MIB), 0);
        }
        assert_int_equal(hash_follower_finish(follower, 64 * MIB, &digest), 0);
        check_digest(&digest, "file");
}

/* Only as much as is asked for, from a file that is longer; nothing at all; a hole at either end. */
static void test_sizes(void **state) {
        static const uint64_t sizes[] = { 0, 1, 4096, 4 * MIB, 100 * MIB + 1, 200 * MIB };

        for (size_t i = 0; i < ELEMENTSOF(sizes); i++) {
                _cleanup_(fd_closep) int fd = create("file");
                _cleanup_(hash_follower_freep) HashFollower *follower = NULL;
                Sha256Digest digest;

                assert_int_equal(fd_pwrite_all(fd, "data", 4, 50 * MIB), 0);
                assert_int_equal(ftruncate(fd, 200 * MIB), 0);
                assert_int_equal(hash_follower_start(fd, &follower), 0);
                assert_int_equal(hash_follower_finish(follower, sizes[i], &digest), 0);
                assert_int_equal(ftruncate(fd, (off_t)sizes[i]), 0);
                check_digest(&digest, "file");
        }
}

/* A descriptor that can only be written is followed all the same, and so is a file without a name. */
static void test_descriptors(void **state) {
        _cleanup_(fd_closep) int fd = open("file", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
        _cleanup_(hash_follower_freep) HashFollower *follower = NULL, *other = NULL;
        Sha256Digest digest, expected;

        assert_int_equal(unlink("file"), 0);
        assert_int_equal(fd_write_all(fd, "content", 7), 0);
        assert_int_equal(hash_follower_start(fd, &follower), 0);
        assert_int_equal(hash_follower_finish(follower, 7, &digest), 0);
        assert_int_equal(sha256("content", 7, &expected), 0);
        assert_memory_equal(digest.bytes, expected.bytes, SHA256_SIZE);

        assert_int_equal(hash_follower_start(-EBADF, &other), -ENOENT);
        hash_follower_advance(NULL, GIB);
        hash_follower_free(NULL);
}

static void test_short_file(void **state) {
        _cleanup_(fd_closep) int fd = create("file");
        _cleanup_(hash_follower_freep) HashFollower *follower = NULL;
        Sha256Digest digest;

        assert_int_equal(fd_write_all(fd, "content", 7), 0);
        assert_int_equal(hash_follower_start(fd, &follower), 0);
        assert_int_equal(hash_follower_finish(follower, 8, &digest), -ENODATA);
}

/* One that is given up does not go on to the end of what it was told of. */
static void test_given_up(void **state) {
        _cleanup_(fd_closep) int fd = create("file");
        HashFollower *follower;

        assert_int_equal(ftruncate(fd, 4 * MIB), 0);
        for (size_t i = 0; i < 100; i++) {
                assert_int_equal(hash_follower_start(fd, &follower), 0);
                if (i % 2 == 0)
                        hash_follower_advance(follower, 4 * MIB);
                hash_follower_free(follower);
        }
}

/* What the follower does. This stands before the functions of the C library. */
static atomic_uint n_holes_asked_for;
static atomic_ullong read_to;

off64_t lseek64(int fd, off64_t offset, int whence) {
        if (whence == SEEK_HOLE)
                n_holes_asked_for++;
        return (off64_t)syscall(SYS_lseek, fd, offset, whence);
}

ssize_t pread64(int fd, void *buffer, size_t size, off64_t offset) {
        const ssize_t n = (ssize_t)syscall(SYS_pread64, fd, buffer, size, offset);

        if (n > 0)
                read_to = (unsigned long long)(offset + n);
        return n;
}

/* Where the end of the data is known it is not asked for again each time that there is more to hash. */
static void test_asks_once(void **state) {
        _cleanup_(fd_closep) int fd = create("file");
        _cleanup_(hash_follower_freep) HashFollower *follower = NULL;
        _cleanup_(freep) uint8_t *bytes = malloc(64 * MIB);
        Sha256Digest digest;

        memset(bytes, 'x', 64 * MIB);
        assert_int_equal(fd_write_all(fd, bytes, 64 * MIB), 0);
        assert_int_equal(hash_follower_start(fd, &follower), 0);
        n_holes_asked_for = 0;
        read_to = 0;
        for (uint64_t offset = 4 * MIB; offset <= 64 * MIB; offset += 4 * MIB) {
                hash_follower_advance(follower, offset);
                while (read_to < offset)
                        (void)sched_yield();
        }
        assert_int_equal(hash_follower_finish(follower, 64 * MIB, &digest), 0);
        assert_int_equal(n_holes_asked_for, 1);
        check_digest(&digest, "file");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                unit_test_in_directory(test_follows),    unit_test_in_directory(test_waits_for_the_limit),
                unit_test_in_directory(test_sizes),      unit_test_in_directory(test_descriptors),
                unit_test_in_directory(test_short_file), unit_test_in_directory(test_given_up),
                unit_test_in_directory(test_asks_once),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
