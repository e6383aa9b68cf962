/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <cmocka.h>
#include <pty.h>

#include "base/fd.h"
#include "base/interrupt.h"
#include "base/terminal.h"

#define QUESTION "Say it: "

/* What the child found: its exit status, since it has no other way to tell. */
enum {
        SAID_IT,
        SAID_ELSE,
        SAID_NOTHING,
        TOO_MUCH,
        ENDED,
        INTERRUPTED,
        NO_TERMINAL,
        FAILED,
        ECHO_OFF,
};

static int judge(int r, const Secret *secret, const char *expected) {
        switch (r) {
        case 0:
                if (secret->size == 0)
                        return SAID_NOTHING;
                return secret->size == strlen(expected) && memcmp(secret->bytes, expected, secret->size) == 0
                               ? SAID_IT
                               : SAID_ELSE;
        case -EMSGSIZE:
                return TOO_MUCH;
        case -ENODATA:
                return ENDED;
        case -EINTR:
                return INTERRUPTED;
        case -ENOTTY:
                return NO_TERMINAL;
        default:
                return FAILED;
        }
}

/* Asks two times, the second time for "after": nothing of the first answer may be in the way. */
static int ask(const char *expected, bool again) {
        _cleanup_(secret_freep) Secret *secret = NULL, *after = NULL;
        struct termios terminal;

        if (interrupt_catch() < 0)
                return FAILED;
        int r = terminal_ask_secret(QUESTION, 8, &secret);
        const int said = judge(r, secret, expected);
        if (tcgetattr(STDIN_FILENO, &terminal) < 0 || !(terminal.c_lflag & ECHO))
                return ECHO_OFF;
        if (!again)
                return said;
        r = terminal_ask_secret(QUESTION, 8, &after);
        return judge(r, after, "after") == SAID_IT ? said : FAILED;
}

/* Up to a text, or to the end. */
static void read_until(int fd, const char *text, char screen[static 4096], size_t *size) {
        while (!text || !strstr(screen, text)) {
                const ssize_t n = read(fd, screen + *size, 4095 - *size);

                if (n <= 0 && !text)
                        break;
                assert_true(n > 0);
                *size += (size_t)n;
        }
}

/* Runs ask() at a terminal of its own where the text is typed once the question is there; ret_screen is what was to be
 * seen. */
static int type(const char *text, const char *expected, bool again, char **ret_screen) {
        char *screen = calloc(1, 4096);
        size_t size = 0;
        int status, fd;

        assert_non_null(screen);
        const pid_t pid = forkpty(&fd, NULL, NULL, NULL);
        assert_true(pid >= 0);
        if (pid == 0)
                _exit(ask(expected, again));

        read_until(fd, QUESTION, screen, &size);
        assert_int_equal(fd_write_all(fd, text, strlen(text)), 0);
        read_until(fd, NULL, screen, &size);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        (void)fd_close(fd);
        assert_true(WIFEXITED(status));
        *ret_screen = screen;
        return WEXITSTATUS(status);
}

static void test_answers(void **state) {
        static const struct {
                const char *typed, *expected;
                bool again;
                int result;
        } cases[] = {
                { "secret\nafter\n", "secret", true, SAID_IT },
                { "12345678\nafter\n", "12345678", true, SAID_IT },
                { "two wds\nafter\n", "two wds", true, SAID_IT },
                { "other\n", "secret", false, SAID_ELSE },
                { "\nafter\n", "", true, SAID_NOTHING },
                { "123456789 and more\nafter\n", "", true, TOO_MUCH },
                { "\004", "", false, ENDED },
                { "sec\003", "", false, INTERRUPTED },
                /* What is typed can be corrected. */
                { "wrong\025secret\n", "secret", false, SAID_IT },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(freep) char *screen = NULL;

                assert_int_equal(type(cases[i].typed, cases[i].expected, cases[i].again, &screen),
                                 cases[i].result);
                assert_null(strstr(screen, "sec"));
                assert_null(strstr(screen, "after"));
                assert_null(strstr(screen, "1234"));
        }
}

/* Asks two times, and takes its time between. */
static int ask_slowly(void) {
        _cleanup_(terminal_hush_done) TerminalHush hush = {};
        _cleanup_(secret_freep) Secret *first = NULL, *second = NULL;
        struct pollfd event = { .fd = STDIN_FILENO, .events = POLLIN };

        if (terminal_hush(&hush) < 0 || terminal_ask_secret(QUESTION, 8, &first) < 0)
                return FAILED;
        if (fd_write_all(STDERR_FILENO, "Wait", 4) < 0 || poll(&event, 1, 10000) != 1)
                return FAILED;
        const int r = terminal_ask_secret(QUESTION, 8, &second);
        return judge(r, second, "second");
}

/* What comes before it is asked for is an answer all the same, and not shown. */
static void test_typed_ahead(void **state) {
        char screen[4096] = "";
        size_t size = 0;
        int status, fd;

        const pid_t pid = forkpty(&fd, NULL, NULL, NULL);
        assert_true(pid >= 0);
        if (pid == 0)
                _exit(ask_slowly());
        read_until(fd, QUESTION, screen, &size);
        assert_int_equal(fd_write_all(fd, "first\n", 6), 0);
        read_until(fd, "Wait", screen, &size);
        assert_int_equal(fd_write_all(fd, "second\n", 7), 0);
        read_until(fd, NULL, screen, &size);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        (void)fd_close(fd);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), SAID_IT);
        assert_null(strstr(screen, "first"));
        assert_null(strstr(screen, "second"));
}

static void test_no_terminal(void **state) {
        _cleanup_(fd_closep) int null = open("/dev/null", O_RDONLY | O_CLOEXEC), kept = dup(STDIN_FILENO);
        _cleanup_(secret_freep) Secret *secret = NULL;

        assert_int_equal(dup2(null, STDIN_FILENO), STDIN_FILENO);
        const bool there = terminal_is_there();
        const int r = terminal_ask_secret(QUESTION, 8, &secret);
        assert_int_equal(dup2(kept, STDIN_FILENO), STDIN_FILENO);
        assert_false(there);
        assert_int_equal(r, -ENOTTY);
        assert_null(secret);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_answers),
                cmocka_unit_test(test_typed_ahead),
                cmocka_unit_test(test_no_terminal),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
