/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/interrupt.h"

static void test_question(void **state) {
        struct pollfd poll_fd = { .fd = interrupt_fd(), .events = POLLIN };

        assert_int_equal(interrupt_fd(), -EBADF);
        assert_true(signal(SIGHUP, SIG_IGN) != SIG_ERR); /* as nohup does */
        assert_true(signal(SIGINT, SIG_DFL) != SIG_ERR); /* whoever runs the tests may ignore it */
        assert_true(signal(SIGTERM, SIG_DFL) != SIG_ERR);
        assert_int_equal(interrupt_catch(), 0);
        poll_fd.fd = interrupt_fd();
        assert_int_equal(interrupt_check(), 0);
        assert_int_equal(poll(&poll_fd, 1, 0), 0);

        assert_int_equal(raise(SIGHUP), 0);
        assert_int_equal(interrupt_check(), 0);
        assert_int_equal(raise(SIGTERM), 0);
        assert_int_equal(raise(SIGINT), 0);
        assert_int_equal(interrupt_check(), -EINTR);
        assert_int_equal(interrupt_signal(), SIGTERM);
        assert_int_equal(poll(&poll_fd, 1, 0), 1);

        /* The next one is noticed anew, and the first one not forgotten. */
        interrupt_rearm();
        assert_int_equal(poll(&poll_fd, 1, 0), 0);
        interrupt_rearm();
        assert_int_equal(interrupt_check(), -EINTR);
        assert_int_equal(raise(SIGINT), 0);
        assert_int_equal(poll(&poll_fd, 1, 0), 1);
        assert_int_equal(interrupt_signal(), SIGTERM);
}

/* Children die of signals again, but for those that were ignored from the start. Runs after the test above, which
 * catches the others. */
static void test_reset(void **state) {
        const pid_t pid = fork();
        int status;

        if (pid == 0) {
                interrupt_reset();
                (void)raise(SIGHUP);
                (void)raise(SIGINT);
                _exit(0);
        }
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGINT);
}

int main(void) {
        const struct CMUnitTest tests[] = { cmocka_unit_test(test_question), cmocka_unit_test(test_reset) };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
