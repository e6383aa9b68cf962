/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "foreign-program.h"
#include "format/stream.h"
#include "temporary-directory.h"

static int create(const char *path) {
        const int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

        assert_true(fd >= 0);
        return fd;
}

static Stream *stream_into(int fd, const Compressor *compressor) {
        Stream *stream;

        assert_int_equal(stream_new(&(StreamOptions){ .fd = fd, .compressor = compressor }, &stream), 0);
        return stream;
}

/* The hash is what sha256sum finds in the file, and the size what is in it. */
static void check_result(const StreamResult *result, const char *path) {
        _cleanup_(freep) char *output = FOREIGN_CHECK("sha256sum", path);
        char text[2 * SHA256_SIZE + 1];
        struct stat status;

        sha256_format(&result->digest, text);
        output[2 * SHA256_SIZE] = '\0';
        assert_string_equal(output, text);
        assert_int_equal(stat(path, &status), 0);
        assert_int_equal(result->size, status.st_size);
}

static void unpack(const Compressor *compressor, const char *packed) {
        if (compressor)
                free(FOREIGN_CHECK(compressor->name, "-q", "-d", "-f", packed));
        else
                assert_int_equal(rename(packed, "packed"), 0);
}

/* What goes through every compressor, and through none: pieces of all sizes, zeros, ranges of a file. */
static void feed(Stream *stream, int from, uint64_t from_size) {
        uint8_t bytes[7000];

        for (size_t i = 0; i < sizeof(bytes); i++)
                bytes[i] = (uint8_t)(i * i >> 3);
        for (size_t i = 0; i < 2000; i++)
                assert_int_equal(stream_write(stream, bytes, i * 31 % sizeof(bytes)), 0);
        assert_int_equal(stream_write_zeros(stream, 100), 0);
        assert_int_equal(stream_write_zeros(stream, 3 * MIB + 1), 0);
        assert_int_equal(stream_write_zeros(stream, 0), 0);
        assert_int_equal(stream_write_file(stream, from, 1000, from_size - 1000, NULL), 0);
        assert_int_equal(stream_write(stream, "end", 3), 0);
        assert_int_equal(stream_write_zeros(stream, MIB), 0);
}

static int create_source(void) {
        const int fd = create("source");

        assert_int_equal(fd_pwrite_all(fd, "begin", 5, 998), 0);
        assert_int_equal(fd_pwrite_all(fd, "middle", 6, 5 * MIB), 0);
        assert_int_equal(ftruncate(fd, 20 * MIB + 3), 0);
        return fd;
}

static void test_all_ways(void **state) {
        _cleanup_(fd_closep) int from = create_source();

        for (size_t i = 0; i == 0 || compressors[i - 1]; i++) {
                const Compressor *compressor = i == 0 ? NULL : compressors[i - 1];
                const char *first = "expected";
                StreamResult result = {};
                char path[32];

                (void)snprintf(path, sizeof(path), "packed%s", compressor ? compressor->suffix : ".raw");
                _cleanup_(fd_closep) int fd = create(path);
                _cleanup_(stream_freep) Stream *stream = stream_into(fd, compressor);
                feed(stream, from, 20 * MIB + 3);
                assert_int_equal(stream_finish(stream, &result), 0);
                check_result(&result, path);
                unpack(compressor, path);
                if (i == 0)
                        assert_int_equal(rename("packed", first), 0);
                else
                        free(FOREIGN_CHECK("cmp", first, "packed"));
        }
}

/* A file keeps its holes on the way, also one that ends in a hole; the hash does not tell them from zeros. */
static void test_holes(void **state) {
        _cleanup_(fd_closep) int from = create("source"), fd = create("copy");
        _cleanup_(stream_freep) Stream *stream = stream_into(fd, NULL);
        StreamResult result;
        struct stat status;

        assert_int_equal(fd_pwrite_all(from, "data", 4, 300 * MIB), 0);
        assert_int_equal(ftruncate(from, 700 * MIB + 5), 0);
        assert_int_equal(stream_write_file(stream, from, 0, 700 * MIB + 5, NULL), 0);
        assert_int_equal(stream_finish(stream, &result), 0);
        check_result(&result, "copy");
        free(FOREIGN_CHECK("cmp", "source", "copy"));
        assert_int_equal(fstat(fd, &status), 0);
        assert_true(status.st_blocks * 512 <= 64 * 1024);
}

/* Behind what is in the file already, which zeros must not let through, and where a file has no holes: a pipe, and one
 * that is appended to. */
