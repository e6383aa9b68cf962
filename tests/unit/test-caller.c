/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <sys/stat.h>

#include "base/caller.h"
#include "base/fd.h"
#include "temporary-directory.h"

#define UID 4711
#define GID 4712

static void call_by_sudo(const char *uid, const char *gid) {
        assert_int_equal(uid ? setenv("SUDO_UID", uid, 1) : unsetenv("SUDO_UID"), 0);
        assert_int_equal(gid ? setenv("SUDO_GID", gid, 1) : unsetenv("SUDO_GID"), 0);
}

static void make_directory_of(const char *path, uid_t uid) {
        assert_int_equal(mkdir(path, 0755), 0);
        assert_int_equal(chown(path, uid, uid), 0);
}

static void assert_owner(const char *path, uid_t uid, gid_t gid) {
        struct stat status;

        assert_int_equal(lstat(path, &status), 0);
        assert_int_equal(status.st_uid, uid);
        assert_int_equal(status.st_gid, gid);
}

static void make(const char *path, bool give) {
        assert_int_equal(caller_make_directories(path, 0755, give), 0);
}

static void test_without_sudo(void **state) {
        struct stat status;

        call_by_sudo(NULL, NULL);
        make("a/b//c/", true);
        make("a/b/c", true);
        make("/", true);
        assert_int_equal(stat("a/b/c", &status), 0);
        assert_int_equal(status.st_mode, S_IFDIR | 0755);
        assert_owner("a/b/c", geteuid(), getegid());
        assert_int_equal(file_write_text(AT_FDCWD, "file", "", 0644), 0);
        assert_int_equal(caller_make_directories("file/x", 0755, true), -ENOTDIR);
        assert_int_equal(symlink("nowhere", "link"), 0);
        assert_int_equal(caller_make_directories("link", 0755, true), -ENOENT);
}

/* What is made in a directory of the caller's is his, all the way down; anything else is not, and nothing that was there
 * changes its owner. */
static void test_directories(void **state) {
        if (geteuid() != 0)
                skip();
        call_by_sudo("4711", "4712");
        make_directory_of("his", UID);
        make_directory_of("ours", 0);
        make_directory_of("his/ours", 0);
        assert_int_equal(symlink("../ours", "his/link"), 0);
        assert_int_equal(symlink("../his", "ours/link"), 0);

        make("his/a/b", true);
        assert_owner("his/a", UID, GID);
        assert_owner("his/a/b", UID, GID);
        make("ours/a", true);
        assert_owner("ours/a", 0, 0);
        assert_int_equal(chmod("ours", 0777), 0);
        make("ours/for-all", true);
        assert_owner("ours/for-all", 0, 0);
        make("his/ours/a", true);
        assert_owner("his/ours", 0, 0);
        assert_owner("his/ours/a", 0, 0);
        /* Behind a link, what counts is where it leads. */
        make("his/link/b", true);
        assert_owner("ours/b", 0, 0);
        assert_owner("his/link", 0, 0);
        make("ours/link/c", true);
        assert_owner("his/c", UID, GID);
        make("his/d", false);
        assert_owner("his/d", 0, 0);

        /* Where he may not write himself. */
        assert_int_equal(chmod("his", 0555), 0);
        make("his/e", true);
        assert_owner("his/e", 0, 0);
        /* And we are root again. */
        assert_int_equal(file_write_text(AT_FDCWD, "after", "", 0644), 0);
        assert_owner("after", 0, 0);
}

static void test_callers_that_are_none(void **state) {
        static const char *const callers[][2] = {
                { "4711", NULL }, { NULL, "4712" }, { "0", "0" },
                { "x", "4712" },  { "-1", "4712" }, { "4294967295", "0" },
        };
        char path[] = "his/0";

        if (geteuid() != 0)
                skip();
        make_directory_of("his", UID);
        for (size_t i = 0; i < ELEMENTSOF(callers); i++, path[4]++) {
                call_by_sudo(callers[i][0], callers[i][1]);
                make(path, true);
                assert_owner(path, 0, 0);
        }
}

static void test_files(void **state) {
        _cleanup_(fd_closep) int fd = open("file", O_RDWR | O_CREAT | O_CLOEXEC, 0600);

        if (geteuid() != 0)
                skip();
        call_by_sudo("4711", "4712");
        make_directory_of("his", UID);
        make_directory_of("ours", 0);
        assert_int_equal(caller_give(fd, "ours"), 0);
        assert_owner("file", 0, 0);
        assert_int_equal(caller_give(fd, "missing"), -ENOENT);
        assert_int_equal(caller_give(fd, "his"), 1);
        assert_owner("file", UID, GID);
        call_by_sudo(NULL, NULL);
        assert_int_equal(caller_give(fd, "his"), 0);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                unit_test_in_directory(test_without_sudo),
                unit_test_in_directory(test_directories),
                unit_test_in_directory(test_callers_that_are_none),
                unit_test_in_directory(test_files),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
