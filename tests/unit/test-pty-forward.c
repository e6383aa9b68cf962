/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <systemd/sd-event.h>
#include <termios.h>
#include <unistd.h>

#include "base/fd.h"
#include "client/pty-forward.h"

/* Our standard input and output while a test runs, and the service's terminal. */
typedef struct Fixture {
        sd_event *event;
        int saved[2];
        int input_fd, output_fd; /* of whoever sits in front of us */
        int master_fd, fd;
        char *path;
        PtyForward *forward;
        int ended;
} Fixture;

static void on_end(int r, void *userdata) {
        Fixture *fixture = userdata;

        assert_int_equal(fixture->ended, 1);
        fixture->ended = r;
        (void)sd_event_exit(fixture->event, 0);
}

/* The descriptors become ours. */
static void begin(Fixture *fixture, int input_fd, int output_fd) {
        *fixture = (Fixture){ .ended = 1 };
        assert_int_equal(sd_event_new(&fixture->event), 0);
        assert_int_equal(pty_open(&fixture->master_fd, &fixture->fd, &fixture->path), 0);
        for (int fd = 0; fd < 2; fd++) {
                fixture->saved[fd] = fcntl(fd, F_DUPFD_CLOEXEC, 10);
                assert_true(fixture->saved[fd] >= 0);
        }
        assert_int_equal(dup2(input_fd, STDIN_FILENO), STDIN_FILENO);
        assert_int_equal(dup2(output_fd, STDOUT_FILENO), STDOUT_FILENO);
        assert_int_equal(
                pty_forward_new(fixture->event, fixture->master_fd, on_end, fixture, &fixture->forward), 0);
}

static void finish(Fixture *fixture) {
        pty_forward_free(fixture->forward);
        for (int fd = 0; fd < 2; fd++) {
                assert_int_equal(dup2(fixture->saved[fd], fd), fd);
                (void)fd_close(fixture->saved[fd]);
        }
        (void)fd_close(fixture->master_fd);
        (void)fd_close(fixture->fd);
        free(fixture->path);
        sd_event_unref(fixture->event);
}

/* Turns of the loop until nothing is ready any more. */
static void turn(Fixture *fixture) {
        while (sd_event_run(fixture->event, 100 * 1000) > 0 &&
               sd_event_get_state(fixture->event) != SD_EVENT_FINISHED)
                ;
}

static void assert_read(int fd, const char *expected) {
        char text[256] = {};
        const ssize_t n = read(fd, text, sizeof(text) - 1);

        assert_int_equal(n, strlen(expected));
        assert_string_equal(text, expected);
}

static void test_both_ways(void **state) {
        int in[2], out[2];
        Fixture fixture;

        assert_int_equal(pipe2(in, O_CLOEXEC), 0);
        assert_int_equal(pipe2(out, O_CLOEXEC), 0);
        begin(&fixture, in[0], out[1]);
        assert_int_equal(write(fixture.fd, "said\n", 5), 5);
        assert_int_equal(write(in[1], "typed\n", 6), 6);
        turn(&fixture);
        assert_read(fixture.fd, "typed\n");
        /* A terminal ends lines as terminals do, and shows what is typed. */
        assert_read(out[0], "said\r\ntyped\r\n");

        /* The end of what is typed is the end for whoever reads at the terminal. */
        (void)fd_close(in[1]);
        turn(&fixture);
        assert_int_equal(read(fixture.fd, (char[1]){}, 1), 0);

        /* The last words are shown. */
        assert_int_equal(write(fixture.fd, "bye", 3), 3);
        pty_forward_finish(fixture.forward);
        assert_int_equal(fixture.ended, 0);
        assert_read(out[0], "bye");
        finish(&fixture);
        (void)fd_close(in[0]);
        (void)fd_close(out[0]);
        (void)fd_close(out[1]);
}

/* Three in time, at a terminal; and the terminal is left as it was found, and the service with its own. */
static void test_let_go(void **state) {
        struct termios before, after;
        struct winsize size = { .ws_row = 17, .ws_col = 91 }, seen;
        int master_fd, fd;
        char *path;
        Fixture fixture;

        assert_int_equal(pty_open(&master_fd, &fd, &path), 0);
        assert_int_equal(ioctl(master_fd, TIOCSWINSZ, &size), 0);
        assert_int_equal(tcgetattr(fd, &before), 0);
        begin(&fixture, fd, fd);
        assert_int_equal(ioctl(fixture.fd, TIOCGWINSZ, &seen), 0);
        assert_int_equal(seen.ws_row, 17);
        assert_int_equal(seen.ws_col, 91);
        assert_int_equal(tcgetattr(fd, &after), 0);
        assert_false(after.c_lflag & (ICANON | ECHO | ISIG));

        assert_int_equal(write(master_fd, "\x1d\x1dx\x1d", 4), 4);
        turn(&fixture);
        assert_int_equal(fixture.ended, 1);
        assert_int_equal(write(master_fd, "x\x1d\x1d\x1d", 4), 4);
        turn(&fixture);
        assert_int_equal(fixture.ended, -ECANCELED);
        finish(&fixture);
        assert_int_equal(tcgetattr(fd, &after), 0);
        assert_int_equal(before.c_iflag, after.c_iflag);
        assert_int_equal(before.c_oflag, after.c_oflag);
        assert_int_equal(before.c_cflag, after.c_cflag);
        assert_int_equal(before.c_lflag, after.c_lflag);
        assert_memory_equal(before.c_cc, after.c_cc, sizeof(before.c_cc));
        assert_false(fcntl(fd, F_GETFL) & O_NONBLOCK);
        (void)fd_close(master_fd);
        (void)fd_close(fd);
        free(path);
}

/* Files are always ready, which epoll(7) does not know. */
static void test_files(void **state) {
        Fixture fixture;

        const int in = memfd_create("in", MFD_CLOEXEC), out = memfd_create("out", MFD_CLOEXEC);
        assert_true(in >= 0 && out >= 0);
        assert_int_equal(pwrite(in, "words\n", 6, 0), 6);
        begin(&fixture, in, out);
        turn(&fixture);
        assert_read(fixture.fd, "words\n");
        pty_forward_finish(fixture.forward);
        assert_int_equal(fixture.ended, 0);
        finish(&fixture);
        assert_int_equal(lseek(out, 0, SEEK_SET), 0);
        assert_read(out, "words\r\n");
        (void)fd_close(in);
        (void)fd_close(out);
}

/* Before everybody has closed the other side, there is no end; then it is once all is shown. */
static void test_follow(void **state) {
        int in[2], out[2];
        Fixture fixture;

        assert_int_equal(pipe2(in, O_CLOEXEC), 0);
        assert_int_equal(pipe2(out, O_CLOEXEC), 0);
        begin(&fixture, in[0], out[1]);
        pty_forward_follow(fixture.forward);
        turn(&fixture);
        assert_int_equal(fixture.ended, 1);
        assert_int_equal(write(fixture.fd, "bye", 3), 3);
        fixture.fd = fd_close(fixture.fd);
        turn(&fixture);
        assert_int_equal(fixture.ended, 0);
        assert_read(out[0], "bye");
        finish(&fixture);
        for (unsigned i = 0; i < 2; i++) {
                (void)fd_close(in[i]);
                (void)fd_close(out[i]);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_both_ways),
                cmocka_unit_test(test_let_go),
                cmocka_unit_test(test_files),
                cmocka_unit_test(test_follow),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
