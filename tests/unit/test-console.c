/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/interrupt.h"
#include "run/console.h"

#define TIMEOUT_MS   20000
#define KEYS_PRESSED 9
#define OTHER_FD     3

/* Reads until the text has come. */
static void expect(int fd, const char *text) {
        char buffer[1024] = "";
        size_t n = 0;

        while (!strstr(buffer, text)) {
                struct pollfd poll_fd = { .fd = fd, .events = POLLIN };

                assert_int_equal(poll(&poll_fd, 1, TIMEOUT_MS), 1);
                assert_true(n < sizeof(buffer) - 1);
                const ssize_t size = read(fd, buffer + n, sizeof(buffer) - 1 - n);
                if (size <= 0)
                        fail_msg("Ended with \"%s\"", buffer);
                n += (size_t)size;
        }
}

/* Ends the process when the keys ask for that. */
static bool line_comes(const Console *console) {
        struct pollfd fds[] = { { .fd = console->slave_fd, .events = POLLIN },
                                { .fd = console->control_fd, .events = POLLIN } };

        if (poll(fds, ELEMENTSOF(fds), -1) < 0)
                _exit(1);
        if (fds[1].revents)
                _exit(KEYS_PRESSED);
        return true;
}

/* A process whose standard input and output are the descriptors, with a console: what the console's other side gets is
 * answered in capitals. "end" ends it. The other
 * descriptor is one that it has open besides, and into which it writes who copies. */
static pid_t start_with(int in, int out, int other) {
        const pid_t pid = fork();

        assert_true(pid >= 0);
        if (pid > 0)
                return pid;
        Console *console;
        char line[256];
        /* Of pipes, it is not to have both ends. */
        if (dup2(in, STDIN_FILENO) < 0 || dup2(out, STDOUT_FILENO) < 0 || dup2(other, OTHER_FD) < 0 ||
            close_range(OTHER_FD + 1, UINT_MAX, 0) < 0)
                _exit(1);
        if (console_new(&console) < 0 || console_start(console) < 0 ||
            (other != STDERR_FILENO && write(OTHER_FD, &console->copier, sizeof(pid_t)) < 0))
                _exit(1);
        FILE *slave = fdopen(dup(console->slave_fd), "r+");
        while (slave && line_comes(console) && fgets(line, sizeof(line), slave) &&
               strcmp(line, "end\n") != 0) {
                (void)fprintf(slave, "got %s", line);
                (void)fflush(slave);
        }
        (void)write(console->slave_fd, "last words\n", strlen("last words\n"));
        (void)fclose(slave);
        console_free(console);
        _exit(0);
}

static pid_t start(int in, int out) {
        return start_with(in, out, STDERR_FILENO);
}

static int end(pid_t pid) {
        int status;

        assert_int_equal(waitpid(pid, &status, 0), pid);
        return status;
}

/* Both ways, and nothing of what was written last is lost. */
static void test_pipes(void **state) {
        int in[2], out[2];

        assert_true(pipe2(in, O_CLOEXEC) == 0 && pipe2(out, O_CLOEXEC) == 0);
        const pid_t pid = start(in[0], out[1]);
        (void)close(in[0]);
        (void)close(out[1]);
        assert_int_equal(write(in[1], "hello\n", 6), 6);
        expect(out[0], "got hello\r\n");
        assert_int_equal(write(in[1], "end\n", 4), 4);
        expect(out[0], "last words\r\n");
        assert_int_equal(end(pid), 0);
        (void)close(in[1]);
        (void)close(out[0]);
}

