/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the tests of src/sandbox/ share: a tree to run in, and runs that keep the lines of output.
 *
 * The tree has the host's /usr and this test program as /self; "/self --inside NAME" is to run one of the functions that
 * the program gave to fixture_main(). Everything needs uid 0 or a user namespace; without both, tests are skipped. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/path.h"
#include "base/strv.h"
#include "base/text.h"
#include "base/tree.h"
#include "sandbox/sandbox.h"

#define _fixture_ static inline __attribute__((unused))

typedef struct Inside {
        const char *name;
        int (*run)(void); /* exit status */
} Inside;

typedef struct Fixture {
        char *directory; /* "tree" lies in it, and room for more */
        char *tree;
        char **lines;
} Fixture;

/* Found when the program starts: itself, and whether it is root in a user namespace of its own only. */
static char fixture_self[PATH_MAX];
static bool fixture_rootless;

/* clang-format off */
static const SandboxMount fixture_mounts[] = {
        { .type = SANDBOX_BIND_READ_ONLY, .source = "/usr", .target = "/usr", .recursive = true },
        { .type = SANDBOX_BIND_READ_ONLY, .source = fixture_self, .target = "/self" },
        { .type = SANDBOX_DEV,            .target = "/dev" },
        { .type = SANDBOX_PROC,           .target = "/proc" },
        { .type = SANDBOX_SYS,            .target = "/sys" },
        { .type = SANDBOX_TMPFS,          .target = "/run", .options = "mode=0755,nosuid,nodev" },
        { .type = SANDBOX_TMPFS,          .target = "/tmp", .options = "mode=1777,nosuid,nodev" },
};
static const char *const fixture_environment[] = { "PATH=/usr/sbin:/usr/bin", "LC_ALL=C", NULL };
static const char *const fixture_links[] = { "bin", "sbin", "lib", "lib32", "lib64" };
/* clang-format on */

_fixture_ void fixture_write(const char *path, const char *text) {
        _cleanup_(fd_closep) int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

        assert_true(fd >= 0);
        assert_int_equal(fd_write_all(fd, text, strlen(text)), 0);
}

_fixture_ char *fixture_path(const char *a, const char *b) {
        char *path = NULL;

        assert_int_equal(path_join(a, b, &path), 0);
        return path;
}

/* Whether sandboxes can be run here; becomes root of a user namespace if need be, once for the whole program. */
_fixture_ bool fixture_privileged(void) {
        const uid_t uid = geteuid();
        const gid_t gid = getegid();
        char text[64];

        if (uid == 0)
                return true;
        fixture_rootless = true;
        if (unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0)
                return false;
        (void)snprintf(text, sizeof(text), "0 %u 1\n", uid);
        fixture_write("/proc/self/uid_map", text);
        fixture_write("/proc/self/setgroups", "deny");
        (void)snprintf(text, sizeof(text), "0 %u 1\n", gid);
        fixture_write("/proc/self/gid_map", text);
        return true;
}

_fixture_ int fixture_setup(void **state) {
        Fixture *const fixture = calloc(1, sizeof(*fixture));

        fixture->directory = strdup("/var/tmp/test-sandbox-XXXXXX");
        assert_non_null(mkdtemp(fixture->directory));
        fixture->tree = fixture_path(fixture->directory, "tree");
        assert_int_equal(mkdir(fixture->tree, 0755), 0);
        for (size_t i = 0; i < ELEMENTSOF(fixture_links); i++) {
                _cleanup_(freep) char *path = fixture_path(fixture->tree, fixture_links[i]);
                _cleanup_(freep) char *target = fixture_path("usr", fixture_links[i]);

                assert_int_equal(symlink(target, path), 0);
        }
        *state = fixture;
        return 0;
}

_fixture_ int fixture_teardown(void **state) {
        Fixture *const fixture = *state;

        assert_int_equal(tree_remove(AT_FDCWD, fixture->directory), 0);
        strv_free(fixture->lines);
        free(fixture->tree);
        free(fixture->directory);
        free(fixture);
        return 0;
}

_fixture_ SandboxPolicy fixture_policy(const Fixture *fixture) {
        return (SandboxPolicy){
                .root = fixture->tree,
                .mounts = fixture_mounts,
                .n_mounts = ELEMENTSOF(fixture_mounts),
                .environment = fixture_environment,
        };
}

