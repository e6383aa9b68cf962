/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "sandbox-fixture.h"

#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/reboot.h>
#include <sys/wait.h>
#include <time.h>

#include "base/interrupt.h"

#define TIMEOUT_MS 20000

static uint64_t now_ms(void) {
        struct timespec now;

        assert_int_equal(clock_gettime(CLOCK_MONOTONIC, &now), 0);
        return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static const char *const *shell(const char *script) {
        static const char *argv[4] = { "sh", "-c" };

        argv[2] = script;
        return argv;
}

typedef struct StatusCase {
        const char *script;
        int status;
} StatusCase;

static void test_status(void **state) {
        static const StatusCase cases[] = {
                { "exit 0", 0 },
                { "exit 1", 1 },
                { "exit 255", 255 },
                { "kill -TERM $$", 143 },
                { "kill -KILL $$", 137 },
                { "kill -SEGV $$", 139 },
                /* Process 1 is not to be killed from inside. */
                { "kill -KILL 1; kill -TERM 1; exit 7", 7 },
        };
        const SandboxPolicy policy = fixture_policy(*state);

        for (size_t i = 0; i < ELEMENTSOF(cases); i++)
                assert_int_equal(fixture_run(*state, &policy, shell(cases[i].script), NULL), cases[i].status);
}

static void check_lines(const Fixture *fixture, const char *expected) {
        _cleanup_(freep) char *text = NULL;

        assert_int_equal(strv_join(STRV(fixture->lines), "|", &text), 0);
        assert_string_equal(text, expected);
}

static void test_lines(void **state) {
        static const char *const cases[][2] = {
                { "true", "" },
                { "echo a; echo b >&2; echo c", "a|b|c" },
                { "printf 'no end'", "no end" },
                { "printf 'a\\n\\nb\\r\\n'", "a||b" },
                { "printf 'a\\0b\\n'", "a b" },
                { "printf 10%%\\\\r20%%\\\\r\\\\n", "10%\r20%" },
        };
        const SandboxPolicy policy = fixture_policy(*state);

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                assert_int_equal(fixture_run(*state, &policy, shell(cases[i][0]), NULL), 0);
                check_lines(*state, cases[i][1]);
        }
}

/* More than any buffer holds, in one line and in many. */
static void test_much_output(void **state) {
        Fixture *const fixture = *state;
        const SandboxPolicy policy = fixture_policy(fixture);
        size_t size = 0;

        assert_int_equal(fixture_run(fixture, &policy, shell("head -c 1000000 /dev/zero | tr '\\0' x"), NULL),
                         0);
        for (char **line = fixture->lines; *line; line++)
                size += strlen(*line);
        assert_int_equal(size, 1000000);
        assert_int_equal(fixture_run(fixture, &policy, shell("seq 20000"), NULL), 0);
        assert_int_equal(strv_length(STRV(fixture->lines)), 20000);
        assert_string_equal(fixture->lines[19999], "20000");
}

static void test_descriptors(void **state) {
        Fixture *const fixture = *state;
        const SandboxPolicy policy = fixture_policy(fixture);
        _cleanup_(sandbox_freep) Sandbox *sandbox = NULL;
        _cleanup_(strv_freep) char **lines = NULL;
        _cleanup_(fd_closep) int input = memfd_create("input", MFD_CLOEXEC),
                                 output = memfd_create("output", MFD_CLOEXEC);
        char text[32] = "";
        SandboxCommand command = { .argv = shell("cat; echo error >&2"),
                                   .stdin_fd = input,
                                   .output_fd = output,
                                   .data_fd = -EBADF };

        assert_int_equal(fd_write_all(input, "input\n", 6), 0);
        assert_int_equal(lseek(input, 0, SEEK_SET), 0);
        assert_int_equal(sandbox_new(&policy, &sandbox, NULL), 0);
        assert_int_equal(sandbox_run(sandbox, &command, NULL), 0);
        assert_true(pread(output, text, sizeof(text), 0) > 0);
        assert_string_equal(text, "input\nerror\n");

        /* The lines go to both. The same Sandbox runs any number of times. */
        assert_int_equal(lseek(input, 0, SEEK_SET), 0);
        command.on_line = fixture_keep_line;
        command.userdata = &lines;
        assert_int_equal(sandbox_run(sandbox, &command, NULL), 0);
        assert_true(pread(output, text, sizeof(text), 12) > 0);
        assert_string_equal(text, "input\nerror\n");
        assert_int_equal(strv_length(STRV(lines)), 2);
}

