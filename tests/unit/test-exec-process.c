/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "exec-rig.h"

static void assert_output(const RigResult *result, const char *expected) {
        if (result->has_failed)
                fail_msg("%s", result->failed.text);
        assert_int_equal(result->exit, 0);
        assert_string_equal(result->output, expected);
}

static void assert_failed(const RigResult *result, int exit, const char *part) {
        assert_true(result->has_failed);
        assert_int_equal(result->exit, exit);
        assert_int_equal(result->failed.exit, exit);
        if (!strstr(result->failed.text, part))
                fail_msg("%s: not \"%s\"", result->failed.text, part);
}

static void test_plain(void **state) {
        rig_need(state);
        _cleanup_(rig_result_done) RigResult result =
                RIG_SHELL("pwd; umask; id -u; env | sort; ls /proc/self/fd | wc -l", "Description=x");

        /* What the shell itself sets is in the list. */
        assert_output(&result,
                      "/\n0022\n0\nPATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\n"
                      "PWD=/\n4\n");
        assert_true(result.has_user);
        assert_int_equal(result.user.uid, 0);
        assert_string_equal(result.user.text, "");
}

static void test_settings(void **state) {
        rig_need(state);
        _cleanup_(rig_result_done) RigResult result = RIG_SHELL(
                "id -u; id -g; id -G; umask; ulimit -Sn; ulimit -Hn; nice; pwd; echo $USER $HOME; echo $A $B; "
                "cat /proc/self/oom_score_adj; readlink /proc/self/fd/0",
                "User=nobody", "Group=4", "SupplementaryGroups=5 adm", "UMask=0077", "LimitNOFILE=100:200",
                "Nice=7", "WorkingDirectory=/usr", "Environment=A=1 \"B=2 3\"", "OOMScoreAdjust=500");

        assert_output(&result, "65534\n4\n4 5\n0077\n100\n200\n7\n/usr\nnobody /nonexistent\n1 2 3\n500\n"
                               "/dev/null\n");
        assert_int_equal(result.user.uid, 65534);
        assert_int_equal(result.user.gid, 4);
        assert_string_equal(result.user.text, "nobody");
}

/* Every failure says which step it was. */
static void test_failures(void **state) {
        static const struct {
                const char *setting, *part;
                int exit;
        } rows[] = {
                { "User=nobody-of-that-name", "step USER", EXEC_EXIT_USER },
                { "Group=no-group-of-that-name", "step GROUP", EXEC_EXIT_GROUP },
                { "WorkingDirectory=/not/there", "step CHDIR", EXEC_EXIT_CHDIR },
                { "StandardInput=file:/not/there", "step STDIN", EXEC_EXIT_STDIN },
                { "StandardOutput=file:/not/there/file", "step STDOUT", EXEC_EXIT_STDOUT },
                { "StandardError=file:/not/there/file", "step STDERR", EXEC_EXIT_STDERR },
                { "EnvironmentFile=/not/there", "step MEMORY", EXEC_EXIT_MEMORY },
                { "RuntimeDirectory=output-file/x", "step RUNTIME_DIRECTORY", EXEC_EXIT_RUNTIME_DIRECTORY },
                { "CacheDirectory=../x", "CacheDirectory= names", EXEC_EXIT_CACHE_DIRECTORY },
                { "StateDirectory=output/x", "step STATE_DIRECTORY", EXEC_EXIT_STATE_DIRECTORY },
                { "PrivateNetwork=yes", "step NETWORK", EXEC_EXIT_NETWORK },
                { "InaccessiblePaths=not-absolute", "step NAMESPACE", EXEC_EXIT_NAMESPACE },
                { "DynamicUser=yes", "step USER", EXEC_EXIT_USER },
                { "SystemCallFilter=~@no-group-of-that-name", "what is in it would be allowed",
                  EXEC_EXIT_MEMORY },
                { "RestrictNamespaces=nets", "neither yes or no", EXEC_EXIT_MEMORY },
                { "SystemCallArchitectures=z80", "name of an architecture", EXEC_EXIT_MEMORY },
                { "SecureBits=no-root", "step MEMORY", EXEC_EXIT_MEMORY },
                { "Personality=z80", "step PERSONALITY", EXEC_EXIT_PERSONALITY },
                { "StandardInput=socket", "step STDIN", EXEC_EXIT_STDIN },
                { "StandardInputText=\\q", "step STDIN", EXEC_EXIT_STDIN },
        };

        rig_need(state);
        assert_int_equal(file_write_text(AT_FDCWD, "/var/lib/output", "", 0644), 0);
        assert_int_equal(file_write_text(AT_FDCWD, "/run/output-file", "", 0644), 0);
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_(rig_result_done) RigResult result = RIG_SHELL("true", rows[i].setting);

                assert_failed(&result, rows[i].exit, rows[i].part);
        }

        _cleanup_(rig_result_done) RigResult missing = rig_run(&(RigWish){ .argv = RIG_LIST("/not/there") });
        assert_failed(&missing, EXEC_EXIT_EXEC, "step EXEC spawning /not/there: No such file");
        assert_int_equal(missing.failed.error, ENOENT);
        _cleanup_(rig_result_done) RigResult unknown = rig_run(&(RigWish){ .argv = RIG_LIST("no-program") });
        assert_failed(&unknown, EXEC_EXIT_EXEC, "no program \"no-program\"");
}