/* A terminal is raw while it is used, has its size told, and is given back as it was. */
static void test_terminal(void **state) {
        const struct winsize size = { .ws_row = 7, .ws_col = 77 };
        struct termios before, after;
        int out[2];

        const int master_fd = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
        assert_true(master_fd >= 0 && grantpt(master_fd) == 0 && unlockpt(master_fd) == 0);
        const int slave_fd = open(ptsname(master_fd), O_RDWR | O_NOCTTY | O_CLOEXEC);
        assert_true(slave_fd >= 0 && pipe2(out, O_CLOEXEC) == 0);
        assert_int_equal(ioctl(slave_fd, TIOCSWINSZ, &size), 0);
        assert_int_equal(tcgetattr(slave_fd, &before), 0);

        pid_t pid = start(slave_fd, out[1]);
        assert_int_equal(write(master_fd, "hello\n", 6), 6);
        expect(out[0], "got hello\r\n");
        assert_int_equal(tcgetattr(slave_fd, &after), 0);
        assert_false(after.c_lflag & (ICANON | ECHO | ISIG));
        assert_int_equal(write(master_fd, "end\n", 4), 4);
        assert_int_equal(end(pid), 0);
        assert_int_equal(tcgetattr(slave_fd, &after), 0);
        assert_int_equal(after.c_lflag, before.c_lflag);

        /* Three times the key, and it ends. */
        pid = start(slave_fd, out[1]);
        assert_int_equal(write(master_fd, "\x1d\x1d\x1d", 3), 3);
        const int status = end(pid);
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) == KEYS_PRESSED);
        (void)close(slave_fd);
        (void)close(master_fd);
        (void)close(out[0]);
        (void)close(out[1]);
}

/* Who has our output is gone: as if somebody had ended us, and what runs need not wait for a reader meanwhile. */
static void test_nobody_reads(void **state) {
        int in[2], out[2];

        assert_true(pipe2(in, O_CLOEXEC) == 0 && pipe2(out, O_CLOEXEC) == 0);
        const pid_t pid = start(in[0], out[1]);
        (void)close(in[0]);
        (void)close(out[1]);
        (void)close(out[0]);
        assert_int_equal(write(in[1], "hello\n", 6), 6);
        const int status = end(pid);
        assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
        (void)close(in[1]);
}

static void expect_raw(int fd) {
        struct termios now;

        do
                assert_int_equal(tcgetattr(fd, &now), 0);
        while ((now.c_lflag & ICANON) && poll(NULL, 0, 10) == 0);
}

/* When its parent is killed the copier gives the terminal back, and has nothing of it open before that. */
static void test_parent_is_killed(void **state) {
        struct termios before, after;
        int out[2], other[2];
        pid_t copier;

        const int master_fd = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
        assert_true(master_fd >= 0 && grantpt(master_fd) == 0 && unlockpt(master_fd) == 0);
        const int slave_fd = open(ptsname(master_fd), O_RDWR | O_NOCTTY | O_CLOEXEC);
        assert_true(slave_fd >= 0 && pipe2(out, O_CLOEXEC) == 0 && pipe2(other, O_CLOEXEC) == 0);
        assert_int_equal(tcgetattr(slave_fd, &before), 0);

        struct pollfd gone = { .fd = other[0], .events = POLLIN }, ended = { .fd = out[0] };
        const pid_t pid = start_with(slave_fd, out[1], other[1]);
        (void)close(out[1]);
        (void)close(other[1]);
        assert_int_equal(read(other[0], &copier, sizeof(copier)), sizeof(copier));
        expect_raw(slave_fd);
        assert_int_equal(kill(copier, SIGSTOP), 0);
        assert_int_equal(kill(pid, SIGKILL), 0);
        (void)end(pid);
        assert_int_equal(poll(&gone, 1, TIMEOUT_MS), 1);
        assert_int_equal(kill(copier, SIGCONT), 0);
        assert_int_equal(poll(&ended, 1, TIMEOUT_MS), 1);
        assert_int_equal(tcgetattr(slave_fd, &after), 0);
        assert_int_equal(after.c_lflag, before.c_lflag);
        (void)close(slave_fd);
        (void)close(master_fd);
        (void)close(out[0]);
        (void)close(other[0]);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_pipes),
                cmocka_unit_test(test_terminal),
                cmocka_unit_test(test_nobody_reads),
                cmocka_unit_test(test_parent_is_killed),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