static void write_to_closed(const char *line, void *userdata) {
        int *const ends = userdata;

        if (!text_equal(line, "closed"))
                return;
        ends[0] = fd_close(ends[0]);
        assert_int_equal(write(ends[1], "x", 1), -1);
        assert_int_equal(errno, EPIPE);
}

/* When the command closes its standard input, nobody else inside keeps it open. */
static void test_closed_input(void **state) {
        const SandboxPolicy policy = fixture_policy(*state);
        _cleanup_(sandbox_freep) Sandbox *sandbox = NULL;
        const sighandler_t before = signal(SIGPIPE, SIG_IGN);
        int ends[2];

        assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
        assert_int_equal(sandbox_new(&policy, &sandbox, NULL), 0);
        assert_int_equal(
                sandbox_run(sandbox,
                            &(SandboxCommand){
                                    .argv = shell("exec 0<&-; sleep 0.2; echo closed; exec sleep 0.5"),
                                    .stdin_fd = ends[0],
                                    .output_fd = -EBADF,
                                    .data_fd = -EBADF,
                                    .on_line = write_to_closed,
                                    .userdata = ends,
                            },
                            NULL),
                0);
        assert_int_equal(ends[0], -EBADF);
        (void)fd_close(ends[1]);
        (void)signal(SIGPIPE, before);
}

/* The tests may be run by what ignores signals: nohup, or a shell's job in the background. */
static void notice_signals(void) {
        static const int signals[] = { SIGINT, SIGTERM, SIGHUP };

        for (size_t i = 0; i < ELEMENTSOF(signals); i++)
                (void)signal(signals[i], SIG_DFL);
}

/* A daemon with a session of its own ends with the command, and does not make us wait. */
static void test_daemons_are_killed(void **state) {
        Fixture *const fixture = *state;
        const SandboxPolicy policy = fixture_policy(fixture);
        const uint64_t start = now_ms();
        int life[2];

        assert_int_equal(pipe(life), 0); /* inherited by nobody but through standard input */
        {
                _cleanup_(sandbox_freep) Sandbox *sandbox = NULL;

                assert_int_equal(sandbox_new(&policy, &sandbox, NULL), 0);
                assert_int_equal(
                        sandbox_run(sandbox,
                                    &(SandboxCommand){
                                            .argv = shell("setsid sh -c 'sleep 1000; :' <&0 & exit 3"),
                                            .stdin_fd = life[1],
                                            .output_fd = -EBADF,
                                            .data_fd = -EBADF,
                                            .on_line = fixture_keep_line,
                                            .userdata = &fixture->lines,
                                    },
                                    NULL),
                        3);
        }
        (void)fd_close(life[1]);
        assert_int_equal(read(life[0], &(char){ 0 }, 1), 0); /* the last holder of the other end is gone */
        (void)fd_close(life[0]);
        assert_true(now_ms() - start < TIMEOUT_MS);
}

static char *list_tree(const Fixture *fixture) {
        _cleanup_(tree_freep) Tree *tree = NULL;
        _cleanup_(strv_freep) char **paths = NULL;
        char *text = NULL;

        assert_int_equal(tree_load(AT_FDCWD, fixture->tree, &tree, NULL), 0);
        for (size_t i = 0; i < tree->n_nodes; i++) {
                char *path = NULL;
                assert_int_equal(tree_node_path(tree->nodes[i], &path), 0);
                assert_int_equal(strv_take(&paths, path), 0);
        }
        assert_int_equal(strv_join(STRV(paths), "\n", &text), 0);
        return text;
}

