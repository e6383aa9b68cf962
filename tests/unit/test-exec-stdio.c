/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pty.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "exec-rig.h"

static char *text_of(const char *path) {
        char *text;

        assert_int_equal(file_read(AT_FDCWD, path, 10000, &text, NULL), 0);
        return text;
}

#define ASSERT_TEXT(path, expected)                           \
        do {                                                  \
                _cleanup_(freep) char *_text = text_of(path); \
                assert_string_equal(_text, expected);         \
        } while (false)

static void test_files(void **state) {
        rig_need(state);
        assert_int_equal(file_write_text(AT_FDCWD, "/run/in", "input\n", 0644), 0);
        assert_int_equal(file_write_text(AT_FDCWD, "/run/out", "0123456789\n", 0644), 0);
        assert_int_equal(file_write_text(AT_FDCWD, "/run/error", "old\n", 0644), 0);
        _cleanup_(rig_result_done) RigResult plain =
                RIG_SHELL("cat; echo wrong >&2", "StandardInput=file:/run/in", "StandardOutput=file:/run/out",
                          "StandardError=append:/run/error");
        assert_int_equal(plain.exit, 0);
        ASSERT_TEXT("/run/out", "input\n6789\n");
        ASSERT_TEXT("/run/error", "old\nwrong\n");

        /* The file is root's, the service is somebody: it gets what UMask= leaves. */
        _cleanup_(rig_result_done) RigResult same =
                RIG_SHELL("echo out; echo error >&2", "User=nobody", "UMask=0027",
                          "StandardOutput=truncate:/run/%p", "StandardError=truncate:/run/%p");
        struct stat status;
        assert_int_equal(same.exit, 0);
        ASSERT_TEXT("/run/rig", "out\nerror\n");
        assert_int_equal(stat("/run/rig", &status), 0);
        assert_int_equal(status.st_mode, S_IFREG | 0640);

        _cleanup_(rig_result_done) RigResult both =
                RIG_SHELL("read line; echo more", "StandardInput=file:/run/in",
                          "StandardOutput=file:/run/in");
        assert_int_equal(both.exit, 0);
        ASSERT_TEXT("/run/in", "input\nmore\n");
}

static void test_null(void **state) {
        rig_need(state);
        _cleanup_(rig_result_done) RigResult result = RIG_SHELL(
                "links=$(for i in 0 1 2; do readlink /proc/$$/fd/$i; done); echo \"$links\" >/run/links; "
                "echo x && cat",
                "StandardOutput=inherit");
        assert_int_equal(result.exit, 0);
        ASSERT_TEXT("/run/links", "/dev/null\n/dev/null\n/dev/null\n");
}

/* A terminal that is asked for is the controlling one, and the user's. */
static void test_terminal(void **state) {
        rig_need(state);
        char name[64], setting[80];
        int master, slave;

        if (openpty(&master, &slave, name, NULL, NULL) < 0)
                skip();
        (void)snprintf(setting, sizeof(setting), "TTYPath=%s", name);
        _cleanup_(rig_result_done) RigResult result = rig_run(&(RigWish){
                .settings = RIG_LIST("User=nobody", "StandardInput=tty", "StandardOutput=tty", setting),
                .argv = RIG_LIST(
                        "/bin/sh", "-c",
                        "echo $TERM $(stat -Lc '%U %a' /dev/stdin) >/dev/tty; ps -o tty= -p $$ | grep -c pts"),
                .flags = EXEC_COMMAND_LITERAL,
        });
        char text[200] = "";

        assert_int_equal(result.exit, 0);
        assert_true(read(master, text, sizeof(text) - 1) > 0);
        assert_string_equal(text, "vt220 nobody 620\r\n1\r\n");
        (void)close(slave);
        (void)close(master);
}

/* One that was handed over is neither. */
static void test_foreign_terminal(void **state) {
        rig_need(state);
        struct stat before, after;
        int master, slave;

        if (openpty(&master, &slave, NULL, NULL, NULL) < 0)
                skip();
        assert_int_equal(fstat(slave, &before), 0);
        _cleanup_(rig_result_done) RigResult result = rig_run(&(RigWish){
                .settings =
                        RIG_LIST("User=nobody", "StandardInput=fd", "StandardOutput=fd", "StandardError=fd"),
                .argv = RIG_LIST("/bin/sh", "-c", "test -t 0 && ! true </dev/tty"),
                .flags = EXEC_COMMAND_LITERAL,
                .standard = { slave, slave, slave },
                .has_standard = true,
        });
        assert_int_equal(result.exit, 0);
        assert_int_equal(fstat(slave, &after), 0);
        assert_int_equal(after.st_uid, before.st_uid);
        assert_int_equal(after.st_mode, before.st_mode);
        (void)close(slave);
        (void)close(master);
}

