/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "client/run-detach.h"

/* What the process that runs says to the test. */
typedef struct Ends {
        int read_fd, write_fd;
} Ends;

static Ends ends_new(void) {
        int fds[2];

        assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
        return (Ends){ .read_fd = fds[0], .write_fd = fds[1] };
}

static pid_t read_pid(Ends *ends) {
        pid_t pid = 0;

        ends->write_fd = fd_close(ends->write_fd);
        assert_int_equal(read(ends->read_fd, &pid, sizeof(pid)), sizeof(pid));
        return pid;
}

static int answer(int detach_fd, void *userdata) {
        return *(const int *)userdata;
}

static void test_answers(void **state) {
        assert_int_equal(run_detachable(answer, &(int){ 0 }), 0);
        assert_int_equal(run_detachable(answer, &(int){ 217 }), 217);
        assert_int_equal(run_detachable(answer, &(int){ -EIO }), EXIT_FAILURE);
}

static int die(int detach_fd, void *userdata) {
        (void)raise(SIGKILL);
        return 0;
}

static void test_killed(void **state) {
        assert_int_equal(run_detachable(die, NULL), -ECANCELED);
}

/* Goes on alone: without whoever has waited, in a session of its own, and with nothing open that is the terminal's. */
static int go_on(int detach_fd, void *userdata) {
        const Ends *const ends = userdata;
        const pid_t self = getpid();
        char path[64] = "";

        (void)close(ends->read_fd);
        if (run_detach(detach_fd) < 0)
                return 1;
        (void)signal(SIGTERM, SIG_IGN);
        if (getsid(0) != self || readlink("/proc/self/fd/0", path, sizeof(path) - 1) < 0 ||
            write(ends->write_fd, &self, sizeof(self)) != sizeof(self))
                return 1;
        /* Longer than the test lives, if nobody ends it. */
        (void)sleep(600);
        return 0;
}

static void test_detached(void **state) {
        Ends ends = ends_new();

        assert_int_equal(run_detachable(go_on, &ends), 0);
        const pid_t pid = read_pid(&ends);
        assert_true(pid > 0);
        assert_int_equal(waitpid(pid, NULL, WNOHANG), 0);
        assert_int_equal(getsid(pid), pid);
        assert_int_equal(kill(pid, SIGKILL), 0);
        assert_int_equal(waitpid(pid, NULL, 0), pid);
        (void)fd_close(ends.read_fd);
}

static int wait_for_signal(int detach_fd, void *userdata) {
        const int number = *(const int *)userdata;
        sigset_t wanted;
        int found;

        (void)sigemptyset(&wanted);
        (void)sigaddset(&wanted, number);
        (void)sigprocmask(SIG_BLOCK, &wanted, NULL);
        if (kill(getppid(), number) < 0 || sigwait(&wanted, &found) != 0)
                return 1;
        return found;
}

/* What is sent to the one who waits comes to the one who runs. */
static void test_signals(void **state) {
        static const int numbers[] = { SIGTERM, SIGINT, SIGHUP };

        for (size_t i = 0; i < ELEMENTSOF(numbers); i++) {
                int number = numbers[i];

                assert_int_equal(run_detachable(wait_for_signal, &number), number);
        }
}

static int say_and_wait(int detach_fd, void *userdata) {
        const Ends *const ends = userdata;
        const pid_t self = getpid();

        (void)close(ends->read_fd);
        if (write(ends->write_fd, &self, sizeof(self)) != sizeof(self))
                return 1;
        (void)sleep(600);
        return 0;
}

/* Who waits is killed: nobody goes on. The pipe ends when both are gone. */
static void test_dies_with_us(void **state) {
        Ends ends = ends_new();
        char byte;

        const pid_t waiting = fork();
        if (waiting == 0)
                _exit(run_detachable(say_and_wait, &ends) & 0xff);
        const pid_t pid = read_pid(&ends);
        assert_true(pid > 0 && pid != waiting);
        assert_int_equal(kill(waiting, SIGKILL), 0);
        assert_int_equal(waitpid(waiting, NULL, 0), waiting);
        assert_int_equal(read(ends.read_fd, &byte, 1), 0);
        (void)fd_close(ends.read_fd);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_answers),      cmocka_unit_test(test_killed),
                cmocka_unit_test(test_detached),     cmocka_unit_test(test_signals),
                cmocka_unit_test(test_dies_with_us),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
