/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "sandbox-fixture.h"

#include <dirent.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>

/* What a command finds when it starts. */
static int fresh(void) {
        _cleanup_(freep) char *text = NULL;
        struct dirent **entries = NULL;
        sigset_t mask;

        for (int i = 1; i < SIGRTMAX; i++) {
                struct sigaction action;
                if (sigaction(i, NULL, &action) == 0)
                        INSIDE_CHECK(action.sa_handler != SIG_IGN);
        }
        INSIDE_CHECK(sigprocmask(SIG_SETMASK, NULL, &mask) == 0);
        for (int i = 1; i < SIGRTMAX; i++)
                INSIDE_CHECK(sigismember(&mask, i) != 1);

        /* 0, 1, 2, and the one that reads the directory, with . and .. */
        INSIDE_CHECK(scandir("/proc/self/fd", &entries, NULL, NULL) == 6);
        INSIDE_CHECK(read(STDIN_FILENO, &(char){ 0 }, 1) == 0);
        INSIDE_CHECK(file_read(AT_FDCWD, "/proc/self/environ", 64 * KIB, &text, &(size_t){ 0 }) == 0);
        INSIDE_CHECK(text_equal(text, fixture_environment[0]));
        INSIDE_CHECK(environ[0] && environ[1] && !environ[2]);
        for (size_t i = 0; i < 6; i++)
                free(entries[i]);
        free(entries);
        return EXIT_SUCCESS;
}

static void test_fresh(void **state) {
        SandboxPolicy policy = fixture_policy(*state);
        _cleanup_(fd_closep) int leak = dup(STDERR_FILENO); /* without O_CLOEXEC */
        sigset_t blocked, before;

        sigemptyset(&blocked);
        sigaddset(&blocked, SIGUSR1);
        sigaddset(&blocked, SIGTERM);
        assert_int_equal(sigprocmask(SIG_BLOCK, &blocked, &before), 0);
        const sighandler_t old_pipe = signal(SIGPIPE, SIG_IGN), old_hangup = signal(SIGHUP, SIG_IGN);
        fixture_inside(*state, &policy, "fresh");
        (void)signal(SIGPIPE, old_pipe);
        (void)signal(SIGHUP, old_hangup);
        assert_int_equal(sigprocmask(SIG_SETMASK, &before, NULL), 0);
        assert_true(leak >= 0);
}

/* Data goes where it is to go, byte for byte; what is said beside it is followed. */
static void test_data(void **state) {
        Fixture *const fixture = *state;
        const SandboxPolicy policy = fixture_policy(fixture);
        _cleanup_(sandbox_freep) Sandbox *sandbox = NULL;
        _cleanup_(strv_freep) char **lines = NULL;
        _cleanup_(fd_closep) int data = memfd_create("data", MFD_CLOEXEC),
                                 log = memfd_create("log", MFD_CLOEXEC);
        char text[32] = "";
        const SandboxCommand command = {
                .argv = (const char *const[]){ "sh", "-c", "printf 'a\\0b\\r\\n'; echo said >&2", NULL },
                .stdin_fd = -EBADF,
                .output_fd = log,
                .data_fd = data,
                .on_line = fixture_keep_line,
                .userdata = &lines
        };

        assert_int_equal(sandbox_new(&policy, &sandbox, NULL), 0);
        assert_int_equal(sandbox_run(sandbox, &command, NULL), 0);
        assert_int_equal(pread(data, text, sizeof(text), 0), 5);
        assert_memory_equal(text, "a\0b\r\n", 5);
        assert_int_equal(pread(log, text, sizeof(text), 0), 5);
        assert_memory_equal(text, "said\n", 5);
        assert_int_equal(strv_length(STRV(lines)), 1);
        assert_string_equal(lines[0], "said");
}

/* Process 1 is a copy of us and must not give away what we know. */
static void test_secrets(void **state) {
        const SandboxPolicy policy = fixture_policy(*state);

        fixture_script(*state, &policy, "denied grep -qz . /proc/1/environ; denied ls /proc/1/fd/0");
        assert_non_null(getenv("PATH")); /* ours is untouched */
}

typedef struct ExecuteCase {
        const char *name;
        int error;
        const char *text; /* behind "execute \"NAME\" in TREE: " */
} ExecuteCase;