/* A path that is a socket is connected to. */
static void test_socket(void **state) {
        rig_need(state);
        const struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = "/run/socket" };
        char text[20] = "";
        const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

        assert_int_equal(bind(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
        assert_int_equal(listen(fd, 1), 0);
        _cleanup_(rig_result_done) RigResult result =
                RIG_SHELL("echo hello", "StandardOutput=file:/run/socket");
        assert_int_equal(result.exit, 0);
        const int peer = accept(fd, NULL, NULL);
        assert_true(read(peer, text, sizeof(text) - 1) > 0);
        assert_string_equal(text, "hello\n");
        (void)close(peer);
        (void)close(fd);
}

/* What the service's user has linked, root does not write to. */
static void test_planted(void **state) {
        rig_need(state);
        assert_int_equal(mkdir("/run/theirs", 0755), 0);
        assert_int_equal(chown("/run/theirs", 65534, 65534), 0);
        assert_int_equal(file_write_text(AT_FDCWD, "/run/shadow", "secret\n", 0600), 0);
        assert_int_equal(symlink("/run/shadow", "/run/theirs/log"), 0);
        assert_int_equal(lchown("/run/theirs/log", 65534, 65534), 0);
        static const struct {
                const char *setting;
                int exit;
        } rows[] = {
                { "StandardOutput=append:/run/theirs/log", EXEC_EXIT_STDOUT },
                { "StandardOutput=file:/run/theirs/log", EXEC_EXIT_STDOUT },
                { "StandardError=truncate:/run/theirs/log", EXEC_EXIT_STDERR },
                { "StandardInput=file:/run/theirs/log", EXEC_EXIT_STDIN },
                { "EnvironmentFile=/run/theirs/log", EXEC_EXIT_MEMORY },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_(rig_result_done) RigResult result =
                        RIG_SHELL("echo planted; echo planted >&2", "User=nobody", rows[i].setting);

                assert_int_equal(result.exit, rows[i].exit);
                assert_non_null(strstr(result.failed.text, "/run/theirs/log"));
                assert_non_null(strstr(result.failed.text, "a link of user 65534 leads to \"shadow\""));
        }
        ASSERT_TEXT("/run/shadow", "secret\n");
}

static void test_refused(void **state) {
        static const struct {
                const char *setting;
                int exit;
        } rows[] = {
                { "StandardInput=journal", EXEC_EXIT_STDIN },
                { "StandardInput=socket", EXEC_EXIT_STDIN },
                { "StandardOutput=fd:web", EXEC_EXIT_STDOUT },
                { "StandardInput=file:relative", EXEC_EXIT_STDIN },
                { "StandardInput=fd", EXEC_EXIT_STDIN },
                { "StandardInput=append:/run/x", EXEC_EXIT_STDIN },
                { "StandardOutput=nonsense", EXEC_EXIT_STDOUT },
                { "StandardOutput=file:", EXEC_EXIT_STDOUT },
                { "StandardOutput=nullx", EXEC_EXIT_STDOUT },
                { "StandardError=fd", EXEC_EXIT_STDERR },
                { "StandardError=file:/run", EXEC_EXIT_STDERR },
        };

        rig_need(state);
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_(rig_result_done) RigResult result = RIG_SHELL("true", rows[i].setting);

                if (result.exit != rows[i].exit || !result.has_failed)
                        fail_msg("%s: %d", rows[i].setting, result.exit);
        }

        /* The log is a FIFO, and nothing else. */
        assert_int_equal(file_write_text(AT_FDCWD, "/run/no-log", "", 0644), 0);
        assert_int_equal(symlink("/run/no-log", "/run/link-log"), 0);
        static const char *const logs[] = { "/run/no-log", "/run/link-log", "/run/missing-log" };
        for (size_t i = 0; i < ELEMENTSOF(logs); i++) {
                _cleanup_(rig_result_done) RigResult result =
                        rig_run(&(RigWish){ .settings = RIG_LIST("StandardOutput=journal"),
                                            .argv = RIG_LIST("/bin/true"),
                                            .log = logs[i] });

                assert_int_equal(result.exit, EXEC_EXIT_STDOUT);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_files),    cmocka_unit_test(test_null),
                cmocka_unit_test(test_terminal), cmocka_unit_test(test_foreign_terminal),
                cmocka_unit_test(test_socket),   cmocka_unit_test(test_planted),
                cmocka_unit_test(test_refused),
        };

        return cmocka_run_group_tests(tests, rig_enter, NULL);
}
