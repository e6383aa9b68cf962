/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file-lock.h"
#include "manager/hand-over.h"
#include "temporary-directory.h"

static int open_here(void) {
        const int fd = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        assert_true(fd >= 0);
        return fd;
}

/* A process that shares the lock, and goes when it is asked for what is below its base. */
static pid_t start_holder(const char *base) {
        int ready[2];
        char byte;
        pid_t holder;

        assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
        const pid_t pid = fork();
        if (pid == 0) {
                const int fd = open_here();

                if (file_lock(fd, FILE_LOCK_SHARED, &holder) != 1 || write(ready[1], "", 1) != 1)
                        _exit(1);
                while (!hand_over_is_asked(fd, base))
                        (void)usleep(1000);
                _exit(0);
        }
        assert_int_equal(read(ready[0], &byte, 1), 1);
        (void)fd_close(ready[0]);
        (void)fd_close(ready[1]);
        return pid;
}

static void test_given(void **state) {
        _cleanup_(fd_closep) int fd = open_here();
        const pid_t first = start_holder("/base"), second = start_holder("/base");
        pid_t holder = 0;

        assert_false(hand_over_is_asked(fd, "/base"));
        assert_int_equal(file_lock(fd, FILE_LOCK_EXCLUSIVE, &holder), 0);
        assert_int_equal(hand_over_ask(fd, "/base", &holder), 1);
        assert_int_equal(waitpid(first, NULL, 0), first);
        assert_int_equal(waitpid(second, NULL, 0), second);
        assert_int_equal(access(HAND_OVER_FILE, F_OK), -1);

        _cleanup_(fd_closep) int other = open_here();
        assert_int_equal(file_lock(other, FILE_LOCK_SHARED, &holder), 0);
}

/* Who has another base stays; nobody waits for ever. */
static void test_kept(void **state) {
        _cleanup_(fd_closep) int fd = open_here();
        const pid_t pid = start_holder("/elsewhere");
        pid_t holder = 0;

        assert_int_equal(hand_over_ask(fd, "/base", &holder), 0);
        assert_int_equal(holder, pid);
        assert_int_equal(access(HAND_OVER_FILE, F_OK), -1);
        assert_int_equal(kill(pid, SIGKILL), 0);
        assert_int_equal(waitpid(pid, NULL, 0), pid);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                unit_test_in_directory(test_given),
                unit_test_in_directory(test_kept),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
