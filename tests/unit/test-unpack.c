/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <sys/xattr.h>

#include "foreign-program.h"
#include "format/unpack.h"
#include "temporary-directory.h"

static int unpack(const char *archive, Reason *reason) {
        _cleanup_(fd_closep) int archive_fd = open(archive, O_RDONLY | O_CLOEXEC), directory_fd = -EBADF;

        assert_true(archive_fd >= 0);
        assert_true(mkdir("to", 0755) == 0 || errno == EEXIST);
        directory_fd = open("to", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        assert_true(directory_fd >= 0);
        const int r = unpack_archive(archive_fd, directory_fd, NULL, reason);
        /* We are where we were. */
        assert_int_equal(access("to", F_OK), 0);
        return r;
}

static void test_names(void **state) {
        assert_true(unpack_is_archive_name("a/mkosi.extra.tar"));
        assert_true(unpack_is_archive_name("x.tar.zst"));
        assert_false(unpack_is_archive_name("a.tar/x"));
        assert_false(unpack_is_archive_name("tar"));
}

/* What GNU tar packs comes out as it was, whatever the compression. */
static void test_everything_is_kept(void **state) {
        static const char *const compressions[] = { "--no-auto-compress", "--gzip", "--xz", "--zstd" };

        if (geteuid() != 0)
                skip();
        assert_int_equal(mkdir("from", 0751), 0);
        assert_int_equal(mkdir("from/dir", 0700), 0);
        assert_int_equal(file_write_text(AT_FDCWD, "from/dir/file", "text", 0640), 0);
        assert_int_equal(link("from/dir/file", "from/link"), 0);
        assert_int_equal(symlink("/nowhere", "from/symlink"), 0);
        assert_int_equal(mkfifo("from/fifo", 0600), 0);
        assert_int_equal(chown("from/dir/file", 70000, 12), 0);
        assert_int_equal(chmod("from/dir/file", 04711), 0);
        assert_int_equal(chown("from/dir", 34, 56), 0);
        if (setxattr("from/link", "user.x", "value", 5, 0) < 0)
                assert_int_equal(errno, EOPNOTSUPP);

        for (size_t i = 0; i < ELEMENTSOF(compressions); i++) {
                _cleanup_(reason_done) Reason reason = {};
                const mode_t mask = umask(0077);

                free(FOREIGN_CHECK("tar", "--create", "--file=a.tar", "--xattrs", "--format=pax",
                                   compressions[i], "--directory=from", "."));
                const int r = unpack("a.tar", &reason);
                (void)umask(mask);
                if (r < 0)
                        fail_msg("%s: %s", compressions[i], reason_text(&reason, r));
                free(FOREIGN_CHECK("tar", "--compare", "--file=a.tar", "--xattrs", compressions[i],
                                   "--directory=to"));
                free(FOREIGN_CHECK("rm", "-r", "to"));
        }
}

/* Members that would be written outside are refused, with their names, and what they point to stays as it is. */
static void test_nothing_gets_out(void **state) {
        _cleanup_(reason_done) Reason dots = {}, absolute = {}, behind = {};

        assert_int_equal(mkdir("in", 0755), 0);
        assert_int_equal(mkdir("outside", 0755), 0);
        assert_int_equal(file_write_text(AT_FDCWD, "outside/evil", "x", 0644), 0);
        assert_int_equal(file_write_text(AT_FDCWD, "evil", "x", 0644), 0);
        free(FOREIGN_CHECK("tar", "--create", "--absolute-names", "--file=dots.tar", "--directory=in",
                           "../evil"));
        assert_true(unpack("dots.tar", &dots) < 0);
        assert_non_null(strstr(dots.text, "../evil"));

        free(FOREIGN_CHECK("tar", "--create", "--absolute-names", "--file=absolute.tar",
                           "--transform=s,^,/tmp/,", "evil"));
        assert_true(unpack("absolute.tar", &absolute) < 0);
        assert_non_null(strstr(absolute.text, "/tmp/evil"));

        assert_int_equal(unlink("outside/evil"), 0);
        assert_int_equal(symlink("../outside", "link"), 0);
        free(FOREIGN_CHECK("tar", "--create", "--file=behind.tar", "--transform=s,^evil,link/evil,", "link",
                           "evil"));
        assert_true(unpack("behind.tar", &behind) < 0);
        assert_int_equal(access("outside/evil", F_OK), -1);
}

static void test_broken(void **state) {
        _cleanup_(reason_done) Reason reason = {}, cut = {};

        assert_int_equal(file_write_text(AT_FDCWD, "broken", "this is no archive", 0644), 0);
        assert_int_equal(unpack("broken", &reason), -EBADMSG);
        assert_non_null(reason.text);

        assert_int_equal(mkdir("from", 0755), 0);
        assert_int_equal(file_write_text(AT_FDCWD, "from/f", "0123456789", 0644), 0);
        assert_int_equal(truncate("from/f", 100000), 0);
        free(FOREIGN_CHECK("tar", "--create", "--file=cut.tar", "--directory=from", "f"));
        assert_int_equal(truncate("cut.tar", 50000), 0);
        assert_int_equal(unpack("cut.tar", &cut), -EBADMSG);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_names),
                unit_test_in_directory(test_everything_is_kept),
                unit_test_in_directory(test_nothing_gets_out),
                unit_test_in_directory(test_broken),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
