/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "sandbox-fixture.h"

#include <string.h>

#include "sandbox/sandbox-channel.h"
#include "sandbox/sandbox-target.h"

/* A tree with traps, and where mount points end up in it. "outside" lies beside the tree. */
typedef struct TargetCase {
        const char *path;
        SandboxTargetKind kind;
        const char *real; /* relative to the tree; NULL: not to be had */
        int error;
        const char *made; /* what was announced, as "+name" for directories and "=name" for files */
} TargetCase;

static const char *const tree_directories[] = { "etc", "usr", "usr/lib", "run" };
static const char *const tree_links[][2] = {
        { "etc/resolv.conf", "../run/resolve/stub.conf" },
        { "etc/absolute", "/run/absolute.conf" },
        { "etc/up", "../../../../../../outside" },
        { "etc/host", "/../../outside/deep" },
        { "etc/loop", "loop" },
        { "etc/ghost", "none/../ghost" }, /* a loop only when "none" is there */
        { "etc/a", "b" },
        { "etc/b", "a/x" },
        { "lib", "usr/lib" },
        { "proc", "../../outside" },
};

/* clang-format off */
static const TargetCase target_cases[] = {
        { "/",                    SANDBOX_TARGET_DIRECTORY, "." },
        { "/etc",                 SANDBOX_TARGET_DIRECTORY, "etc" },
        { "//etc/.//",            SANDBOX_TARGET_DIRECTORY, "etc" },
        { "/../../etc",           SANDBOX_TARGET_DIRECTORY, "etc" },
        { "/etc/../usr",          SANDBOX_TARGET_DIRECTORY, "usr" },
        { "/lib",                 SANDBOX_TARGET_DIRECTORY, "usr/lib" },
        { "/etc/file",            SANDBOX_TARGET_FILE,      "etc/file" },
        { "/etc/new",             SANDBOX_TARGET_FILE,      "etc/new",               0, "=new" },
        { "/etc/new",             SANDBOX_TARGET_DIRECTORY, "etc/new",               0, "+new" },
        { "/x/./y//z",            SANDBOX_TARGET_FILE,      "x/y/z",                 0, "+x+y=z" },
        { "/x/../y",              SANDBOX_TARGET_DIRECTORY, "y",                     0, "+x+y" },
        { "/x/../../../y",        SANDBOX_TARGET_DIRECTORY, "y",                     0, "+x+y" },
        { "/lib/new",             SANDBOX_TARGET_FILE,      "usr/lib/new",           0, "=new" },
        { "/etc/resolv.conf",     SANDBOX_TARGET_FILE,      "run/resolve/stub.conf", 0, "+resolve=stub.conf" },
        { "/etc/absolute",        SANDBOX_TARGET_FILE,      "run/absolute.conf",     0, "=absolute.conf" },
        { "/etc/up",              SANDBOX_TARGET_DIRECTORY, "outside",               0, "+outside" },
        { "/etc/host",            SANDBOX_TARGET_FILE,      "outside/deep",          0, "+outside=deep" },
        { "/proc",                SANDBOX_TARGET_DIRECTORY, "outside",               0, "+outside" },
        { "/proc/sys",            SANDBOX_TARGET_DIRECTORY, "outside/sys",           0, "+outside+sys" },
        { "/etc/ghost",           SANDBOX_TARGET_FILE,      NULL, -ELOOP },
        { "/etc/loop",            SANDBOX_TARGET_FILE,      NULL, -ELOOP },
        { "/etc/a",               SANDBOX_TARGET_FILE,      NULL, -ELOOP },
        { "/etc/file/x",          SANDBOX_TARGET_FILE,      NULL, -ENOTDIR },
};
/* clang-format on */

static void populate(const char *tree) {
        _cleanup_(freep) char *file = fixture_path(tree, "etc/file");

        assert_int_equal(tree_remove(AT_FDCWD, tree), 0);
        assert_int_equal(mkdir(tree, 0755), 0);
        for (size_t i = 0; i < ELEMENTSOF(tree_directories); i++) {
                _cleanup_(freep) char *path = fixture_path(tree, tree_directories[i]);
                assert_int_equal(mkdir(path, 0755), 0);
        }
        for (size_t i = 0; i < ELEMENTSOF(tree_links); i++) {
                _cleanup_(freep) char *path = fixture_path(tree, tree_links[i][0]);
                assert_int_equal(symlink(tree_links[i][1], path), 0);
        }
        fixture_write(file, "");
}