static void test_mount_points_are_removed(void **state) {
        Fixture *const fixture = *state;
        SandboxPolicy policy = fixture_policy(fixture);
        const SandboxMount more[] = {
                { .type = SANDBOX_BIND, .source = "/usr", .target = "/a/b/c" },
                { .type = SANDBOX_BIND, .source = fixture_self, .target = "/a/b/file" },
                { .type = SANDBOX_TMPFS, .target = "/x" },
                { .type = SANDBOX_TMPFS, .target = "/run/inner/deep" },
        };
        SandboxMount room[ELEMENTSOF(fixture_mounts) + ELEMENTSOF(more) + 1];
        _cleanup_(freep) char *before = list_tree(fixture);

        fixture_add_mounts(&policy, room, more, ELEMENTSOF(more));
        for (unsigned i = 0; i < 2; i++) {
                _cleanup_(freep) char *after_success = NULL, *after_failure = NULL;

                policy.root_read_only = i == 1;
                fixture_script(fixture, &policy,
                               "test -d /a/b/c/bin; test -f /a/b/file; test -d /run/inner/deep");
                after_success = list_tree(fixture);
                assert_string_equal(before, after_success);

                room[ELEMENTSOF(room) - 1] =
                        (SandboxMount){ .type = SANDBOX_BIND, .source = "/nonexistent", .target = "/y" };
                policy.n_mounts++;
                assert_int_equal(fixture_run(fixture, &policy, shell("true"), NULL), -ENOENT);
                policy.n_mounts--;
                after_failure = list_tree(fixture);
                assert_string_equal(before, after_failure);
        }
}

/* What the command put into a directory that we made is the tree's. */
static void test_used_mount_points_stay(void **state) {
        Fixture *const fixture = *state;
        SandboxPolicy policy = fixture_policy(fixture);
        const SandboxMount more = { .type = SANDBOX_TMPFS, .target = "/a/b" };
        SandboxMount room[ELEMENTSOF(fixture_mounts) + 1];
        _cleanup_(freep) char *file = fixture_path(fixture->tree, "a/file"),
                              *gone = fixture_path(fixture->tree, "a/b");

        fixture_add_mounts(&policy, room, &more, 1);
        fixture_script(fixture, &policy, "echo x >/a/file");
        assert_int_equal(access(file, F_OK), 0);
        assert_int_equal(access(gone, F_OK), -1);
}

/* A process that runs a sandbox, of which something long-lived holds the other end of a pipe that we have. */
typedef struct Runner {
        pid_t pid;
        int life_fd;
} Runner;

static Runner runner_start(Fixture *fixture) {
        SandboxPolicy policy = fixture_policy(fixture);
        const SandboxMount more = { .type = SANDBOX_TMPFS, .target = "/made" };
        SandboxMount room[ELEMENTSOF(fixture_mounts) + 1];
        int life[2];
        char ready;

        fixture_add_mounts(&policy, room, &more, 1);
        assert_int_equal(pipe2(life, O_CLOEXEC), 0);
        const pid_t pid = fork();
        assert_true(pid >= 0);
        if (pid == 0) {
                Sandbox *sandbox = NULL;

                (void)close(life[0]);
                notice_signals();
                if (interrupt_catch() < 0 || sandbox_new(&policy, &sandbox, NULL) < 0)
                        _exit(100);
                const SandboxCommand command = {
                        .argv = shell("setsid sleep 1000 & echo; exec sleep 1000"),
                        .stdin_fd = -EBADF,
                        .output_fd = life[1],
                        .data_fd = -EBADF,
                };
                const int r = sandbox_run(sandbox, &command, NULL);
                _exit(r == -EINTR ? 101 : 102);
        }
        (void)close(life[1]);
        assert_int_equal(read(life[0], &ready, 1), 1);
        return (Runner){ .pid = pid, .life_fd = life[0] };
}

static int runner_end(Runner *runner, int signal_number) {
        struct pollfd ended = { .fd = runner->life_fd };
        int status;

        assert_int_equal(kill(runner->pid, signal_number), 0);
        assert_int_equal(waitpid(runner->pid, &status, 0), runner->pid);
        assert_int_equal(poll(&ended, 1, TIMEOUT_MS), 1);
        assert_int_equal(ended.revents, POLLHUP);
        runner->life_fd = fd_close(runner->life_fd);
        return status;
}

