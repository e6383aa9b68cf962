/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/open-careful.h"
#include "base/path.h"
#include "base/text.h"
#include "temporary-directory.h"

#define USER  62000
#define OTHER 62001

static void need_root(void) {
        if (geteuid() != 0) {
                print_message("this needs root\n");
                skip();
        }
}

static int open_here(const char *name, int flags, Reason *reason) {
        _cleanup_(freep) char *path = NULL;

        assert_int_equal(path_absolute(name, &path), 0);
        return open_careful(path, flags, 0640, reason);
}

/* What can be opened is the file of the text; else the answer is an error. */
static void assert_opens(const char *name, const char *expected) {
        _cleanup_(reason_done) Reason reason = {};
        _cleanup_(fd_closep) int fd = open_here(name, O_RDONLY, &reason);
        _cleanup_(freep) char *text = NULL;

        if (fd < 0)
                fail_msg("%s: %s", name, reason_text(&reason, fd));
        assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
        assert_int_equal(fd_read_file(fd, 100, &text, NULL), 0);
        assert_string_equal(text, expected);
}

static void assert_refused(const char *name, int flags, int expected, const char *why) {
        _cleanup_(reason_done) Reason reason = {};
        const int fd = open_here(name, flags, &reason);

        if (fd != expected)
                fail_msg("%s: %d, not %d", name, fd, expected);
        if (why && (!reason.text || !strstr(reason.text, why)))
                fail_msg("%s: \"%s\" does not say \"%s\"", name, reason.text, why);
}

static void make(const char *name, const char *text, uid_t uid) {
        if (text)
                assert_int_equal(file_write_text(AT_FDCWD, name, text, 0600), 0);
        else
                assert_int_equal(mkdir(name, 0755), 0);
        assert_int_equal(chown(name, uid, uid), 0);
}

static void plant(const char *target, const char *name, uid_t uid) {
        assert_int_equal(symlink(target, name), 0);
        assert_int_equal(lchown(name, uid, uid), 0);
}

/* As open(2), as long as nobody else is there. */
static void test_plain(void **state) {
        _cleanup_(freep) char *here = getcwd(NULL, 0), *absolute = NULL;
        struct stat status;

        assert_int_equal(mkdir("a", 0755), 0);
        assert_int_equal(mkdir("a/b", 0755), 0);
        assert_int_equal(file_write_text(AT_FDCWD, "a/file", "text", 0600), 0);
        assert_int_equal(text_format(&absolute, "%s/a/file", here), 0);
        assert_int_equal(symlink("../file", "a/b/relative"), 0);
        assert_int_equal(symlink(absolute, "a/b/absolute"), 0);
        assert_int_equal(symlink("a//b/./..", "again"), 0);
        assert_int_equal(symlink("loop", "loop"), 0);
        assert_opens("a/file", "text");
        assert_opens("a/b/relative", "text");
        assert_opens("a/b/absolute", "text");
        assert_opens("again/file", "text");
        assert_refused("missing", O_RDONLY, -ENOENT, NULL);
        assert_refused("missing/file", O_WRONLY | O_CREAT, -ENOENT, NULL);
        assert_refused("a/file/x", O_RDONLY, -ENOTDIR, NULL);
        assert_refused("loop", O_RDONLY, -ELOOP, NULL);
        assert_int_equal(open_careful("a/file", O_RDONLY, 0, NULL), -EINVAL);

        (void)umask(0022);
        (void)fd_close(open_here("a/new", O_WRONLY | O_CREAT, NULL));
        assert_int_equal(stat("a/new", &status), 0);
        assert_int_equal(status.st_mode, S_IFREG | 0640);
        /* A link that leads to nothing yet: what it leads to is made. */
        assert_int_equal(symlink("a/made", "leads"), 0);
        (void)fd_close(open_here("leads", O_WRONLY | O_CREAT, NULL));
        assert_int_equal(access("a/made", F_OK), 0);
        (void)fd_close(open_here("a/file", O_WRONLY | O_CREAT | O_TRUNC, NULL));
        assert_opens("a/file", "");
}

/* What the kernel links to. */
static void test_magic(void **state) {
        char path[64];
        int ends[2];

        assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
        (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", ends[1]);
        const int fd = open_careful(path, O_WRONLY | O_CREAT, 0600, NULL);
        assert_true(fd >= 0);
        assert_int_equal(write(fd, "x", 1), 1);
        assert_int_equal(read(ends[0], path, sizeof(path)), 1);
        assert_int_equal(open_careful("/dev/null", O_WRONLY | O_CREAT, 0600, NULL) >= 0, true);
}

static void test_planted(void **state) {
        need_root();
        make("secret", "secret", 0);
        make("etc", NULL, 0);
        make("theirs", "theirs", USER);
        make("others", "others", OTHER);
        make("home", NULL, USER);
        make("home/log", "log", 0); /* as the first start has made it */
        plant("../secret", "home/to-secret", USER);
        plant("../theirs", "home/to-theirs", USER);
        plant("../others", "home/to-others", USER);
        plant("../etc", "home/to-etc", USER);
        plant("log", "home/to-log", USER);
        plant("../home/to-theirs", "home/to-link", USER);
        plant("home/to-theirs", "by-other", OTHER);
        plant("../secret", "home/by-root", 0);
        plant("../home/by-root", "home/to-by-root", USER);

        assert_opens("home/log", "log");
        assert_opens("home/to-theirs", "theirs");
        assert_opens("home/to-link", "theirs");
        assert_opens("home/to-log", "log");
        assert_refused("home/to-secret", O_RDONLY, -EPERM, "a link of user 62000 leads to \"secret\"");
        assert_refused("home/to-secret", O_WRONLY | O_CREAT | O_TRUNC, -EPERM, "name the file itself");
        assert_refused("home/to-others", O_RDONLY, -EPERM, "not theirs");
        assert_refused("home/to-by-root", O_RDONLY, -EPERM, NULL);
        assert_refused("by-other", O_RDONLY, -EPERM, "links of user 62001 and of user 62000");
        assert_refused("home/to-etc/new", O_WRONLY | O_CREAT, -EPERM, "leads to \"new\"");
        assert_int_equal(access("etc/new", F_OK), -1);
        assert_opens("secret", "secret");

        /* What root has linked there is root's wish. */
        assert_opens("home/by-root", "secret");
}

/* Names of a file that is not the user's, made where the kernel lets them (fs.protected_hardlinks=0). */
static void test_names(void **state) {
        need_root();
        make("secret", "secret", 0);
        make("theirs", "theirs", USER);
        make("home", NULL, USER);
        make("tmp", NULL, 0);
        make("etc", NULL, 0);
        assert_int_equal(chmod("tmp", 01777), 0);
        assert_int_equal(link("theirs", "home/second"), 0);
        assert_int_equal(link("secret", "etc/second"), 0);
        assert_opens("home/second", "theirs");
        assert_opens("etc/second", "secret");
        assert_int_equal(link("secret", "home/planted"), 0);
        assert_int_equal(link("secret", "tmp/planted"), 0);
        assert_refused("home/planted", O_WRONLY | O_CREAT, -EPERM, "\"planted\" has other names");
        assert_refused("tmp/planted", O_WRONLY | O_CREAT, -EPERM, "remove it");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                unit_test_in_directory(test_plain),
                unit_test_in_directory(test_magic),
                unit_test_in_directory(test_planted),
                unit_test_in_directory(test_names),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