/* The usual mounts and more behind them. */
_fixture_ void fixture_add_mounts(SandboxPolicy *policy, SandboxMount *room, const SandboxMount *more,
                                  size_t n_more) {
        for (size_t i = 0; i < ELEMENTSOF(fixture_mounts); i++)
                room[i] = fixture_mounts[i];
        for (size_t i = 0; i < n_more; i++)
                room[ELEMENTSOF(fixture_mounts) + i] = more[i];
        policy->mounts = room;
        policy->n_mounts = ELEMENTSOF(fixture_mounts) + n_more;
}

_fixture_ void fixture_keep_line(const char *line, void *userdata) {
        assert_int_equal(strv_append(userdata, line), 0);
}

/* Runs the argument vector, keeps its output in fixture->lines, and returns what sandbox_run() does. */
_fixture_ int fixture_run(Fixture *fixture, const SandboxPolicy *policy, const char *const *argv,
                          Reason *reason) {
        _cleanup_(sandbox_freep) Sandbox *sandbox = NULL;

        strv_free(fixture->lines);
        fixture->lines = NULL;
        assert_int_equal(sandbox_new(policy, &sandbox, reason), 0);
        return sandbox_run(sandbox,
                           &(SandboxCommand){
                                   .argv = argv,
                                   .stdin_fd = -EBADF,
                                   .output_fd = -EBADF,
                                   .data_fd = -EBADF,
                                   .on_line = fixture_keep_line,
                                   .userdata = &fixture->lines,
                           },
                           reason);
}

/* Runs a script with /bin/sh, or a function of this program, which has to succeed; on failure shows what it said. */
_fixture_ void fixture_succeeds(Fixture *fixture, const SandboxPolicy *policy, const char *const *argv) {
        Reason reason = {};
        const int r = fixture_run(fixture, policy, argv, &reason);

        for (char **line = fixture->lines; r != 0 && line && *line; line++)
                print_error("%s\n", *line);
        if (r != 0)
                fail_msg("status %d: %s", r, r < 0 ? reason_text(&reason, r) : "");
        reason_done(&reason);
}

/* For scripts: "denied COMMAND" ends the script when the command succeeds, "same A B" when the texts differ. */
#define FIXTURE_PRELUDE                                                                         \
        "set -eu\n"                                                                             \
        "denied() { if \"$@\" 2>/dev/null; then echo \"not denied: $*\"; exit 1; fi; }\n"       \
        "same() { if [ \"$1\" != \"$2\" ]; then echo \"not the same: $1, $2\"; exit 1; fi; }\n" \
        "write() { echo x >\"$1\"; }\n"

_fixture_ void fixture_script(Fixture *fixture, const SandboxPolicy *policy, const char *script) {
        _cleanup_(freep) char *text = NULL;

        assert_int_equal(text_format(&text, "%s%s", FIXTURE_PRELUDE, script), 0);
        fixture_succeeds(fixture, policy, (const char *const[]){ "sh", "-c", text, NULL });
}

_fixture_ void fixture_inside(Fixture *fixture, const SandboxPolicy *policy, const char *name) {
        fixture_succeeds(fixture, policy, (const char *const[]){ "/self", "--inside", name, NULL });
}

/* Inside: says what is wrong, and where. */
#define INSIDE_CHECK(condition)                                                                           \
        do {                                                                                              \
                if (!(condition)) {                                                                       \
                        (void)fprintf(stderr, "%s:%d: %s (errno: %m)\n", __FILE__, __LINE__, #condition); \
                        return EXIT_FAILURE;                                                              \
                }                                                                                         \
        } while (0)

_fixture_ int fixture_main(int argc, char *argv[], const Inside *inside, size_t n_inside,
                           const struct CMUnitTest *tests, size_t n_tests) {
        if (argc == 3 && text_equal(argv[1], "--inside")) {
                int status = EXIT_FAILURE;

                for (size_t i = 0; i < n_inside; i++)
                        if (text_equal(inside[i].name, argv[2]))
                                status = inside[i].run();
                (void)fflush(NULL);
                _exit(status); /* a leak checker could not work in a sandbox */
        }
        if (!fixture_privileged()) {
                (void)fprintf(stderr, "Neither uid 0 nor user namespaces: skipped\n");
                return 77;
        }
        if (readlink("/proc/self/exe", fixture_self, sizeof(fixture_self) - 1) < 0)
                return EXIT_FAILURE;
        return _cmocka_run_group_tests("sandbox", tests, n_tests, NULL, NULL);
}