static void test_interrupt(void **state) {
        static const int signals[] = { SIGINT, SIGTERM, SIGHUP };
        _cleanup_(freep) char *before = list_tree(*state);

        for (size_t i = 0; i < ELEMENTSOF(signals); i++) {
                _cleanup_(freep) char *after = NULL;
                Runner runner = runner_start(*state);

                const int status = runner_end(&runner, signals[i]);
                assert_true(WIFEXITED(status));
                assert_int_equal(WEXITSTATUS(status), 101);
                after = list_tree(*state);
                assert_string_equal(before, after);
        }
}

static void test_killed(void **state) {
        Runner runner = runner_start(*state);

        const int status = runner_end(&runner, SIGKILL);
        assert_true(WIFSIGNALED(status));
}

/* What a process that runs a sandbox does with signals: it says 1 when the command is ready, 2 when it was asked to stop. */
static int stop_fd, kill_pipe[2];

static void note_stop(void) {
        (void)fd_write_all(stop_fd, "2", 1);
}

static pid_t stopper_start(Fixture *fixture, const char *script, uint64_t time_ms, int *ret_fd) {
        SandboxPolicy policy = fixture_policy(fixture);
        int ready[2];
        char said;

        policy.init = true;
        assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
        assert_int_equal(pipe2(kill_pipe, O_CLOEXEC), 0);
        const pid_t pid = fork();
        assert_true(pid >= 0);
        if (pid == 0) {
                Sandbox *sandbox = NULL;

                stop_fd = ready[1];
                notice_signals();
                if (interrupt_catch() < 0 || sandbox_new(&policy, &sandbox, NULL) < 0)
                        _exit(100);
                const SandboxStop stop = {
                        .signal = SIGUSR1, .time_ms = time_ms, .on_stop = note_stop, .kill_fd = kill_pipe[0]
                };
                const SandboxCommand command = { .argv = shell(script),
                                                 .stdin_fd = -EBADF,
                                                 .output_fd = ready[1],
                                                 .data_fd = -EBADF,
                                                 .stop = &stop };
                const int r = sandbox_run(sandbox, &command, NULL);
                _exit(r == -EINTR ? 101 : r >= 0 ? r : 102);
        }
        (void)close(ready[1]);
        assert_int_equal(read(ready[0], &said, 1), 1);
        *ret_fd = ready[0];
        return pid;
}

static int stopper_status(pid_t pid, int fd) {
        int status;

        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFEXITED(status));
        (void)close(fd);
        (void)close(kill_pipe[0]);
        (void)close(kill_pipe[1]);
        return WEXITSTATUS(status);
}

#define STOPS_ITSELF "trap 'exit 42' USR1; printf 1; while :; do sleep 0.01; done"
#define NEVER_STOPS  "printf 1; while :; do sleep 1000; done"

/* Asked to, the command ends in its own way; or it is killed when its time is over, by a second signal, or by the descriptor. */
static void test_stop(void **state) {
        char said;
        int fd;

        pid_t pid = stopper_start(*state, STOPS_ITSELF, UINT64_MAX, &fd);
        assert_int_equal(kill(pid, SIGTERM), 0);
        assert_int_equal(stopper_status(pid, fd), 42);

        pid = stopper_start(*state, NEVER_STOPS, 1, &fd);
        assert_int_equal(kill(pid, SIGTERM), 0);
        assert_int_equal(stopper_status(pid, fd), 101);

        pid = stopper_start(*state, NEVER_STOPS, UINT64_MAX, &fd);
        assert_int_equal(kill(pid, SIGTERM), 0);
        assert_int_equal(read(fd, &said, 1), 1);
        assert_int_equal(said, '2');
        /* Soon behind the first one it may be the same request: sooner or later it is another. */
        for (siginfo_t ended = {}; ended.si_pid == 0; (void)poll(NULL, 0, 10)) {
                assert_int_equal(kill(pid, SIGTERM), 0);
                assert_int_equal(waitid(P_PID, (id_t)pid, &ended, WEXITED | WNOHANG | WNOWAIT), 0);
        }
        assert_int_equal(stopper_status(pid, fd), 101);

        pid = stopper_start(*state, NEVER_STOPS, UINT64_MAX, &fd);
        assert_int_equal(write(kill_pipe[1], "x", 1), 1);
        assert_int_equal(stopper_status(pid, fd), SANDBOX_KILLED);
}

