/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include "base/copy-tree.h"
#include "base/fd.h"
#include "temporary-directory.h"

static void make_file(const char *path, const char *text, mode_t mode) {
        assert_int_equal(file_write_text(AT_FDCWD, path, text, mode), 0);
}

static void make_directory(const char *path, mode_t mode) {
        assert_int_equal(mkdir(path, 0700), 0);
        assert_int_equal(chmod(path, mode), 0);
}

static void set_time(const char *path, time_t seconds, long nanoseconds) {
        const struct timespec times[] = { { .tv_sec = 5, .tv_nsec = 6 },
                                          { .tv_sec = seconds, .tv_nsec = nanoseconds } };

        assert_int_equal(utimensat(AT_FDCWD, path, times, AT_SYMLINK_NOFOLLOW), 0);
}

static struct stat status_of(const char *path) {
        struct stat status = {};

        assert_int_equal(lstat(path, &status), 0);
        return status;
}

static void assert_same_status(const char *a, const char *b) {
        const struct stat x = status_of(a), y = status_of(b);

        assert_int_equal(x.st_mode, y.st_mode);
        assert_int_equal(x.st_rdev, y.st_rdev);
        assert_int_equal(x.st_mtim.tv_sec, y.st_mtim.tv_sec);
        assert_int_equal(x.st_mtim.tv_nsec, y.st_mtim.tv_nsec);
        if (!S_ISDIR(x.st_mode)) {
                assert_int_equal(x.st_size, y.st_size);
                assert_int_equal(x.st_nlink, y.st_nlink);
        }
}

static void assert_text(const char *path, const char *expected) {
        _cleanup_(freep) char *text = NULL;

        assert_int_equal(file_read(AT_FDCWD, path, MIB, &text, NULL), 0);
        assert_string_equal(text, expected);
}

static void copy(CopyTreeFlags flags) {
        _cleanup_(reason_done) Reason reason = {};

        int r = copy_tree(AT_FDCWD, "from", "to", &(CopyTreeOptions){ .flags = flags }, &reason);
        if (r < 0)
                fail_msg("%s", reason_text(&reason, r));
}

static void test_everything(void **state) {
        static const char *const names[] = { "", "/file", "/link", "/hard", "/dir", "/dir/other", "/fifo" };

        make_directory("from", 0751);
        make_file("from/file", "text", 0640);
        assert_int_equal(chmod("from/file", 04711), 0);
        assert_int_equal(link("from/file", "from/hard"), 0);
        assert_int_equal(symlink("/nowhere", "from/link"), 0);
        assert_int_equal(mkfifo("from/fifo", 0620), 0);
        make_directory("from/dir", 01777);
        assert_int_equal(link("from/file", "from/dir/other"), 0);
        set_time("from/file", 1000000000, 123456789);
        set_time("from/link", 1000000001, 1);
        set_time("from/dir", 1000000002, 2);
        set_time("from", 1000000003, 3);

        const mode_t mask = umask(0077);
        copy(0);
        (void)umask(mask);

        for (size_t i = 0; i < ELEMENTSOF(names); i++) {
                char from[64], to[64];

                (void)snprintf(from, sizeof(from), "from%s", names[i]);
                (void)snprintf(to, sizeof(to), "to%s", names[i]);
                assert_same_status(from, to);
        }
        assert_text("to/dir/other", "text");
        assert_int_equal(status_of("to/file").st_ino, status_of("to/dir/other").st_ino);
}

static void test_merge(void **state) {
        make_directory("from", 0700);
        make_directory("from/etc", 0700);
        make_directory("from/new", 0711);
        make_file("from/etc/replaced", "new", 0600);
        make_file("from/etc/link", "new", 0600);
        make_directory("to", 0755);
        make_directory("to/etc", 0755);
        make_file("to/etc/kept", "old", 0644);
        make_file("to/etc/replaced", "old", 0644);
        make_file("to/etc/target", "old", 0644);
        assert_int_equal(link("to/etc/replaced", "to/etc/twin"), 0);
        assert_int_equal(symlink("target", "to/etc/link"), 0);

        copy(0);
        /* What was there keeps its mode; files are replaced, never written through. */
        assert_int_equal(status_of("to").st_mode, S_IFDIR | 0755);
        assert_int_equal(status_of("to/etc").st_mode, S_IFDIR | 0755);
        assert_int_equal(status_of("to/new").st_mode, S_IFDIR | 0711);
        assert_int_equal(status_of("to/etc/replaced").st_mode, S_IFREG | 0600);
        assert_text("to/etc/kept", "old");
        assert_text("to/etc/replaced", "new");
        assert_text("to/etc/twin", "old");
        assert_text("to/etc/link", "new");
        assert_text("to/etc/target", "old");
}

