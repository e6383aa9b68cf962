/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/fd.h"
#include "base/file-lock.h"
#include "temporary-directory.h"

/* A process that has the lock until it is killed. */
static pid_t hold(const char *path, FileLock lock) {
        int ready[2];
        char byte;

        assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
        const pid_t pid = fork();
        assert_true(pid >= 0);
        if (pid == 0) {
                pid_t holder;
                int fd;

                if (file_lock_path(path, lock, &fd, &holder) != 1 || write(ready[1], "x", 1) != 1)
                        _exit(1);
                for (;;)
                        (void)pause();
        }
        (void)close(ready[1]);
        assert_int_equal(read(ready[0], &byte, 1), 1);
        (void)close(ready[0]);
        return pid;
}

static void end(pid_t pid) {
        assert_int_equal(kill(pid, SIGKILL), 0);
        assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void assert_lock(const char *path, FileLock lock, int expected, pid_t expected_holder) {
        _cleanup_(fd_closep) int fd = -EBADF;
        pid_t holder = -1;

        assert_int_equal(file_lock_path(path, lock, &fd, &holder), expected);
        assert_int_equal(fd >= 0, expected > 0);
        assert_int_equal(holder, expected_holder);
        assert_true(fd < 0 || (fcntl(fd, F_GETFD) & FD_CLOEXEC));
}

static void assert_excludes(const char *path) {
        pid_t holder = hold(path, FILE_LOCK_EXCLUSIVE);

        assert_lock(path, FILE_LOCK_EXCLUSIVE, 0, holder);
        assert_lock(path, FILE_LOCK_SHARED, 0, holder);
        /* It dies with who had it. */
        end(holder);
        assert_lock(path, FILE_LOCK_EXCLUSIVE, 1, -1);

        holder = hold(path, FILE_LOCK_SHARED);
        assert_lock(path, FILE_LOCK_SHARED, 1, -1);
        assert_lock(path, FILE_LOCK_EXCLUSIVE, 0, holder);
        end(holder);
        assert_lock(path, FILE_LOCK_EXCLUSIVE, 1, -1);
}

static void test_excludes(void **state) {
        assert_int_equal(file_write_text(AT_FDCWD, "file", "", 0600), 0);
        assert_int_equal(mkdir("directory", 0700), 0);
        assert_excludes("file");
        assert_excludes("directory");
        assert_lock("missing", FILE_LOCK_SHARED, -ENOENT, -1);
}

/* What is executed does not keep it. */
static void test_is_not_inherited(void **state) {
        int ready[2], fd;
        pid_t holder;
        char byte;

        assert_int_equal(file_write_text(AT_FDCWD, "file", "", 0600), 0);
        assert_int_equal(file_lock_path("file", FILE_LOCK_EXCLUSIVE, &fd, &holder), 1);
        assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
        const pid_t pid = fork();
        assert_true(pid >= 0);
        if (pid == 0) {
                (void)execlp("sleep", "sleep", "1000", NULL);
                _exit(1);
        }
        /* The end of the pipe: it was executed. */
        (void)close(ready[1]);
        assert_int_equal(read(ready[0], &byte, 1), 0);
        (void)close(ready[0]);
        (void)close(fd);
        assert_lock("file", FILE_LOCK_EXCLUSIVE, 1, -1);
        end(pid);
}

/* Of a descriptor. The one who has it is ourselves here. */
static void test_descriptor(void **state) {
        _cleanup_(fd_closep) int fd = open("file", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        _cleanup_(fd_closep) int other = open("file", O_RDONLY | O_CLOEXEC);
        pid_t holder = -1;

        assert_int_equal(file_lock(fd, FILE_LOCK_EXCLUSIVE, &holder), 1);
        assert_int_equal(file_lock(other, FILE_LOCK_SHARED, &holder), 0);
        assert_int_equal(holder, getpid());
        assert_int_equal(file_lock(-EBADF, FILE_LOCK_SHARED, &holder), -EBADF);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                unit_test_in_directory(test_excludes),
                unit_test_in_directory(test_is_not_inherited),
                unit_test_in_directory(test_descriptor),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