/* A command that cannot be executed is told from a sandbox that cannot be made. */
static void test_execute_status(void **state) {
        static const struct {
                const char *argv[2], *root;
                int status;
        } rows[] = {
                { { "none", NULL }, NULL, SANDBOX_NOT_FOUND },
                { { "/usr/none", NULL }, NULL, SANDBOX_NOT_FOUND },
                { { "/usr", NULL }, NULL, SANDBOX_NOT_EXECUTABLE },
                { { "true", NULL }, NULL, 0 },
                { { "true", NULL }, "/nowhere", 0 },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_(sandbox_freep) Sandbox *sandbox = NULL;
                _cleanup_(reason_done) Reason reason = {};
                SandboxPolicy policy = fixture_policy(*state);
                int status = 0;

                policy.name = "the image";
                if (rows[i].root)
                        policy.root = rows[i].root;
                assert_int_equal(sandbox_new(&policy, &sandbox, NULL), 0);
                const SandboxCommand command = { .argv = rows[i].argv,
                                                 .stdin_fd = -EBADF,
                                                 .output_fd = -EBADF,
                                                 .data_fd = -EBADF,
                                                 .execute_status = &status };
                const int r = sandbox_run(sandbox, &command, &reason);
                assert_int_equal(r < 0, rows[i].root || rows[i].status != 0);
                assert_int_equal(status, rows[i].status);
                if (status != 0)
                        assert_non_null(strstr(reason_text(&reason, r), " in the image: "));
        }
}

/* A signal that came before is not forgotten. */
static void test_interrupted_before(void **state) {
        Fixture *const fixture = *state;
        const SandboxPolicy policy = fixture_policy(fixture);
        int status;

        const pid_t pid = fork();
        assert_true(pid >= 0);
        if (pid == 0) {
                notice_signals();
                if (interrupt_catch() < 0 || raise(SIGTERM) != 0)
                        _exit(100);
                _exit(fixture_run(fixture, &policy, shell("true"), NULL) == -EINTR ? 101 : 102);
        }
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_int_equal(WEXITSTATUS(status), 101);
}

/* What is wrong with the command is known from its lines, also where there is no room for a copy of them. */
static void test_full_disk(void **state) {
        _cleanup_(sandbox_freep) Sandbox *sandbox = NULL;
        _cleanup_(strv_freep) char **lines = NULL;
        _cleanup_(fd_closep) int full_fd = open("/dev/full", O_WRONLY | O_CLOEXEC);
        const SandboxPolicy policy = fixture_policy(*state);

        assert_true(full_fd >= 0);
        assert_int_equal(sandbox_new(&policy, &sandbox, NULL), 0);
        assert_int_equal(sandbox_run(sandbox,
                                     &(SandboxCommand){ .argv = shell("echo a; echo b; exit 3"),
                                                        .stdin_fd = -EBADF,
                                                        .output_fd = full_fd,
                                                        .data_fd = -EBADF,
                                                        .on_line = fixture_keep_line,
                                                        .userdata = &lines },
                                     NULL),
                         3);
        assert_int_equal(strv_length(STRV(lines)), 2);
}

static int inside_power_off(void) {
        INSIDE_CHECK(getpid() == 1);
        (void)reboot(RB_POWER_OFF);
        return EXIT_FAILURE;
}

static int inside_reboot(void) {
        (void)reboot(RB_AUTOBOOT);
        return EXIT_FAILURE;
}

static int inside_no_reboot(void) {
        INSIDE_CHECK(reboot(RB_POWER_OFF) < 0 && errno == EPERM);
        return EXIT_SUCCESS;
}

static const Inside inside[] = {
        { "power-off", inside_power_off },
        { "reboot", inside_reboot },
        { "no-reboot", inside_no_reboot },
};

/* An init is process 1, and ends its namespace the way a machine ends; nobody else may. */
static void test_init(void **state) {
        SandboxPolicy policy = fixture_policy(*state);

        policy.capabilities = SANDBOX_CAPABILITIES_SYSTEM;
        fixture_inside(*state, &policy, "no-reboot");
        policy.init = true;
        assert_int_equal(fixture_run(*state, &policy,
                                     (const char *const[]){ "/self", "--inside", "power-off", NULL }, NULL),
                         SANDBOX_POWER_OFF);
        assert_int_equal(fixture_run(*state, &policy,
                                     (const char *const[]){ "/self", "--inside", "reboot", NULL }, NULL),
                         SANDBOX_REBOOT);
        assert_int_equal(fixture_run(*state, &policy, shell("exit 7"), NULL), 7);
        assert_int_equal(fixture_run(*state, &policy, (const char *const[]){ "/none", NULL }, NULL), -ENOENT);
}

