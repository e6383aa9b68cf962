/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

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

#define TIMEOUT_MS 20000

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

/* A process whose standard input and output are the descriptors, with a console: what the console's other side gets is
 * answered in capitals. "end" ends it. */
static pid_t start(int in, int out) {
        const pid_t pid = fork();

        assert_true(pid >= 0);
        if (pid > 0)
                return pid;
        Console *console;
        char line[256];
        if (dup2(in, STDIN_FILENO) < 0 || dup2(out, STDOUT_FILENO) < 0 || console_new(&console) < 0 ||
            console_start(console) < 0)
                _exit(1);
        FILE *slave = fdopen(dup(console->slave_fd), "r+");
        while (slave && fgets(line, sizeof(line), slave) && strcmp(line, "end\n") != 0) {
                (void)fprintf(slave, "got %s", line);
                (void)fflush(slave);
        }
        (void)write(console->slave_fd, "last words\n", strlen("last words\n"));
        (void)fclose(slave);
        console_free(console);
        _exit(0);
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
        assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
        (void)close(slave_fd);
        (void)close(master_fd);
        (void)close(out[0]);
        (void)close(out[1]);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_pipes),
                cmocka_unit_test(test_terminal),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
