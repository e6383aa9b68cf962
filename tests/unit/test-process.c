/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>

#include "base/fd.h"
#include "base/interrupt.h"
#include "base/process.h"
#include "temporary-directory.h"

#define WORDS(...) ((const char *const[]){ __VA_ARGS__, NULL })

static int run(const char *const *argv) {
        return process_run(
                &(ProcessOptions){ .argv = argv, .stdin_fd = -EBADF, .stdout_fd = -EBADF, .quiet = true });
}

static void test_status(void **state) {
        assert_int_equal(run(WORDS("true")), 0);
        assert_int_equal(run(WORDS("sh", "-c", "exit 7")), 7);
        assert_int_equal(run(WORDS("sh", "-c", "kill -9 $$")), 128 + SIGKILL);
        assert_int_equal(run(WORDS("no-such-program-anywhere")), -ENOENT);
        assert_int_equal(run(WORDS("./missing")), -ENOENT);
}

static void test_what_cannot_be_executed(void **state) {
        static const struct {
                const char *text;
                int error;
        } cases[] = {
                { "no first line\n", -ENOEXEC },     { "#!/bin/sh\r\n", -ENOEXEC },
                { "#!/no/interpreter\n", -ENOEXEC }, { "\177ELF of another kind", -ENOEXEC },
                { "#!/bin/sh\nexit 127\n", 127 },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                assert_int_equal(file_write_text(AT_FDCWD, "program", cases[i].text, 0755), 0);
                assert_int_equal(run(WORDS("./program")), cases[i].error);
                assert_int_equal(unlink("program"), 0);
        }
}

static void test_descriptors(void **state) {
        _cleanup_(fd_closep) int in = open("in", O_RDWR | O_CREAT | O_CLOEXEC, 0600),
                                 out = open("out", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        char text[6] = {};

        assert_int_equal(fd_pwrite_all(in, "hello", 5, 0), 0);
        assert_int_equal(
                process_run(&(ProcessOptions){ .argv = WORDS("cat"), .stdin_fd = in, .stdout_fd = out }), 0);
        assert_int_equal(fd_pread_all(out, text, 5, 0), 0);
        assert_string_equal(text, "hello");

        /* Without any: nothing to read, and nothing is kept from it but the standard ones. */
        assert_int_equal(run(WORDS("sh", "-c", "test -z \"$(cat)\"")), 0);
        assert_int_equal(run(WORDS("sh", "-c", "test ! -e /proc/self/fd/9")), 0);
}

static void test_search_path(void **state) {
        assert_int_equal(mkdir("bin", 0755), 0);
        assert_int_equal(file_write_text(AT_FDCWD, "bin/true", "#!/bin/sh\nexit 42\n", 0755), 0);
        assert_int_equal(process_run(&(ProcessOptions){ .argv = WORDS("true"),
                                                        .search_path = "bin",
                                                        .stdin_fd = -EBADF,
                                                        .stdout_fd = -EBADF }),
                         42);
}

static void test_environment(void **state) {
        assert_int_equal(setenv("OURS", "1", 1), 0);
        assert_int_equal(run(WORDS("/bin/sh", "-c", "test \"$OURS\" = 1")), 0);
        assert_int_equal(
                process_run(&(ProcessOptions){
                        .argv = WORDS("/bin/sh", "-c", "test -z \"$OURS\" && test \"$GIVEN\" = 'a=b c'"),
                        .environment = WORDS("GIVEN=a=b c"),
                        .stdin_fd = -EBADF,
                        .stdout_fd = -EBADF,
                }),
                0);
        /* A program is a program, whatever its name looks like. */
        assert_int_equal(mkdir("a=b", 0755), 0);
        assert_int_equal(file_write_text(AT_FDCWD, "a=b/true", "#!/bin/sh\nexit 41\n", 0755), 0);
        assert_int_equal(run(WORDS("a=b/true")), 41);
}

/* In a child, since what is caught stays caught. The program, which ignores what asks it to end, is gone soon all the same. */
static void test_interrupt(void **state) {
        int status;

        const pid_t pid = fork();
        if (pid == 0) {
                struct timespec begin, end;

                if (interrupt_catch() < 0)
                        _exit(2);
                const pid_t killer = fork();
                if (killer == 0) {
                        (void)usleep(200000);
                        (void)kill(getppid(), SIGTERM);
                        _exit(0);
                }
                (void)clock_gettime(CLOCK_MONOTONIC, &begin);
                const int r = run(WORDS("sh", "-c", "trap '' TERM; while :; do sleep 0.1; done"));
                (void)clock_gettime(CLOCK_MONOTONIC, &end);
                (void)waitpid(killer, NULL, 0);
                if (r != -EINTR || waitpid(-1, NULL, WNOHANG) >= 0)
                        _exit(3);
                if (run(WORDS("true")) != -EINTR)
                        _exit(4);
                _exit(end.tv_sec - begin.tv_sec < 30 ? 0 : 5);
        }
        assert_true(pid > 0);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                unit_test_in_directory(test_status),
                unit_test_in_directory(test_what_cannot_be_executed),
                unit_test_in_directory(test_descriptors),
                unit_test_in_directory(test_search_path),
                unit_test_in_directory(test_environment),
                unit_test_in_directory(test_interrupt),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
