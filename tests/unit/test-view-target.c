/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Targets that are missing, alone and as views have them; and what can be executed in a view. */

#include "view-fixture.h"

#include "sandbox/view-target.h"

#define VIEW(entries, check) in_view(entries, ELEMENTSOF(entries), check)

static bool is_executable(const char *path) {
        return access(path, X_OK) == 0;
}

static void check_executable(void) {
        INSIDE_CHECK(!is_executable("/mnt/program") && !is_executable("/mnt/rw/program"));
        INSIDE_CHECK(is_executable("/mnt/x/program") && !is_executable("/mnt/x/not/program"));
        INSIDE_CHECK(write_error("/mnt") == EROFS && write_error("/mnt/x") == EROFS);
        INSIDE_CHECK(write_error("/mnt/rw") == 0);
}

/* Beside what is read-only, in whatever order. */
static void test_executable(void **state) {
        static const char *const programs[] = {
                "/mnt/program",
                "/mnt/rw/program",
                "/mnt/x/program",
                "/mnt/x/not/program",
        };
        static const ViewEntry entries[] = {
                { .type = VIEW_EXECUTABLE, .path = "/mnt/x" },
                { .type = VIEW_NO_EXECUTE, .path = "/mnt" },
                { .type = VIEW_READ_ONLY, .path = "/mnt" },
                { .type = VIEW_WRITABLE, .path = "/mnt/rw" },
                { .type = VIEW_NO_EXECUTE, .path = "/mnt/x/not" },
        };

        world_only_as_root();
        make_directory("/mnt/rw");
        make_directory("/mnt/x/not");
        for (size_t i = 0; i < ELEMENTSOF(programs); i++) {
                make_file(programs[i], "#!/bin/true");
                assert_int_equal(chmod(programs[i], 0755), 0);
        }
        VIEW(entries, check_executable);
        assert_true(is_executable("/mnt/program"));
}

static void check_made(void) {
        INSIDE_CHECK(file_has("/mnt/new/a/file", "text") && file_has("/mnt/new/file", "text"));
        INSIDE_CHECK(write_error("/mnt/new/memory") == 0 && write_error("/mnt/new") == EROFS);
        INSIDE_CHECK(access("/mnt/none", F_OK) < 0);
}

/* On the host, though it is read-only in the view, with modes that do not depend on who makes them. */
static void test_made(void **state) {
        static const ViewEntry entries[] = {
                { .type = VIEW_READ_ONLY, .path = "/mnt" },
                { .type = VIEW_BIND, .path = "/mnt/new/a", .source = "/mnt/source", .make = true },
                { .type = VIEW_BIND, .path = "/mnt/new/file", .source = "/mnt/source/file", .make = true },
                { .type = VIEW_BIND,
                  .path = "/mnt/none",
                  .source = "/mnt/missing",
                  .make = true,
                  .optional = true },
                { .type = VIEW_TMPFS, .path = "/mnt/new/memory", .make = true },
        };
        struct stat status;

        world_only_as_root();
        make_directory("/mnt/source");
        make_file("/mnt/source/file", "text");
        const mode_t before = umask(0077);
        VIEW(entries, check_made);
        (void)umask(before);
        assert_int_equal(stat("/mnt/new/a", &status), 0);
        assert_true(S_ISDIR(status.st_mode) && (status.st_mode & 07777) == 0755);
        assert_int_equal(stat("/mnt/new/file", &status), 0);
        assert_true(S_ISREG(status.st_mode) && (status.st_mode & 07777) == 0644);
        assert_int_equal(access("/mnt/none", F_OK), -1);
}

/* Where a link leads that somebody else can have planted, root makes nothing. */
static void test_planted(void **state) {
        static const ViewEntry entry = {
                .type = VIEW_BIND,
                .path = "/mnt/theirs/link/new",
                .source = "/mnt/source",
                .make = true,
        };

        world_only_as_root();
        make_directory("/mnt/source");
        make_directory("/mnt/secret");
        make_directory("/mnt/theirs");
        assert_int_equal(symlink("/mnt/secret", "/mnt/theirs/link"), 0);
        assert_int_equal(lchown("/mnt/theirs/link", 65534, 65534), 0);
        no_view(&entry, 1, -EPERM,
                "bind /mnt/source on /mnt/theirs/link/new: /mnt/theirs/link/new is not there, and is not made where a link "
                "leads that is not root's: make it first");
        assert_int_equal(access("/mnt/secret/new", F_OK), -1);
}

static void test_target(void **state) {
        _cleanup_(fd_closep) int root_fd = open("/mnt", O_PATH | O_CLOEXEC);
        int fd;

        world_only_as_root();
        assert_int_equal(view_target_make(root_fd, "/a/b/c", false, &fd), 0);
        (void)close(fd);
        assert_true(file_has("/mnt/a/b/c", ""));
        assert_int_equal(view_target_make(root_fd, "/a/b", true, &fd), 0);
        (void)close(fd);
        assert_int_equal(view_target_make(root_fd, "/a/b/c/d", true, &fd), -ENOTDIR);
        assert_int_equal(symlink("/tmp", "/mnt/link"), 0);
        assert_int_equal(view_target_make(root_fd, "/link/new", true, &fd), -ELOOP);
        assert_int_equal(view_target_make(root_fd, "/link", true, &fd), -ELOOP);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                world_test(test_target),
                world_test(test_executable),
                world_test(test_made),
                world_test(test_planted),
        };

        return cmocka_run_group_tests(tests, world_enter, NULL);
}
