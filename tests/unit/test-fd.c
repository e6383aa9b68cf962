/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "temporary-directory.h"

static void test_whole_files(void **state) {
        _cleanup_(freep) char *text = NULL;
        struct stat status;
        size_t size;

        assert_int_equal(file_write_text(AT_FDCWD, "a", "first, long", 0600), 0);
        assert_int_equal(file_write(AT_FDCWD, "a", "x\0y", 3, 0644), 0);
        assert_int_equal(stat("a", &status), 0);
        assert_int_equal(status.st_mode & 07777, 0644);
        assert_int_equal(file_read(AT_FDCWD, "a", 3, &text, &size), 0);
        assert_int_equal(size, 3);
        assert_memory_equal(text, "x\0y", 4);

        char *other = NULL;
        assert_int_equal(file_read(AT_FDCWD, "a", 2, &other, &size), -EFBIG);
        assert_int_equal(file_read(AT_FDCWD, "a", 100, &other, NULL), -EBADMSG);
        assert_int_equal(file_read(AT_FDCWD, ".", 100, &other, NULL), -EISDIR);
        assert_int_equal(file_read(AT_FDCWD, "/dev/null", 100, &other, NULL), -EINVAL);
        assert_int_equal(file_read(AT_FDCWD, "missing", 100, &other, NULL), -ENOENT);
        assert_null(other);

        assert_int_equal(symlink("a", "link"), 0);
        assert_int_equal(file_write_text(AT_FDCWD, "link", "x", 0644), -ELOOP);
}

/* Its size is said to be 0. */
static void test_file_of_proc(void **state) {
        _cleanup_(freep) char *text = NULL;

        assert_int_equal(file_read(AT_FDCWD, "/proc/self/mountinfo", MIB, &text, NULL), 0);
        assert_non_null(strchr(text, '\n'));
}

/* Closed descriptors are filled, and only those; they refuse what they are for. */
static void test_fill_standard(void **state) {
        int wait_status;

        const pid_t pid = fork();
        if (pid == 0) {
                char byte = 0;

                (void)close(STDIN_FILENO);
                (void)close(STDERR_FILENO);
                if (fd_fill_standard() < 0 || fcntl(STDIN_FILENO, F_GETFD) != 0 ||
                    fcntl(STDERR_FILENO, F_GETFD) != 0 || read(STDIN_FILENO, &byte, 1) >= 0 ||
                    write(STDERR_FILENO, &byte, 1) >= 0)
                        _exit(1);
                _exit(open("new", O_WRONLY | O_CREAT | O_CLOEXEC, 0600) > STDERR_FILENO ? 0 : 2);
        }
        assert_int_equal(waitpid(pid, &wait_status, 0), pid);
        assert_int_equal(wait_status, 0);
}

static void test_positions(void **state) {
        _cleanup_(fd_closep) int fd = open("a", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        char buffer[8];

        assert_int_equal(fd_write_all(fd, "12345678", 8), 0);
        assert_int_equal(fd_pwrite_all(fd, "ab", 2, 4), 0);
        assert_int_equal(fd_pread_all(fd, buffer, 4, 3), 0);
        assert_memory_equal(buffer, "4ab7", 4);
        assert_int_equal(fd_pread_all(fd, buffer, 4, 5), -ENODATA);
        assert_int_equal(fd_close(-EBADF), -EBADF);
}

/* Data, hole, data: the copy has the same bytes, and takes no room for the hole. */
static void test_copy_range(void **state) {
        _cleanup_(fd_closep) int from = open("from", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        _cleanup_(fd_closep) int to = open("to", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        struct stat status;
        char buffer[4];

        assert_int_equal(fd_pwrite_all(from, "head", 4, 0), 0);
        assert_int_equal(fd_pwrite_all(from, "tail", 4, 64 * MIB), 0);
        assert_int_equal(ftruncate(to, 100 * MIB), 0);
        assert_int_equal(fd_copy_range(from, 0, to, MIB, 64 * MIB + 4), 0);
        assert_int_equal(fd_pread_all(to, buffer, 4, MIB), 0);
        assert_memory_equal(buffer, "head", 4);
        assert_int_equal(fd_pread_all(to, buffer, 4, 65 * MIB), 0);
        assert_memory_equal(buffer, "tail", 4);
        assert_int_equal(fstat(to, &status), 0);
        assert_true((uint64_t)status.st_blocks * 512 < MIB);

        assert_int_equal(fd_copy_range(from, 2, to, 0, 2), 0);
        assert_int_equal(fd_pread_all(to, buffer, 2, 0), 0);
        assert_memory_equal(buffer, "ad", 2);
        assert_int_equal(fd_copy_range(from, 1, to, 0, 64 * MIB + 4), -ENODATA);
}

static void test_find_data(void **state) {
        static const struct {
                uint64_t position, end, data, hole;
        } cases[] = {
                { 0, 10 * MIB, 4 * MIB, 6 * MIB },
                { 4 * MIB + 7, 10 * MIB, 4 * MIB + 7, 6 * MIB },
                { 0, 5 * MIB, 4 * MIB, 5 * MIB },
                { 0, MIB, MIB, MIB },
                { 6 * MIB, 10 * MIB, 10 * MIB, 10 * MIB },
                { 10 * MIB, 11 * MIB, 11 * MIB, 11 * MIB },
                { 3, 3, 3, 3 },
        };
        _cleanup_(freep) char *bytes = calloc(1, 2 * MIB);
        _cleanup_(fd_closep) int fd = open("file", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        uint64_t data = 1, hole = 2;

        assert_int_equal(fd_pwrite_all(fd, bytes, 2 * MIB, 4 * MIB), 0);
        assert_int_equal(ftruncate(fd, 10 * MIB), 0);
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                assert_int_equal(fd_find_data(fd, cases[i].position, cases[i].end, &data, &hole), 0);
                assert_int_equal(data, cases[i].data);
                assert_int_equal(hole, cases[i].hole);
        }
        assert_int_equal(fd_find_data(-EBADF, 0, 1, &data, &hole), -EBADF);
        assert_int_equal(fd_find_data_beyond(fd, 0, 5 * MIB, &data, &hole), 0);
        assert_int_equal(data, 4 * MIB);
        assert_int_equal(hole, 6 * MIB);
        assert_int_equal(fd_find_data_beyond(fd, 0, MIB, &data, &hole), 0);
        assert_int_equal(data, MIB);
        assert_int_equal(hole, MIB);
}

static void test_extend(void **state) {
        _cleanup_(fd_closep) int fd = open("a", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        _cleanup_(fd_closep) int device = open("/dev/null", O_RDWR | O_CLOEXEC);
        struct stat status;

        assert_int_equal(fd_extend(fd, 10 * MIB), 0);
        assert_int_equal(fd_extend(fd, MIB), 0);
        assert_int_equal(fstat(fd, &status), 0);
        assert_int_equal(status.st_size, 10 * MIB);
        assert_int_equal(status.st_blocks, 0);
        assert_int_equal(fd_extend(fd, UINT64_MAX), -EFBIG);
        assert_int_equal(fd_extend(device, 10), 0);
        assert_int_equal(fd_extend(-1, 10), -EBADF);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                unit_test_in_directory(test_whole_files),   unit_test_in_directory(test_file_of_proc),
                unit_test_in_directory(test_fill_standard), unit_test_in_directory(test_positions),
                unit_test_in_directory(test_copy_range),    unit_test_in_directory(test_find_data),
                unit_test_in_directory(test_extend),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