static void test_in_the_way(void **state) {
        _cleanup_(reason_done) Reason link_reason = {}, file_reason = {};

        make_directory("outside", 0755);
        make_directory("from", 0755);
        make_directory("from/lib", 0755);
        make_file("from/lib/x", "new", 0644);
        make_directory("to", 0755);
        assert_int_equal(symlink("../outside", "to/lib"), 0);

        assert_int_equal(copy_tree(AT_FDCWD, "from", "to", &(CopyTreeOptions){}, &link_reason), -ENOTDIR);
        assert_string_equal(link_reason.text,
                            "Cannot copy the directory 'lib': the target has a link or a file of that name");
        assert_int_equal(access("outside/x", F_OK), -1);

        assert_int_equal(symlink("outside", "to-link"), 0);
        assert_int_equal(copy_tree(AT_FDCWD, "from", "to-link", &(CopyTreeOptions){}, NULL), -ENOTDIR);
        assert_int_equal(access("outside/lib", F_OK), -1);

        /* A directory is not thrown away for a file. */
        make_directory("second", 0755);
        make_file("second/lib", "file", 0644);
        assert_int_equal(copy_tree(AT_FDCWD, "second", "from", &(CopyTreeOptions){}, &file_reason), -EISDIR);
        assert_text("from/lib/x", "new");
}

/* Links that lead to directories stand for them, as "/lib" does for "/usr/lib" in most distributions. */
static void test_into_links(void **state) {
        _cleanup_(reason_done) Reason reason = {};
        const CopyTreeOptions options = { .flags = COPY_TREE_INTO_LINKS };

        make_directory("outside", 0755);
        make_directory("from", 0755);
        make_directory("from/lib", 0700);
        make_directory("from/lib/new", 0711);
        make_file("from/lib/x", "new", 0644);
        make_file("from/lib/new/y", "new", 0644);
        assert_int_equal(link("from/lib/x", "from/lib/new/z"), 0);
        make_directory("to", 0755);
        make_directory("to/usr", 0755);
        make_directory("to/usr/lib", 0755);
        /* Absolute: the target is "/". */
        assert_int_equal(symlink("/usr/lib", "to/lib"), 0);

        assert_int_equal(copy_tree(AT_FDCWD, "from", "to", &options, &reason), 0);
        assert_true(S_ISLNK(status_of("to/lib").st_mode));
        assert_text("to/usr/lib/x", "new");
        assert_int_equal(status_of("to/usr/lib").st_mode, S_IFDIR | 0755);
        assert_int_equal(status_of("to/usr/lib/new").st_mode, S_IFDIR | 0711);
        assert_int_equal(status_of("to/usr/lib/x").st_ino, status_of("to/usr/lib/new/z").st_ino);

        /* Nothing leaves the target, and what leads nowhere is still in the way. */
        make_directory("second", 0755);
        assert_int_equal(symlink("../../outside", "second/lib"), 0);
        assert_int_equal(copy_tree(AT_FDCWD, "from", "second", &options, &reason), -ENOTDIR);
        assert_int_equal(access("outside/x", F_OK), -1);
}

static bool wants(const char *path, const struct stat *status, void *userdata) {
        ++*(unsigned *)userdata;
        return strcmp(path, "a/skipped") != 0 && (S_ISDIR(status->st_mode) || strstr(path, "good"));
}

