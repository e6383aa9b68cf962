/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "manager-fixture.h"
#include "manager/log-pipe.h"
#include "manager/service.h"

typedef struct Lines {
        char *texts[16];
        char priorities[16];
        size_t n_lines;
} Lines;

static int on_record(const LogRecord *record, void *userdata) {
        const LogField *const message = log_record_find(record, "MESSAGE"), *const priority = log_record_find(
                                                                                    record, "PRIORITY");
        Lines *const lines = userdata;

        assert_true(lines->n_lines < ELEMENTSOF(lines->texts));
        lines->texts[lines->n_lines] = strndup(message->value, message->size);
        lines->priorities[lines->n_lines++] = *(const char *)priority->value;
        return 0;
}

static void write_text(int fd, const char *text) {
        assert_int_equal(fd_write_all(fd, text, strlen(text)), 0);
}

static void test_lines(void **state) {
        static const char *const unit_assignments[] = { "ExecStart=/bin/true", NULL };
        static const char *const expected[] = { "one", "two", "in pieces", "bad", "the end" };
        _cleanup_(fd_closep) int fd = -EBADF;
        ManagerFixture fixture;
        ManagedUnit *unit;
        LogPipe *pipe;
        Lines lines = {};

        if (!fixture_begin(&fixture, *state)) {
                fixture_end(&fixture);
                skip();
        }
        assert_int_equal(log_store_open("log", &fixture.manager->log, NULL), 0);
        assert_int_equal(
                manager_add_transient(fixture.manager, "t.service", unit_assignments, NULL, &unit, NULL), 0);
        managed_unit_hold(unit);
        assert_int_equal(log_pipe_open(unit, "fifo", &pipe), 0);
        fd = open("fifo", O_RDWR | O_CLOEXEC);
        assert_true(fd >= 0);
        write_text(fd, "one\ntwo\n\nin ");
        fixture_run(&fixture);
        write_text(fd, "pieces\n<3>bad\nthe end");
        fixture_run(&fixture);
        log_pipe_free(pipe);

        assert_int_equal(log_store_read("log", &(LogQuery){ .n_last = SIZE_MAX }, on_record, &lines, NULL),
                         0);
        assert_int_equal(lines.n_lines, ELEMENTSOF(expected));
        for (size_t i = 0; i < lines.n_lines; i++) {
                assert_string_equal(lines.texts[i], expected[i]);
                assert_int_equal(lines.priorities[i], i == 3 ? '3' : '6');
                free(lines.texts[i]);
        }
        managed_unit_let_go(unit);
        fixture_run(&fixture);
        fixture_end(&fixture);
}

static void test_not_a_fifo(void **state) {
        ManagerFixture fixture;
        LogPipe *pipe;

        if (!fixture_begin(&fixture, *state)) {
                fixture_end(&fixture);
                skip();
        }
        assert_int_equal(file_write_text(AT_FDCWD, "file", "", 0644), 0);
        assert_int_equal(symlink("/dev/null", "link"), 0);
        assert_int_equal(log_pipe_open(fixture_find(&fixture, "a.slice"), "file", &pipe), -EINVAL);
        assert_int_equal(log_pipe_open(fixture_find(&fixture, "a.slice"), "link", &pipe), -ELOOP);
        log_pipe_read(NULL);
        fixture_end(&fixture);
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                unit_test_in_directory(test_lines),
                unit_test_in_directory(test_not_a_fifo),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
