/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sched.h>
#include <zstd.h>

#include "base/fd.h"
#include "format/compress.h"
#include "temporary-directory.h"

static int write_sample(const char *name, size_t size) {
        const int fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        _cleanup_(freep) uint32_t *data = calloc(size / 4 + 1, 4);

        for (size_t i = 0; i < size / 4; i++)
                data[i] = (uint32_t)(i * i) & 0xff00ff;
        assert_int_equal(fd_write_all(fd, data, size), 0);
        return fd;
}

static size_t read_all(const char *name, char **ret) {
        size_t size;

        assert_int_equal(file_read(AT_FDCWD, name, 64 * MIB, ret, &size), 0);
        return size;
}

static void compress_to(int from, const char *name) {
        _cleanup_(fd_closep) int to = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

        assert_int_equal(compress_zstd(from, to, 9), 0);
}

static void test_round_trip(void **state) {
        static const size_t sizes[] = { 0, 1, 131072, 20 * 1024 * 1024 + 5 };

        for (size_t i = 0; i < ELEMENTSOF(sizes); i++) {
                _cleanup_(fd_closep) int from = write_sample("sample", sizes[i]);
                _cleanup_(freep) char *plain = NULL, *packed = NULL, *back = malloc(sizes[i] + 1);

                compress_to(from, "packed");
                assert_int_equal(read_all("sample", &plain), sizes[i]);
                const size_t packed_size = read_all("packed", &packed);
                assert_int_equal(ZSTD_decompress(back, sizes[i] + 1, packed, packed_size), sizes[i]);
                assert_memory_equal(back, plain, sizes[i]);
                assert_int_equal(unlink("sample"), 0);
        }
}

/* One processor or all of them: the same bytes. */
static void test_same_bytes(void **state) {
        _cleanup_(fd_closep) int from = write_sample("sample", 20 * 1024 * 1024);
        _cleanup_(freep) char *all = NULL, *one = NULL;
        cpu_set_t before, first;

        compress_to(from, "all");
        assert_int_equal(sched_getaffinity(0, sizeof(before), &before), 0);
        CPU_ZERO(&first);
        for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
                if (CPU_ISSET(cpu, &before)) {
                        CPU_SET(cpu, &first);
                        break;
                }
        assert_int_equal(sched_setaffinity(0, sizeof(first), &first), 0);
        compress_to(from, "one");
        assert_int_equal(sched_setaffinity(0, sizeof(before), &before), 0);

        const size_t size = read_all("all", &all);
        assert_int_equal(read_all("one", &one), size);
        assert_memory_equal(all, one, size);
}

static void test_errors(void **state) {
        _cleanup_(fd_closep) int from = write_sample("sample", 100000),
                                 full = open("/dev/full", O_WRONLY | O_CLOEXEC);

        assert_int_equal(compress_zstd(from, full, 9), -ENOSPC);
        assert_int_equal(compress_zstd(-1, full, 9), -EBADF);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                unit_test_in_directory(test_round_trip),
                unit_test_in_directory(test_same_bytes),
                unit_test_in_directory(test_errors),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
