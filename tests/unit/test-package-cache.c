/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/interrupt.h"
#include "image/package-cache.h"
#include "temporary-directory.h"

#define SHORT_MILLISECONDS 300
#define LONG_MILLISECONDS  20000

/* A child that locks the cache, says so through the pipe, and keeps it until it is told to end. */
static pid_t start_builder(const char *path, int pipe_fds[static 2]) {
        assert_int_equal(pipe2(pipe_fds, O_CLOEXEC), 0);
        const pid_t pid = fork();

        assert_true(pid >= 0);
        if (pid == 0) {
                PackageCache cache;

                /* It must not outlive a test that fails. */
                if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || interrupt_catch() < 0)
                        _exit(1);
                const int r = package_cache_lock(path, true, &cache);
                if (r < 0)
                        _exit(r == -EINTR ? 42 : 1);
                (void)write(pipe_fds[1], "x", 1);
                (void)pause();
                _exit(0);
        }
        return pid;
}

static bool says_so(const int pipe_fds[static 2], int milliseconds) {
        struct pollfd poll_fd = { .fd = pipe_fds[0], .events = POLLIN };

        return poll(&poll_fd, 1, milliseconds) == 1;
}

static int end(pid_t pid) {
        int status;

        assert_int_equal(kill(pid, SIGTERM), 0);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFEXITED(status));
        return WEXITSTATUS(status);
}

static void close_pipe(const int pipe_fds[static 2]) {
        assert_int_equal(close(pipe_fds[0]), 0);
        assert_int_equal(close(pipe_fds[1]), 0);
}

/* The second builder waits until the first one is done, however that ends. */
static void test_one_at_a_time(void **state) {
        int first_pipe[2], second_pipe[2];
        struct stat status;

        const pid_t first = start_builder("above/cache", first_pipe);
        assert_true(says_so(first_pipe, LONG_MILLISECONDS));
        assert_int_equal(stat("above/cache", &status), 0);
        assert_int_equal(status.st_mode & 07777, 0755);

        const pid_t second = start_builder("above/cache", second_pipe);
        assert_false(says_so(second_pipe, SHORT_MILLISECONDS));
        assert_int_equal(end(first), 0);
        assert_true(says_so(second_pipe, LONG_MILLISECONDS));
        assert_int_equal(end(second), 0);
        close_pipe(first_pipe);
        close_pipe(second_pipe);
}

static void test_waiting_is_interrupted(void **state) {
        PackageCache cache;
        int pipe_fds[2];

        assert_int_equal(package_cache_lock("cache", true, &cache), 0);
        const pid_t waiting = start_builder("cache", pipe_fds);
        assert_false(says_so(pipe_fds, SHORT_MILLISECONDS));
        assert_int_equal(end(waiting), 42);
        package_cache_unlock(&cache);
        close_pipe(pipe_fds);
}

static void test_empty(void **state) {
        PackageCache cache;
        struct stat status;

        assert_int_equal(package_cache_empty("cache"), 0);
        assert_int_equal(stat("cache", &status), -1);

        assert_int_equal(package_cache_lock("cache", true, &cache), 0);
        assert_int_equal(mkdir("cache/partial", 0755), 0);
        assert_int_equal(file_write_text(AT_FDCWD, "cache/partial/a.deb", "a", 0644), 0);
        assert_int_equal(file_write_text(AT_FDCWD, "cache/.hidden", "b", 0644), 0);
        package_cache_unlock(&cache);
        assert_int_equal(package_cache_empty("cache"), 0);
        assert_int_equal(rmdir("cache"), 0);
}

/* Whatever package tools make of it. */
static void test_owner(void **state) {
        PackageCache cache, none = { .lock_fd = -EBADF };
        struct stat status;

        if (geteuid() != 0)
                skip();
        assert_int_equal(mkdir("cache", 0755), 0);
        assert_int_equal(chown("cache", 4711, 4712), 0);
        assert_int_equal(package_cache_lock("cache", true, &cache), 0);
        assert_int_equal(chown("cache", 0, 0), 0);
        package_cache_unlock(&cache);
        assert_int_equal(cache.lock_fd, -EBADF);
        assert_int_equal(stat("cache", &status), 0);
        assert_int_equal(status.st_uid, 4711);
        assert_int_equal(status.st_gid, 4712);
        package_cache_unlock(&cache);
        package_cache_unlock(&none);
}

static void test_no_directory(void **state) {
        PackageCache cache;

        assert_int_equal(file_write_text(AT_FDCWD, "file", "a", 0644), 0);
        assert_int_equal(package_cache_lock("file", true, &cache), -ENOTDIR);
        assert_int_equal(package_cache_empty("file"), -ENOTDIR);
}

/* Some network file systems lock no directories. */
static int lock_errno;

int flock(int fd, int operation) {
        if (lock_errno == 0)
                return (int)syscall(SYS_flock, fd, operation);
        errno = lock_errno;
        return -1;
}

static void test_no_locks(void **state) {
        PackageCache cache, other;

        lock_errno = ENOLCK;
        assert_int_equal(package_cache_lock("cache", true, &cache), 0);
        package_cache_unlock(&cache);
        lock_errno = EIO;
        assert_int_equal(package_cache_lock("cache", true, &other), -EIO);
        lock_errno = 0;
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_one_at_a_time, temporary_directory_enter,
                                                temporary_directory_leave),
                cmocka_unit_test_setup_teardown(test_waiting_is_interrupted, temporary_directory_enter,
                                                temporary_directory_leave),
                cmocka_unit_test_setup_teardown(test_owner, temporary_directory_enter,
                                                temporary_directory_leave),
                cmocka_unit_test_setup_teardown(test_empty, temporary_directory_enter,
                                                temporary_directory_leave),
                cmocka_unit_test_setup_teardown(test_no_directory, temporary_directory_enter,
                                                temporary_directory_leave),
                cmocka_unit_test_setup_teardown(test_no_locks, temporary_directory_enter,
                                                temporary_directory_leave),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
