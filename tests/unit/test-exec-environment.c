/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/strv.h"
#include "base/text.h"
#include "exec/exec-environment.h"
#include "temporary-directory.h"
#include "unit/unit-load.h"

static void assert_parsed(const char *text, const char *expected) {
        _cleanup_(strv_freep) char **list = NULL;
        _cleanup_(freep) char *joined = NULL;

        assert_int_equal(exec_environment_parse(text, &list), 0);
        assert_int_equal(strv_join(STRV(list), "|", &joined), 0);
        assert_string_equal(joined, expected);
}

/* systemd.exec(5), "EnvironmentFile=". */
static void test_parse(void **state) {
        static const char *const rows[][2] = {
                { "", "" },
                { "A=1", "A=1" },
                { "A=1\nB=2\n", "A=1|B=2" },
                { "\r\n  A = 1 2 \t\r\n", "A=1 2" },
                { "# A=1\n; B=2\n\nC=3\n", "C=3" },
                { "# comment \\\nA=1\nB=2\n", "B=2" },
                { "no assignment\nA=1\n", "A=1" },
                { "1A=1\nA-B=2\nC=3\n", "C=3" },
                { "A=\nB=1\n", "A=|B=1" },
                { "A=one\\\ntwo\n", "A=onetwo" },
                { "A='  a\nb \\'\n", "A=  a\nb \\" },
                { "A=\"a\\\"b\\\\\\$\\x\"\n", "A=a\"b\\$\\x" },
                { "A=\"one\\\ntwo\"\n", "A=onetwo" },
                { "A=\"a\" 'b' c\n", "A=abc" },
                { "A=it's \"x\"\n", "A=it's \"x\"" },
                { "A=x\\ \n", "A=x " },
                { "A=a#b\n", "A=a#b" },
                { "A='no end", "A=no end" },
                { "A=\\", "A=\\" },
                { "A=\"\\", "A=\\" },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++)
                assert_parsed(rows[i][0], rows[i][1]);
}

static int make(const char *const *settings, const ExecIdentity *identity, const char *const *given,
                char ***ret, Reason *reason) {
        _cleanup_(unit_freep) Unit *unit = NULL;
        ExecContext context = {
                .unit = (char *)(uintptr_t) "a.service",
                .invocation_id = (char *)(uintptr_t) "00112233445566778899aabbccddeeff",
                .environment = (char **)(uintptr_t)given,
        };
        const ExecDirectories none = {};

        assert_int_equal(unit_new_transient("a.service", settings, "test", &unit), 0);
        return exec_environment_make(
                &(ExecEnvironment){
                        .context = &context,
                        .settings = &unit->settings,
                        .identity = identity,
                        .directories = &none,
                },
                ret, reason);
}

/* What is said later counts, and what is not to be there is not. */
static void test_order(void **state) {
        _cleanup_(strv_freep) char **list = NULL;
        _cleanup_(freep) char *joined = NULL, *path = NULL, *setting = NULL;
        char home[] = "/home/a", user[] = "a";
        const ExecIdentity identity = { .user = user, .home = home, .uid = 5 };

        path = realpath(".", NULL);
        assert_int_equal(text_format(&setting, "EnvironmentFile=%s/*.env", path), 0);
        assert_int_equal(file_write_text(AT_FDCWD, "1.env", "FILE=1\nBOTH=first\n", 0644), 0);
        assert_int_equal(file_write_text(AT_FDCWD, "2.env", "BOTH=second\nUSER=file\n", 0644), 0);
        assert_int_equal(unsetenv("LANG"), 0);
        assert_int_equal(setenv("MKOSI_TEST_PASSED", "yes", true), 0);
        assert_int_equal(setenv("MKOSI_TEST_OTHER", "no", true), 0);
        assert_int_equal(
                make((const char *const[]){ "Environment=BOTH=zero \"X=a b\" %n=1 U=%n 'E=a\\nb\\x41'",
                                            "Environment=GIVEN=setting GONE=1 KEPT=1", setting,
                                            "EnvironmentFile=-/not/there",
                                            "PassEnvironment=MKOSI_TEST_PASSED MKOSI_TEST_NONE",
                                            "UnsetEnvironment=GONE KEPT=2 HOME", NULL },
                     &identity, (const char *const[]){ "GIVEN=manager", "MAINPID=1", NULL }, &list, NULL),
                0);
        strv_sort(list);
        assert_int_equal(strv_join(STRV(list), "\n", &joined), 0);
        assert_string_equal(joined,
                            "BOTH=second\nE=a\nbA\nFILE=1\nGIVEN=setting\n"
                            "INVOCATION_ID=00112233445566778899aabbccddeeff\nKEPT=1\nLOGNAME=a\nMAINPID=1\n"
                            "MKOSI_TEST_PASSED=yes\nPATH=" EXEC_SEARCH_PATH
                            "\nU=a.service\nUSER=file\nX=a b");
}

/* A process is asked for signs of life, and is to know that it is the one. */
static void test_watchdog(void **state) {
        const ExecIdentity identity = {};
        _cleanup_(freep) char *pid = NULL;
        _cleanup_(strv_freep) char **watched = NULL, **other = NULL;

        assert_int_equal(text_format(&pid, "WATCHDOG_PID=%d", (int)getpid()), 0);
        assert_int_equal(make((const char *const[]){ "Environment=WATCHDOG_USEC=7", NULL }, &identity,
                              (const char *const[]){ "MAINPID=1", NULL }, &other, NULL),
                         0);
        assert_false(strv_contains(STRV(other), pid));
        assert_int_equal(make((const char *const[]){ "Environment=A=b", NULL }, &identity,
                              (const char *const[]){ "WATCHDOG_USEC=5000000", NULL }, &watched, NULL),
                         0);
        assert_true(strv_contains(STRV(watched), pid));
}

static void test_refused(void **state) {
        static const char *const settings[] = {
                "EnvironmentFile=/not/there", "EnvironmentFile=relative", "EnvironmentFile=/dev",
                "Environment=A=\"no end",     "Environment=A=%!",
        };
        const ExecIdentity identity = {};

        for (size_t i = 0; i < ELEMENTSOF(settings); i++) {
                _cleanup_(reason_done) Reason reason = {};
                char **list;

                if (make((const char *const[]){ settings[i], NULL }, &identity, NULL, &list, &reason) >= 0)
                        fail_msg("%s", settings[i]);
                assert_non_null(reason.text);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_parse),
                unit_test_in_directory(test_order),
                cmocka_unit_test(test_watchdog),
                cmocka_unit_test(test_refused),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
