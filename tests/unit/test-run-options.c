/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>
#include <unistd.h>

#include "base/strv.h"
#include "client/run-options.h"
#include "unit/exec-command.h"

static int read_words(RunOptions *ret, char *const *words) {
        int argc = 0;

        while (words[argc])
                argc++;
        return run_options_read(argc, (char **)words, ret);
}

#define WORDS(...) ((char *[]){ (char *)"mkosi-run", __VA_ARGS__, NULL })
#define W(word)    ((char *)(word))

static void test_options(void **state) {
        _cleanup_(run_options_done) RunOptions options = {};

        assert_int_equal(read_words(&options, WORDS(W("--wait"), W("-p"), W("A=b"), W("--uid=me"),
                                                    W("--unit=x"), W("-q"), W("ls"), W("-l"), W("--wait"))),
                         0);
        assert_true(options.wait);
        assert_true(options.quiet);
        assert_false(options.pty);
        assert_string_equal(options.unit, "x.service");
        assert_string_equal(options.properties[0], "A=b");
        assert_string_equal(options.properties[1], "User=me");
        assert_null(options.properties[2]);
        /* What stands behind the command belongs to it. */
        assert_string_equal(options.command[0], "ls");
        assert_string_equal(options.command[1], "-l");
        assert_string_equal(options.command[2], "--wait");
}

/* Both together are for scripts; here nobody has a terminal. */
static void test_what_fits(void **state) {
        _cleanup_(run_options_done) RunOptions options = {};

        if (isatty(STDIN_FILENO) && isatty(STDOUT_FILENO) && isatty(STDERR_FILENO))
                skip();
        assert_int_equal(read_words(&options, WORDS(W("--pipe"), W("-t"), W("ls"))), 0);
        assert_true(options.pipe);
        assert_false(options.pty);
}

static void test_refusals(void **state) {
        RunOptions options = {};

        assert_int_equal(read_words(&options, WORDS(W("--wait"))), -EINVAL);
        assert_int_equal(read_words(&options, WORDS(W("-p"), W("A"), W("ls"))), -EINVAL);
        assert_int_equal(read_words(&options, WORDS(W("-p"), W("=a"), W("ls"))), -EINVAL);
        assert_int_equal(read_words(&options, WORDS(W("-E"), W("=a"), W("ls"))), -EINVAL);
        assert_int_equal(read_words(&options, WORDS(W("--unit=a/b"), W("ls"))), -EINVAL);
        assert_int_equal(read_words(&options, WORDS(W("--unit=a@.service"), W("ls"))), -EINVAL);
        assert_int_equal(read_words(&options, WORDS(W("--unit=a.target"), W("ls"))), -EINVAL);
        assert_int_equal(read_words(&options, WORDS(W("--no-block"), W("--wait"), W("ls"))), -EINVAL);
        assert_int_equal(read_words(&options, WORDS(W("--nonsense"), W("ls"))), -EINVAL);
}

/* Whatever the words are, they come out as they were typed. */
static void test_command(void **state) {
        static const char *const words[] = {
                "sh",  "-c", "echo \"$HOME\" '%n' \\", "", " ", ";", "a\nb\tc\x01\x7f", "-", "@", "\"",
                "ä%%", NULL,
        };
        _cleanup_(run_options_done) RunOptions options = {};
        _cleanup_(strv_freep) char **settings = NULL;
        _cleanup_(exec_command_list_done) ExecCommandList list = {};
        const char *line = NULL;
        char *argv[ELEMENTSOF(words) + 1] = { W("mkosi-run") };

        for (size_t i = 0; i < ELEMENTSOF(words); i++)
                argv[i + 1] = W(words[i]);
        assert_int_equal(read_words(&options, argv), 0);
        assert_int_equal(run_options_unit(&options, NULL, &settings), 0);
        for (char **setting = settings; *setting; setting++)
                if (strncmp(*setting, "ExecStart=", 10) == 0)
                        line = *setting + 10;
        assert_non_null(line);
        assert_int_equal(exec_command_parse(line, "a.service", &list, NULL), 0);
        assert_int_equal(list.n_items, 1);
        assert_int_equal(list.items[0].path[0], '/');
        assert_int_equal(list.items[0].flags, EXEC_COMMAND_LITERAL);
        assert_true(strv_equal(STRV(list.items[0].argv), words));
}

static void test_environment(void **state) {
        _cleanup_(run_options_done) RunOptions options = {};
        _cleanup_(strv_freep) char **settings = NULL;

        assert_int_equal(setenv("MKOSI_TEST_SET", "from here", 1), 0);
        assert_int_equal(unsetenv("MKOSI_TEST_UNSET"), 0);
        assert_int_equal(read_words(&options, WORDS(W("-E"), W("A=b c\"%"), W("-E"), W("MKOSI_TEST_SET"),
                                                    W("-E"), W("MKOSI_TEST_UNSET"), W("true"))),
                         0);
        assert_int_equal(run_options_unit(&options, "/dev/pts/7", &settings), 0);
        assert_true(strv_contains(STRV(settings), "Environment=\"A=b c\\\"%%\""));
        assert_true(strv_contains(STRV(settings), "Environment=\"MKOSI_TEST_SET=from here\""));
        assert_true(strv_contains(STRV(settings), "TTYPath=/dev/pts/7"));
        assert_true(strv_contains(STRV(settings), "StandardError=tty"));
        for (char **setting = settings; *setting; setting++)
                assert_null(strstr(*setting, "MKOSI_TEST_UNSET"));
}

static void test_no_such_program(void **state) {
        _cleanup_(run_options_done) RunOptions options = {};
        char **settings = NULL;

        assert_int_equal(read_words(&options, WORDS(W("mkosi-no-such-program"))), 0);
        assert_int_equal(run_options_unit(&options, NULL, &settings), -ENOENT);
        assert_null(settings);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_options),     cmocka_unit_test(test_what_fits),
                cmocka_unit_test(test_refusals),    cmocka_unit_test(test_command),
                cmocka_unit_test(test_environment), cmocka_unit_test(test_no_such_program),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
