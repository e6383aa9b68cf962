/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/strv.h"
#include "base/text.h"
#include "unit/exec-command.h"

/* A command as one text: flags by their marks, the path, and the words in brackets. */
static char *command_format(const ExecCommand *command) {
        _cleanup_(freep) char *words = NULL;
        char *text;

        assert_int_equal(strv_join(STRV(command->argv), "][", &words), 0);
        assert_int_equal(text_format(&text, "%s%s%s%s%s [%s]",
                                     command->flags & EXEC_COMMAND_IGNORE_FAILURE ? "-" : "",
                                     command->flags & EXEC_COMMAND_LITERAL ? ":" : "",
                                     command->flags & EXEC_COMMAND_UNCONFINED ? "+" : "",
                                     command->flags & EXEC_COMMAND_NO_USER ? "!" : "", command->path, words),
                         0);
        return text;
}

static void test_one(void **state) {
        static const struct {
                const char *line, *command;
        } cases[] = {
                { "/bin/true", "/bin/true [/bin/true]" },
                { "  /bin/echo  a \t b ", "/bin/echo [/bin/echo][a][b]" },
                { "echo a", "echo [echo][a]" },
                { "-/bin/false", "-/bin/false [/bin/false]" },
                { "@/bin/sh shell -c x", "/bin/sh [shell][-c][x]" },
                { "-@/bin/sh shell", "-/bin/sh [shell]" },
                { "+/bin/id", "+/bin/id [/bin/id]" },
                { "!/bin/id", "!/bin/id [/bin/id]" },
                { "!!/bin/id", "/bin/id [/bin/id]" },
                { ":/bin/echo $A", ":/bin/echo [/bin/echo][$A]" },
                { "-:+@/bin/id me", "-:+/bin/id [me]" },
                { "/bin/echo -a", "/bin/echo [/bin/echo][-a]" },
                { "/bin/echo \"a b\" 'c d'", "/bin/echo [/bin/echo][a b][c d]" },
                { "/bin/echo a\"b c\"d'e'", "/bin/echo [/bin/echo][ab cde]" },
                { "/bin/echo \"a'b\" 'c\"d'", "/bin/echo [/bin/echo][a'b][c\"d]" },
                { "/bin/echo \"\" ''", "/bin/echo [/bin/echo][][]" },
                { "\"/bin/with blank\" a", "/bin/with blank [/bin/with blank][a]" },
                { "/bin/echo a\\x20b\\040c\\sd", "/bin/echo [/bin/echo][a b c d]" },
                { "/bin/echo \\a\\b\\f\\n\\r\\t\\v\\\\\\\"\\'",
                  "/bin/echo [/bin/echo][\a\b\f\n\r\t\v\\\"']" },
                { "/bin/echo '\\u00e4\\u20ac\\U0001f600\\u0041'", "/bin/echo [/bin/echo][ä€😀A]" },
                { "/bin/echo \\ud800 \\U00110000 \\u00 \\x0",
                  "/bin/echo [/bin/echo][\\ud800][\\U00110000][\\u00][\\x0]" },
                /* What escapes nothing is what a regular expression has, and NUL never gets in. */
                { "/bin/sed s/\\.// \\$A \\d+ \\x00 \\000 \\400 \\xZZ \\",
                  "/bin/sed [/bin/sed][s/\\.//][\\$A][\\d+][\\x00][\\000][\\400][\\xZZ][\\]" },
                { "/bin/find -exec {} \\; a;b", "/bin/find [/bin/find][-exec][{}][;][a;b]" },
                { "/bin/echo \";\" ';'", "/bin/echo [/bin/echo][;][;]" },
                { "/bin/echo %I %% %n", "/bin/echo [/bin/echo][in st][%][a@in\\x20st.service]" },
                { "/bin/%p x", "/bin/a [/bin/a][x]" },
        };
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(exec_command_list_done) ExecCommandList list = {};
                _cleanup_(freep) char *command = NULL;

                assert_int_equal(exec_command_parse(cases[i].line, "a@in\\x20st.service", &list, NULL), 0);
                assert_int_equal(list.n_items, 1);
                command = command_format(&list.items[0]);
                assert_string_equal(command, cases[i].command);
        }
}

static void test_several(void **state) {
        _cleanup_(exec_command_list_done) ExecCommandList list = {};
        static const char *const expected[] = { "/bin/a [/bin/a][x]", "-/bin/b [/bin/b]",
                                                "/bin/c [/bin/c][;]", "/bin/d [/bin/d]" };

        assert_int_equal(exec_command_parse("/bin/a x ; -/bin/b ; /bin/c \\; ;", "a.service", &list, NULL),
                         0);
        assert_int_equal(exec_command_parse("/bin/d", "a.service", &list, NULL), 0);
        assert_int_equal(list.n_items, ELEMENTSOF(expected));
        for (size_t i = 0; i < list.n_items; i++) {
                _cleanup_(freep) char *command = command_format(&list.items[i]);

                assert_string_equal(command, expected[i]);
        }
}