/* Of a terminal that is its own. */
static void test_terminal(void **state) {
        _cleanup_(sandbox_freep) Sandbox *sandbox = NULL;
        _cleanup_(fd_closep) int master_fd = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC), slave_fd = -EBADF;
        SandboxPolicy policy = fixture_policy(*state);
        char text[256] = "";

        assert_true(master_fd >= 0 && grantpt(master_fd) == 0 && unlockpt(master_fd) == 0);
        slave_fd = open(ptsname(master_fd), O_RDWR | O_NOCTTY | O_CLOEXEC);
        assert_true(slave_fd >= 0);
        policy.new_session = policy.terminal = true;
        assert_int_equal(sandbox_new(&policy, &sandbox, NULL), 0);
        assert_int_equal(sandbox_run(sandbox,
                                     &(SandboxCommand){ .argv = shell("echo said >/dev/tty"),
                                                        .stdin_fd = slave_fd,
                                                        .output_fd = slave_fd,
                                                        .data_fd = -EBADF },
                                     NULL),
                         0);
        assert_true(read(master_fd, text, sizeof(text) - 1) > 0);
        assert_string_equal(text, "said\r\n");
}

static void test_nothing_is_left_open(void **state) {
        SandboxPolicy policy = fixture_policy(*state);
        const int before = dup(STDERR_FILENO);

        (void)close(before);
        policy.suppress_sync = true;
        for (unsigned i = 0; i < 3; i++) {
                assert_int_equal(fixture_run(*state, &policy, shell("true"), NULL), 0);
                assert_int_equal(fixture_run(*state, &policy, shell("kill -KILL $$"), NULL), 137);
                assert_int_equal(fixture_run(*state, &policy, (const char *const[]){ "/none", NULL }, NULL),
                                 -ENOENT);
        }
        const int after = dup(STDERR_FILENO);
        assert_int_equal(before, after);
        (void)close(after);
        assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
        assert_int_equal(errno, ECHILD);
}

int main(int argc, char *argv[]) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_status, fixture_setup, fixture_teardown),
                cmocka_unit_test_setup_teardown(test_lines, fixture_setup, fixture_teardown),
                cmocka_unit_test_setup_teardown(test_much_output, fixture_setup, fixture_teardown),
                cmocka_unit_test_setup_teardown(test_descriptors, fixture_setup, fixture_teardown),
                cmocka_unit_test_setup_teardown(test_closed_input, fixture_setup, fixture_teardown),
                cmocka_unit_test_setup_teardown(test_daemons_are_killed, fixture_setup, fixture_teardown),
                cmocka_unit_test_setup_teardown(test_mount_points_are_removed, fixture_setup,
                                                fixture_teardown),
                cmocka_unit_test_setup_teardown(test_used_mount_points_stay, fixture_setup, fixture_teardown),
                cmocka_unit_test_setup_teardown(test_interrupt, fixture_setup, fixture_teardown),
                cmocka_unit_test_setup_teardown(test_killed, fixture_setup, fixture_teardown),
                cmocka_unit_test_setup_teardown(test_interrupted_before, fixture_setup, fixture_teardown),
                cmocka_unit_test_setup_teardown(test_stop, fixture_setup, fixture_teardown),
                cmocka_unit_test_setup_teardown(test_execute_status, fixture_setup, fixture_teardown),
                cmocka_unit_test_setup_teardown(test_full_disk, fixture_setup, fixture_teardown),
                cmocka_unit_test_setup_teardown(test_init, fixture_setup, fixture_teardown),
                cmocka_unit_test_setup_teardown(test_terminal, fixture_setup, fixture_teardown),
                cmocka_unit_test_setup_teardown(test_nothing_is_left_open, fixture_setup, fixture_teardown),
        };

        return fixture_main(argc, argv, inside, ELEMENTSOF(inside), tests, ELEMENTSOF(tests));
}