static void test_filter(void **state) {
        unsigned n_asked = 0;
        const TreeFilter filter = { .wanted = wants, .userdata = &n_asked };

        make_directory("from", 0755);
        make_directory("from/a", 0755);
        make_directory("from/a/skipped", 0755);
        make_file("from/a/skipped/good", "", 0644);
        make_file("from/a/good", "", 0644);
        make_file("from/bad", "", 0644);
        assert_int_equal(link("from/bad", "from/good"), 0);
        assert_int_equal(copy_tree(AT_FDCWD, "from", "to", &(CopyTreeOptions){ .filter = &filter }, NULL), 0);
        assert_int_equal(access("to/a/good", F_OK), 0);
        /* Whose first name was not wanted. */
        assert_int_equal(status_of("to/good").st_nlink, 1);
        assert_int_equal(access("to/bad", F_OK), -1);
        assert_int_equal(access("to/a/skipped", F_OK), -1);
        /* What lies in it was not asked for. */
        assert_int_equal(n_asked, 5);
}

static void test_sparse(void **state) {
        _cleanup_(fd_closep) int fd = -EBADF;

        make_directory("from", 0755);
        fd = open("from/sparse", O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
        assert_int_equal(fd_pwrite_all(fd, "x", 1, 64 * MIB), 0);
        assert_int_equal(ftruncate(fd, 128 * MIB), 0);
        copy(0);

        const struct stat status = status_of("to/sparse");
        assert_int_equal(status.st_size, 128 * MIB);
        assert_true((uint64_t)status.st_blocks * 512 < MIB);
        _cleanup_(fd_closep) int copied = open("to/sparse", O_RDONLY | O_CLOEXEC);
        char byte = 0;
        assert_int_equal(fd_pread_all(copied, &byte, 1, 64 * MIB), 0);
        assert_int_equal(byte, 'x');
}

static void test_attributes(void **state) {
        char value[8] = "";

        make_directory("from", 0755);
        make_file("from/f", "", 0444);
        assert_int_equal(chmod("from/f", 0644), 0);
        if (setxattr("from/f", "user.x", "value", 5, 0) < 0 && errno == EOPNOTSUPP)
                skip();
        assert_int_equal(setxattr("from", "user.y", "d", 1, 0), 0);
        assert_int_equal(chmod("from/f", 0444), 0);
        copy(0);
        assert_int_equal(getxattr("to/f", "user.x", value, sizeof(value)), 5);
        assert_string_equal(value, "value");
        assert_int_equal(getxattr("to", "user.y", value, sizeof(value)), 1);
}

static void test_owners(void **state) {
        if (geteuid() != 0)
                skip();

        make_directory("from", 0755);
        make_file("from/f", "", 0644);
        assert_int_equal(chown("from/f", 1000, 70000), 0);
        assert_int_equal(chmod("from/f", 06755), 0);
        assert_int_equal(setxattr("from/f", "trusted.x", "1", 1, 0), 0);
        assert_int_equal(mknod("from/null", S_IFCHR | 0666, makedev(1, 3)), 0);
        assert_int_equal(chown("from/null", 1, 2), 0);
        assert_int_equal(chown("from", 3, 4), 0);
        copy(COPY_TREE_OWNERS);
        assert_int_equal(status_of("to/f").st_uid, 1000);
        assert_int_equal(status_of("to/f").st_gid, 70000);
        assert_same_status("from/f", "to/f");
        assert_same_status("from/null", "to/null");
        assert_int_equal(status_of("to/null").st_gid, 2);
        assert_int_equal(status_of("to").st_uid, 3);
        assert_int_equal(getxattr("to/f", "trusted.x", NULL, 0), 1);

        /* Without the flag all belongs to root, and only user.* comes along. */
        assert_int_equal(copy_tree(AT_FDCWD, "from", "second", &(CopyTreeOptions){}, NULL), 0);
        assert_int_equal(status_of("second/f").st_uid, 0);
        assert_int_equal(status_of("second/f").st_gid, 0);
        assert_int_equal(status_of("second").st_uid, 0);
        assert_same_status("from/f", "second/f");
        assert_int_equal(getxattr("second/f", "trusted.x", NULL, 0), -1);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                unit_test_in_directory(test_everything), unit_test_in_directory(test_merge),
                unit_test_in_directory(test_in_the_way), unit_test_in_directory(test_sparse),
                unit_test_in_directory(test_into_links), unit_test_in_directory(test_filter),
                unit_test_in_directory(test_attributes), unit_test_in_directory(test_owners),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