/* A line with a mistake adds nothing, not even what comes before it. */
static void test_mistakes(void **state) {
        static const struct {
                const char *line, *reason;
        } cases[] = {
                { "", "no program is named" },
                { "   ", "no program is named" },
                { ";", "no program is named" },
                { "-", "no program is named" },
                { "\"\"", "no program is named" },
                { "/bin/a ; -@", "no program is named" },
                { "bin/a", "\"bin/a\" is neither an absolute path nor a name alone" },
                { "../a", "\"../a\" is neither an absolute path nor a name alone" },
                { "@/bin/a", "the name that \"@\" announces is missing" },
                { "+!/bin/a", "\"+\" and \"!\" exclude each other" },
                { "!+/bin/a", "\"+\" and \"!\" exclude each other" },
                { "/bin/a \"x", "a quote (\") has no end" },
                { "/bin/a 'x\\'", "a quote (') has no end" },
                { "/bin/b ; /bin/a 100%", "\"%\" at the end; a percent sign is written \"%%\"" },
        };
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(exec_command_list_done) ExecCommandList list = {};
                _cleanup_(reason_done) Reason reason = {};

                assert_int_equal(exec_command_parse("/bin/true", "a.service", &list, NULL), 0);
                assert_int_equal(exec_command_parse(cases[i].line, "a.service", &list, &reason), -EINVAL);
                assert_string_equal(reason_text(&reason, -EINVAL), cases[i].reason);
                assert_int_equal(list.n_items, 1);
        }
}

static void test_limit(void **state) {
        _cleanup_(exec_command_list_done) ExecCommandList list = {};
        _cleanup_(freep) char *line = malloc(20000);
        char *end = stpcpy(line, "/bin/a");

        for (size_t i = 0; i < 4096; i++)
                end = stpcpy(end, " a");
        assert_int_equal(exec_command_parse(line, "a.service", &list, NULL), -E2BIG);
        end[-2] = '\0';
        assert_int_equal(exec_command_parse(line, "a.service", &list, NULL), 0);
        assert_int_equal(strv_length(STRV(list.items[0].argv)), 4096);
}

static void test_expand(void **state) {
        static const char *const environment[] = { "ONE=one", "TWO=two words", "QUOTED='a b' c",
                                                   "EMPTY=",  "BROKEN=a 'b",   "ONE=last",
                                                   "A1_=x",   "DOLLAR=$ONE",   NULL };
        static const struct {
                const char *words, *expanded, *missing;
        } cases[] = {
                { "$ONE", "last", "" },
                { "${ONE}", "last", "" },
                { "x${ONE}y${A1_}z", "xlastyxz", "" },
                { "$TWO", "two|words", "" },
                { "${TWO}", "two words", "" },
                { "$QUOTED", "a b|c", "" },
                { "${QUOTED}", "'a b' c", "" },
                { "$BROKEN", "a|'b", "" },
                { "a $EMPTY b", "a|b", "" },
                { "a ${EMPTY} b", "a||b", "" },
                { "a $NONE b", "a|b", "NONE" },
                { "a ${NONE}${NONE} ${OTHER} b", "a|||b", "NONE|OTHER" },
                { "x$ONE $ONE-y", "x$ONE|$ONE-y", "" },
                { "$$ $$ONE $${ONE} a$$", "$|$ONE|${ONE}|a$", "" },
                { "$ ${ ${} ${1} $1 ${ONE", "$|${|${}|${1}|$1|${ONE", "" },
                { "$DOLLAR ${DOLLAR}", "$ONE|$ONE", "" },
                { "${ÄON}", "${ÄON}", "" },
        };
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(strv_freep) char **argv = NULL, **expanded = NULL, **missing = NULL;
                _cleanup_(freep) char *joined = NULL, *joined_missing = NULL;

                assert_int_equal(strv_split(cases[i].words, " ", &argv), 0);
                assert_int_equal(exec_command_expand(STRV(argv), environment, &expanded, &missing), 0);
                assert_int_equal(strv_join(STRV(expanded), "|", &joined), 0);
                assert_string_equal(joined, cases[i].expanded);
                assert_int_equal(strv_join(STRV(missing), "|", &joined_missing), 0);
                assert_string_equal(joined_missing, cases[i].missing);
                free(joined);
                joined = NULL;
                strv_free(TAKE_PTR(expanded));
                assert_int_equal(exec_command_expand(STRV(argv), environment, &expanded, NULL), 0);
                assert_int_equal(strv_join(STRV(expanded), "|", &joined), 0);
                assert_string_equal(joined, cases[i].expanded);
        }
}

static void test_expand_nothing(void **state) {
        char **expanded = NULL;

        assert_int_equal(exec_command_expand(NULL, NULL, &expanded, NULL), 0);
        assert_null(expanded);
        assert_int_equal(exec_command_expand((const char *const[]){ "$A", NULL }, NULL, &expanded, NULL), 0);
        assert_null(expanded);
}

static void test_words(void **state) {
        _cleanup_(strv_freep) char **words = NULL, **none = NULL;
        _cleanup_(freep) char *joined = NULL;

        assert_int_equal(exec_words_read(" a \"b c\"  'd\\te'\\x41 ; ", &words, NULL), 0);
        assert_int_equal(strv_join(STRV(words), "|", &joined), 0);
        assert_string_equal(joined, "a|b c|d\teA|;");
        assert_int_equal(exec_words_read(" \t", &none, NULL), 0);
        assert_null(none);
        assert_int_equal(exec_words_read("a 'b", &none, NULL), -EINVAL);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_words),          cmocka_unit_test(test_one),
                cmocka_unit_test(test_several),        cmocka_unit_test(test_mistakes),
                cmocka_unit_test(test_limit),          cmocka_unit_test(test_expand),
                cmocka_unit_test(test_expand_nothing),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
