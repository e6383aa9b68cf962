/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/log.h"
#include "base/progress.h"
#include "base/text.h"
#include "capture.h"

static void run(const ProgressOptions *options) {
        _cleanup_(progress_freep) Progress *progress = NULL;

        assert_int_equal(progress_new(options, &progress), 0);
        assert_int_equal(progress_begin(progress, "test", "Testing"), 0);
        progress_detail(progress, "no terminal, so this is not shown");
        progress_expect(progress, PROGRESS_BYTES, 10 * MIB);
        progress_advance(progress, 4 * MIB);
        progress_output(progress, "a\tscript's \033[1mline");
        progress_release(progress);
        progress_end(progress, true);
        progress_print(progress, "in between: %d", 7);
        assert_int_equal(progress_begin(progress, "fail", "Failing"), 0);
        progress_end(progress, false);
        progress_end(progress, true); /* of nothing */
        assert_int_equal(progress_begin(progress, "open", "Staying open"), 0);

        size_t n;
        const ProgressStep *steps = progress_steps(progress, &n);
        assert_int_equal(n, 1);
        assert_string_equal(steps[0].name, "test");
        assert_true(steps[0].seconds >= 0 && steps[0].seconds < 60);
}

static void run_for_people(void) {
        run(&(ProgressOptions){ .json_fd = -EBADF });
}

static void run_quiet(void) {
        run(&(ProgressOptions){ .quiet = true, .json_fd = -EBADF });
}

static void test_lines(void **state) {
        _cleanup_(freep) char *people = capture_stderr(run_for_people), *quiet = capture_stderr(run_quiet);

        assert_string_equal(
                people,
                "‣ Testing…\na script's ?[1mline\n✓ Testing, 0.0s\nin between: 7\n‣ Failing…\n‣ Staying open…\n");
        assert_string_equal(quiet, "");
}

static void test_nobody(void **state) {
        size_t n = 7;

        assert_int_equal(progress_begin(NULL, "a", "b"), 0);
        progress_detail(NULL, "nobody");
        progress_expect(NULL, PROGRESS_ITEMS, 1);
        progress_advance(NULL, 1);
        progress_output(NULL, "nobody");
        progress_release(NULL);
        progress_end(NULL, true);
        progress_print(NULL, "x");
        assert_null(progress_event(NULL, "x"));
        progress_event_end(NULL);
        assert_null(progress_steps(NULL, &n));
        assert_int_equal(n, 0);
}

/* Takes the digits out of a member, which tell a time. */
static void blank_seconds(char *text) {
        for (char *p = text; (p = strstr(p, "\"seconds\":")); p++)
                for (char *c = p + strlen("\"seconds\":"); *c && strchr("0123456789.", *c); c++)
                        *c = '#';
}

static void test_programs(void **state) {
        static const char expected[] =
                "{\"event\":\"step-begin\",\"step\":\"test\",\"text\":\"Testing\"}\n"
                "{\"event\":\"progress\",\"step\":\"test\",\"detail\":\"no terminal, so this is not shown\"}\n"
                "{\"event\":\"output\",\"step\":\"test\",\"line\":\"a\\tscript's \\u001b[1mline\"}\n"
                "{\"event\":\"step-end\",\"step\":\"test\",\"seconds\":#####,\"success\":true}\n"
                "{\"event\":\"step-begin\",\"step\":\"fail\",\"text\":\"Failing\"}\n"
                "{\"event\":\"step-end\",\"step\":\"fail\",\"seconds\":#####,\"success\":false}\n"
                "{\"event\":\"step-begin\",\"step\":\"open\",\"text\":\"Staying open\"}\n"
                "{\"event\":\"step-end\",\"step\":\"open\",\"seconds\":#####,\"success\":false}\n";
        _cleanup_(fd_closep) int fd = memfd_create("json", MFD_CLOEXEC);
        char text[4096] = {};

        run(&(ProgressOptions){ .quiet = true, .json_fd = fd });
        assert_true(pread(fd, text, sizeof(text) - 1, 0) > 0);
        blank_seconds(text);
        assert_string_equal(text, expected);
}

/* Amounts, once a tenth of a second has gone by. */
static void test_amounts(void **state) {
        _cleanup_(fd_closep) int fd = memfd_create("json", MFD_CLOEXEC);
        _cleanup_(progress_freep) Progress *progress = NULL;
        char text[4096] = {};

        assert_int_equal(progress_new(&(ProgressOptions){ .quiet = true, .json_fd = fd }, &progress), 0);
        assert_int_equal(progress_begin(progress, "a", "A"), 0);
        progress_expect(progress, PROGRESS_ITEMS, 7);
        progress_advance(progress, 1);
        (void)usleep(120000);
        progress_advance(progress, 2);
        progress_advance(progress, 3); /* too soon */
        assert_true(pread(fd, text, sizeof(text) - 1, 0) > 0);
        assert_non_null(strstr(text, "\"unit\":\"items\",\"done\":1,\"total\":7,\"seconds\":0.0"));
        assert_non_null(strstr(text, "\"unit\":\"items\",\"done\":3,\"total\":7,\"seconds\":0."));
        assert_null(strstr(text, "\"done\":6"));
}

static void test_no_descriptor(void **state) {
        Progress *progress = NULL;

        assert_int_equal(progress_new(&(ProgressOptions){ .json_fd = 999 }, &progress), -EBADF);
        assert_null(progress);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_lines),         cmocka_unit_test(test_nobody),
                cmocka_unit_test(test_programs),      cmocka_unit_test(test_amounts),
                cmocka_unit_test(test_no_descriptor),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