/* clang-format off */
static const ExecuteCase execute_cases[] = {
        { "true",             0 },
        { "/usr/bin/true",    0 },
        { "first",            0 }, /* is no program in /one, but is one in /two */
        { "nonexistent",      -ENOENT,  "not found in PATH" },
        { "/nonexistent",     -ENOENT,  "not found" },
        { "/one/first/x",     -ENOENT,  "not found" },
        { "/one/first",       -EACCES,  "Permission denied" },
        { "/two",             -EACCES,  "Permission denied" },
        { "plain",            -EACCES,  "Permission denied" },
        { "no-interpreter",   -ENOEXEC, "its interpreter is missing, or it is for another architecture" },
        { "/two/garbage",     -ENOEXEC, "its interpreter is missing, or it is for another architecture" },
};
/* clang-format on */

static void add_program(const Fixture *fixture, const char *name, const char *text, mode_t mode) {
        _cleanup_(freep) char *path = fixture_path(fixture->tree, name);

        fixture_write(path, text);
        assert_int_equal(chmod(path, mode), 0);
}

static void test_execute(void **state) {
        Fixture *const fixture = *state;
        _cleanup_(freep) char *one = fixture_path(fixture->tree, "one"),
                              *two = fixture_path(fixture->tree, "two");
        SandboxPolicy policy = fixture_policy(fixture);

        policy.environment = (const char *const[]){ "PATHS=/no", "PATH=/one:/none:/two:/usr/bin", NULL };
        assert_int_equal(mkdir(one, 0755), 0);
        assert_int_equal(mkdir(two, 0755), 0);
        add_program(fixture, "one/first", "#!/bin/sh\nexit 1\n", 0644);
        add_program(fixture, "two/first", "#!/bin/sh\nexit 0\n", 0755);
        add_program(fixture, "two/plain", "text", 0644);
        add_program(fixture, "two/no-interpreter", "#!/nowhere/sh\n", 0755);
        add_program(fixture, "two/garbage", "garbage", 0755);

        for (size_t i = 0; i < ELEMENTSOF(execute_cases); i++) {
                const ExecuteCase *const item = &execute_cases[i];
                _cleanup_(reason_done) Reason reason = {};
                _cleanup_(freep) char *text = NULL;

                assert_int_equal(fixture_run(fixture, &policy, (const char *const[]){ item->name, NULL },
                                             &reason),
                                 item->error);
                if (!item->text)
                        continue;
                assert_int_equal(text_format(&text, "execute \"%s\" in %s: %s", item->name, fixture->tree,
                                             item->text),
                                 0);
                assert_string_equal(reason.text, text);
        }
}

/* Without PATH and environment at all. */
static void test_no_environment(void **state) {
        SandboxPolicy policy = fixture_policy(*state);

        policy.environment = NULL;
        assert_int_equal(fixture_run(*state, &policy, (const char *const[]){ "env", NULL }, NULL), 0);
        assert_int_equal(strv_length(STRV(((Fixture *)*state)->lines)), 0);
}

/* Processes that lose their parent come to process 1, which has to wait for them. */
static void test_orphans_are_reaped(void **state) {
        const SandboxPolicy policy = fixture_policy(*state);
        const char *const script =
                "for i in 1 2 3 4 5; do (sleep 0.01 &); done\n"
                "for i in $(seq 100); do\n"
                "        sleep 0.05\n"
                "        cat /proc/[0-9]*/status 2>/dev/null | grep -q 'State:.Z' || exit 9\n"
                "done\n"
                "exit 1";

        assert_int_equal(
                fixture_run(*state, &policy, (const char *const[]){ "sh", "-c", script, NULL }, NULL), 9);
}

int main(int argc, char *argv[]) {
        static const Inside inside[] = { { "fresh", fresh } };
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_fresh, fixture_setup, fixture_teardown),
                cmocka_unit_test_setup_teardown(test_data, fixture_setup, fixture_teardown),
                cmocka_unit_test_setup_teardown(test_secrets, fixture_setup, fixture_teardown),
                cmocka_unit_test_setup_teardown(test_execute, fixture_setup, fixture_teardown),
                cmocka_unit_test_setup_teardown(test_no_environment, fixture_setup, fixture_teardown),
                cmocka_unit_test_setup_teardown(test_orphans_are_reaped, fixture_setup, fixture_teardown),
        };

        return fixture_main(argc, argv, inside, ELEMENTSOF(inside), tests, ELEMENTSOF(tests));
}