static void test_command(void **state) {
        rig_need(state);
        _cleanup_(rig_result_done) RigResult result =
                rig_run(&(RigWish){ .argv = RIG_LIST("echo", "$A", "${A}x", "$MISSING", "$$"),
                                    .environment = RIG_LIST("A=1 2") });
        assert_output(&result, "1 2 1 2x $\n");
        assert_int_equal(result.n_warnings, 1);
        assert_non_null(strstr(result.warning, "$MISSING"));

        _cleanup_(rig_result_done) RigResult literal =
                rig_run(&(RigWish){ .argv = RIG_LIST("echo", "$A"), .flags = EXEC_COMMAND_LITERAL });
        assert_output(&literal, "$A\n");
}

/* Marks of commands: who they run as, and whether they are confined. */
static void test_marks(void **state) {
        static const struct {
                unsigned flags;
                const char *output;
        } rows[] = {
                { 0, "65534\nnobody\n1\nread-only\n" },
                { EXEC_COMMAND_NO_USER, "0\nnobody\n1\nread-only\n" },
                { EXEC_COMMAND_UNCONFINED, "0\nnobody\n0\nwritable\n" },
        };
        const char *const script =
                "id -u; echo $USER; sed -n 's/NoNewPrivs:\t//p' /proc/self/status; "
                "findmnt -no OPTIONS --target /usr | grep -q '^ro' && echo read-only || echo "
                "writable";

        rig_need(state);
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_(rig_result_done) RigResult result = rig_run(&(RigWish){
                        .settings = RIG_LIST("User=nobody", "NoNewPrivileges=yes", "ProtectSystem=yes"),
                        .argv = RIG_LIST("/bin/sh", "-c", script),
                        .flags = rows[i].flags | EXEC_COMMAND_LITERAL,
                });

                assert_output(&result, rows[i].output);
        }
}

static void test_capabilities(void **state) {
        rig_need(state);
        _cleanup_(rig_result_done) RigResult result =
                RIG_SHELL("sed -n 's/^Cap\\(Eff\\|Bnd\\|Amb\\):\t//p' /proc/self/status", "User=nobody",
                          "CapabilityBoundingSet=CAP_CHOWN CAP_NET_BIND_SERVICE",
                          "AmbientCapabilities=CAP_NET_BIND_SERVICE");
        assert_output(&result, "0000000000000400\n0000000000000401\n0000000000000400\n");
}

/* A dynamic user has its directory behind the boundary, and its own again. */
static void test_dynamic(void **state) {
        rig_need(state);
        const char *const script =
                "id -u; touch /var/lib/waldo/file && stat -Lc '%u %a' /var/lib/waldo; "
                "ls /var/lib/private; echo $STATE_DIRECTORY; touch /var/lib/x 2>/dev/null || "
                "echo refused";
        int storage;
        struct stat status;

        assert_int_equal(user_storage_new(&storage), 0);
        for (int i = 0; i < 2; i++) {
                _cleanup_(rig_result_done) RigResult result = rig_run(&(RigWish){
                        .unit = "waldo.service",
                        .settings = RIG_LIST("DynamicUser=yes", "StateDirectory=waldo"),
                        .argv = RIG_LIST("/bin/sh", "-c", script),
                        .flags = EXEC_COMMAND_LITERAL,
                        .storage = storage,
                });

                assert_output(&result, "61647\n61647 755\nwaldo\n/var/lib/waldo\nrefused\n");
                assert_int_equal(result.user.uid, 61647);
                assert_string_equal(result.user.text, "waldo");
        }
        assert_int_equal(stat("/var/lib/private/waldo/file", &status), 0);
        assert_int_equal(status.st_uid, 61647);
        assert_int_equal(lstat("/var/lib/private", &status), 0);
        assert_int_equal(status.st_mode, S_IFDIR | 0700);
        assert_int_equal(access(RIG_RECORDS "/waldo.user", F_OK), 0);
        (void)close(storage);
}