static void test_no_holes(void **state) {
        static const int flags[] = { O_WRONLY, O_WRONLY | O_APPEND };
        _cleanup_(freep) char *noise = malloc(MIB), *found = NULL, *zeros = calloc(1, MIB);
        size_t size;

        memset(noise, 0xa5, MIB);
        for (size_t i = 0; i < ELEMENTSOF(flags); i++) {
                assert_int_equal(file_write(AT_FDCWD, "file", noise, MIB, 0600), 0);
                _cleanup_(fd_closep) int fd = open("file", flags[i] | O_CLOEXEC);
                _cleanup_(stream_freep) Stream *stream = stream_into(fd, NULL);
                const size_t before = flags[i] & O_APPEND ? MIB : 0;
                StreamResult result;

                assert_int_equal(stream_write_zeros(stream, 100000), 0);
                assert_int_equal(stream_finish(stream, &result), 0);
                free(found);
                assert_int_equal(file_read(AT_FDCWD, "file", 4 * MIB, &found, &size), 0);
                assert_int_equal(size, before > 0 ? MIB + 100000 : MIB);
                assert_memory_equal(found + before, zeros, 100000);
        }

        int ends[2];
        assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
        _cleanup_(fd_closep) int reader = ends[0], writer = ends[1];
        _cleanup_(stream_freep) Stream *stream = stream_into(writer, NULL);
        StreamResult result;
        assert_int_equal(stream_write_zeros(stream, 50000), 0);
        assert_int_equal(stream_finish(stream, &result), 0);
        assert_int_equal(read(reader, noise, MIB), 50000);
        assert_memory_equal(noise, zeros, 50000);
}

static void test_empty(void **state) {
        _cleanup_(fd_closep) int fd = create("empty");
        _cleanup_(stream_freep) Stream *stream = stream_into(fd, NULL);
        StreamResult result;

        assert_int_equal(stream_finish(stream, &result), 0);
        assert_int_equal(result.size, 0);
        check_result(&result, "empty");
}

/* The error of the file is the answer sooner or later, and from then on; a result is not given. */
static void test_full(void **state) {
        for (size_t i = 0; i == 0 || compressors[i - 1]; i++) {
                _cleanup_(fd_closep) int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);
                const Compressor *compressor = i == 0 ? NULL : compressors[i - 1];
                _cleanup_(stream_freep) Stream *small = stream_into(fd, compressor),
                                               *large = stream_into(fd, compressor);
                StreamResult result = { .size = 12345 };
                char bytes[10000] = "bytes";
                int r = 0;

                assert_int_equal(stream_write(small, bytes, 5), 0);
                assert_int_equal(stream_finish(small, &result), -ENOSPC);
                assert_int_equal(result.size, 12345);

                if (!compressor) {
                        for (size_t n = 0; r == 0 && n < 10000; n++)
                                r = stream_write(large, bytes, sizeof(bytes));
                        assert_int_equal(r, -ENOSPC);
                        assert_int_equal(stream_write(large, bytes, 1), -ENOSPC);
                        assert_int_equal(stream_write_zeros(large, MIB), -ENOSPC);
                        assert_int_equal(stream_write_file(large, fd, 0, 0, NULL), -ENOSPC);
                        assert_int_equal(stream_finish(large, &result), -ENOSPC);
                }
        }
}

/* A file that cannot become so long fails at its hole too. */
static void test_limit(void **state) {
        _cleanup_(fd_closep) int fd = create("limited");
        _cleanup_(stream_freep) Stream *stream = stream_into(fd, NULL);
        struct rlimit before, limit;
        StreamResult result;

        assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
        limit = (struct rlimit){ .rlim_cur = MIB, .rlim_max = before.rlim_max };
        assert_ptr_not_equal(signal(SIGXFSZ, SIG_IGN), SIG_ERR);
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
        assert_int_equal(stream_write_zeros(stream, 2 * MIB), 0);
        assert_int_equal(stream_finish(stream, &result), -EFBIG);
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
}

static void test_source_errors(void **state) {
        _cleanup_(fd_closep) int fd = create("file"), from = create_source();

        _cleanup_(stream_freep) Stream *one = stream_into(fd, NULL), *two = stream_into(fd, NULL);
        StreamResult result;
        assert_int_equal(stream_write_file(one, from, 0, 20 * MIB + 4, NULL), -ENODATA);
        assert_int_equal(stream_write(one, "x", 1), -ENODATA);
        assert_int_equal(stream_finish(one, &result), -ENODATA);
        _cleanup_(fd_closep) int directory = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        assert_int_equal(stream_write_file(two, directory, 0, 0, NULL), -EINVAL);
}

/* One that is given up leaves no thread waiting, full or not. */
static void test_given_up(void **state) {
        for (size_t i = 0; i == 0 || compressors[i - 1]; i++) {
                _cleanup_(fd_closep) int fd = create("file");
                _cleanup_(freep) char *bytes = calloc(1, 4 * MIB);
                const Compressor *compressor = i == 0 ? NULL : compressors[i - 1];
                _cleanup_(stream_freep) Stream *used = stream_into(fd, compressor);

                stream_free(stream_into(fd, compressor));
                assert_int_equal(stream_write(used, bytes, 4 * MIB), 0);
                assert_int_equal(stream_write_zeros(used, GIB / 16), 0);
        }
        stream_free(NULL);
}

static void test_level(void **state) {
        const StreamOptions options = { .fd = -EBADF, .compressor = &compressor_gzip, .level = 12 };
        Stream *stream;

        assert_int_equal(stream_new(&options, &stream), -ERANGE);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                unit_test_in_directory(test_all_ways),      unit_test_in_directory(test_holes),
                unit_test_in_directory(test_no_holes),      unit_test_in_directory(test_empty),
                unit_test_in_directory(test_full),          unit_test_in_directory(test_limit),
                unit_test_in_directory(test_source_errors), unit_test_in_directory(test_given_up),
                unit_test_in_directory(test_level),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