/* What was announced, after checking that the descriptors lead to where it was made. */
static char *receive_made(int parent_fd) {
        char *text = NULL;
        size_t size;
        FILE *const file = open_memstream(&text, &size);
        SandboxMessage message;
        int fd;

        while (sandbox_channel_receive(parent_fd, &message, &fd) > 0) {
                const bool directory = message.type == SANDBOX_MESSAGE_MAKING_DIRECTORY;
                struct stat status;

                (void)fprintf(file, "%c%s", directory ? '+' : '=', message.text);
                if (fstatat(fd, message.text, &status, AT_SYMLINK_NOFOLLOW) == 0)
                        assert_int_equal(directory, S_ISDIR(status.st_mode));
                (void)fd_close(fd);
        }
        assert_int_equal(fclose(file), 0);
        return text;
}

static void check_target(const Fixture *fixture, const TargetCase *item) {
        _cleanup_(fd_closep) int root_fd = -EBADF, parent_fd = -EBADF, child_fd = -EBADF, fd = -EBADF;
        struct stat found, expected;
        _cleanup_(freep) char *made = NULL;

        populate(fixture->tree);
        root_fd = open(fixture->tree, O_PATH | O_DIRECTORY | O_CLOEXEC);
        assert_true(root_fd >= 0);
        assert_int_equal(sandbox_channel_open(&parent_fd, &child_fd), 0);

        const int r = sandbox_target_make(root_fd, item->path, item->kind, child_fd, &fd);
        child_fd = fd_close(child_fd);
        made = receive_made(parent_fd);
        if (r != item->error)
                fail_msg("%s: %d instead of %d", item->path, r, item->error);
        if (!item->real)
                return;
        assert_string_equal(made, item->made ? item->made : "");
        assert_int_equal(fstat(fd, &found), 0);
        assert_int_equal(fstatat(root_fd, item->real, &expected, AT_SYMLINK_NOFOLLOW), 0);
        assert_true(found.st_dev == expected.st_dev && found.st_ino == expected.st_ino);
        assert_int_equal(S_ISDIR(found.st_mode), item->kind == SANDBOX_TARGET_DIRECTORY);
        assert_int_equal(found.st_mode & 07777, S_ISDIR(found.st_mode) ? 0755 : 0644);
}

static void test_cases(void **state) {
        const Fixture *const fixture = *state;
        _cleanup_(freep) char *outside = fixture_path(fixture->directory, "outside");

        for (size_t i = 0; i < ELEMENTSOF(target_cases); i++) {
                check_target(fixture, &target_cases[i]);
                /* Whatever the links say, nothing appeared beside the tree. */
                assert_int_equal(access(outside, F_OK), -1);
        }
}

static void test_too_long(void **state) {
        const Fixture *const fixture = *state;
        _cleanup_(fd_closep) int root_fd = open(fixture->tree, O_PATH | O_DIRECTORY | O_CLOEXEC), fd = -EBADF;
        char path[2 * PATH_MAX] = "/";

        memset(path + 1, 'x', NAME_MAX + 1);
        assert_int_equal(sandbox_target_make(root_fd, path, SANDBOX_TARGET_FILE, -EBADF, &fd), -ENAMETOOLONG);
        for (size_t i = 0; i < sizeof(path) - 1; i++)
                path[i] = i % 10 == 0 ? '/' : 'x';
        assert_int_equal(sandbox_target_make(root_fd, path, SANDBOX_TARGET_FILE, -EBADF, &fd), -ENAMETOOLONG);
}

int main(int argc, char *argv[]) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_cases, fixture_setup, fixture_teardown),
                cmocka_unit_test_setup_teardown(test_too_long, fixture_setup, fixture_teardown),
        };

        (void)umask(022);
        return fixture_main(argc, argv, NULL, 0, tests, ELEMENTSOF(tests));
}