/* All kinds of directories can be written to in the view, and nothing else can; "!" is the same as root. */
static void test_dynamic_directories(void **state) {
        const char *const script =
                "id -u >&2; for d in $RUNTIME_DIRECTORY $STATE_DIRECTORY $CACHE_DIRECTORY $LOGS_DIRECTORY; do "
                "touch $d/file && stat -Lc '%u %n' $d; done; "
                "touch /tmp/x && touch /etc/x /usr/x /run/x 2>/dev/null || echo refused";
        static const struct {
                unsigned flags;
                const char *id;
        } rows[] = { { 0, "61647\n" }, { EXEC_COMMAND_NO_USER, "0\n" } };

        rig_need(state);
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                int storage;

                assert_int_equal(user_storage_new(&storage), 0);
                _cleanup_(rig_result_done) RigResult result = rig_run(&(RigWish){
                        .unit = "waldo.service",
                        .settings = RIG_LIST("DynamicUser=yes", "RuntimeDirectory=w", "StateDirectory=w",
                                             "CacheDirectory=w", "LogsDirectory=w",
                                             "StandardError=truncate:/run/id"),
                        .argv = RIG_LIST("/bin/sh", "-c", script),
                        .flags = rows[i].flags | EXEC_COMMAND_LITERAL,
                        .storage = storage,
                });

                assert_output(&result,
                              "61647 /run/w\n61647 /var/lib/w\n61647 /var/cache/w\n61647 /var/log/w\n"
                              "refused\n");
                _cleanup_(freep) char *id = NULL;
                assert_int_equal(file_read(AT_FDCWD, "/run/id", 1000, &id, NULL), 0);
                assert_string_equal(id, rows[i].id);
                (void)close(storage);
        }
}

/* The number has changed meanwhile: what lies there is shown as the new one's, or is given to it. */
static void test_dynamic_moved(void **state) {
        rig_need(state);
        int storage;

        assert_int_equal(user_storage_new(&storage), 0);
        assert_int_equal(mkdir("/var/lib/private/moved", 0755), 0);
        assert_int_equal(file_write_text(AT_FDCWD, "/var/lib/private/moved/file", "old\n", 0600), 0);
        assert_int_equal(chown("/var/lib/private/moved", 61999, 61999), 0);
        assert_int_equal(chown("/var/lib/private/moved/file", 61999, 61999), 0);

        /* Somebody holds that number. */
        const int fd = open(RIG_REGISTRY "/61999", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        assert_true(fd >= 0);
        assert_int_equal(flock(fd, LOCK_EX), 0);
        _cleanup_(rig_result_done) RigResult result = rig_run(&(RigWish){
                .unit = "moved.service",
                .settings = RIG_LIST("DynamicUser=yes", "StateDirectory=moved"),
                .argv = RIG_LIST("/bin/sh", "-c",
                                 "cat $STATE_DIRECTORY/file; echo new >$STATE_DIRECTORY/new; "
                                 "test $(stat -c %u $STATE_DIRECTORY/new) = $(id -u) && echo mine"),
                .flags = EXEC_COMMAND_LITERAL,
                .storage = storage,
        });
        assert_output(&result, "old\nmine\n");
        assert_int_not_equal(result.user.uid, 61999);
        (void)close(storage);
        (void)close(fd);
}

static void test_stdio(void **state) {
        rig_need(state);
        int pair[2];
        char text[100] = "";

        assert_int_equal(pipe2(pair, O_CLOEXEC), 0);
        _cleanup_(rig_result_done) RigResult result = rig_run(&(RigWish){
                .settings = RIG_LIST("StandardInput=null", "StandardOutput=fd", "StandardError=inherit"),
                .argv = RIG_LIST("/bin/sh", "-c", "echo out; echo error >&2"),
                .standard = { -EBADF, pair[1], -EBADF },
                .has_standard = true,
        });
        assert_int_equal(result.exit, 0);
        assert_true(read(pair[0], text, sizeof(text) - 1) > 0);
        assert_string_equal(text, "out\nerror\n");

        assert_int_equal(mkfifo("/run/log", 0600), 0);
        const int log = open("/run/log", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
        assert_true(log >= 0);
        _cleanup_(rig_result_done) RigResult logged = rig_run(&(RigWish){
                .settings = RIG_LIST("StandardOutput=journal", "User=nobody"),
                .argv = RIG_LIST("/bin/sh", "-c", "echo logged; echo twice >/dev/stdout"),
                .log = "/run/log",
        });
        assert_int_equal(logged.exit, 0);
        memset(text, 0, sizeof(text));
        assert_true(read(log, text, sizeof(text) - 1) > 0);
        assert_string_equal(text, "logged\ntwice\n");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_plain),         cmocka_unit_test(test_settings),
                cmocka_unit_test(test_failures),      cmocka_unit_test(test_command),
                cmocka_unit_test(test_marks),         cmocka_unit_test(test_capabilities),
                cmocka_unit_test(test_dynamic),       cmocka_unit_test(test_dynamic_directories),
                cmocka_unit_test(test_dynamic_moved), cmocka_unit_test(test_stdio),
        };

        return cmocka_run_group_tests(tests, rig_enter, NULL);
}
