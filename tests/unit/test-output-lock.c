/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>

#include "base/fd.h"
#include "base/file-lock.h"
#include "base/interrupt.h"
#include "base/text.h"
#include "capture.h"
#include "image/output-lock.h"
#include "temporary-directory.h"

static void test_nobody(void **state) {
        _cleanup_(fd_closep) int fd = -EBADF;

        assert_int_equal(output_lock("image", false, &fd), 0);
        assert_int_equal(fd, -EBADF);
        assert_int_equal(file_write_text(AT_FDCWD, "image", "", 0600), 0);
        assert_int_equal(output_lock("image", false, &fd), 0);
        assert_true(fd >= 0);
}

static void expect_refusal(void) {
        int fd = -EBADF;

        assert_int_equal(output_lock("image", false, &fd), -EBUSY);
        assert_int_equal(fd, -EBADF);
}

/* Who has it is named; who waits gets it when it is given up, or is interrupted. */
static void test_taken(void **state) {
        _cleanup_(freep) char *said = NULL, *expected = NULL;
        int held, fd = -EBADF, status;
        pid_t holder;

        assert_int_equal(file_write_text(AT_FDCWD, "image", "", 0600), 0);
        assert_int_equal(file_lock_path("image", FILE_LOCK_SHARED, &held, &holder), 1);
        said = capture_stderr(expect_refusal);
        assert_int_equal(text_format(&expected, "image is being run by process %d: ", (int)getpid()), 0);
        assert_non_null(strstr(said, expected));

        for (unsigned interrupted = 0; interrupted < 2; interrupted++) {
                const pid_t pid = fork();

                assert_true(pid >= 0);
                if (pid == 0) {
                        (void)close(held);
                        if (interrupt_catch() < 0 || (interrupted && raise(SIGTERM) != 0))
                                _exit(1);
                        const int answer = output_lock("image", true, &fd);
                        _exit(answer == (interrupted ? -EINTR : 0) && (fd >= 0) == !interrupted ? 0 : 2);
                }
                if (!interrupted)
                        (void)close(held);
                assert_int_equal(waitpid(pid, &status, 0), pid);
                assert_int_equal(status, 0);
                if (!interrupted)
                        assert_int_equal(file_lock_path("image", FILE_LOCK_SHARED, &held, &holder), 1);
        }
        (void)close(held);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                unit_test_in_directory(test_nobody),
                unit_test_in_directory(test_taken),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
