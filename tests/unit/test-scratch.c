/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/stat.h>
#include <sys/wait.h>

#include "base/fd.h"
#include "base/text.h"
#include "run/scratch.h"
#include "sandbox/cgroup.h"
#include "temporary-directory.h"

/* As SIGKILL leaves it. */
static void leave_behind(const char *cgroup) {
        int status;

        const pid_t pid = fork();
        assert_true(pid >= 0);
        if (pid == 0) {
                Scratch *scratch;

                if (scratch_new(".", &scratch) < 0 || mkdirat(scratch->fd, "tree", 0700) < 0 ||
                    file_write_text(scratch->fd, "tree/file", "x", 0600) < 0 ||
                    (cgroup && scratch_note_cgroup(scratch, cgroup) < 0))
                        _exit(1);
                _exit(0);
        }
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_int_equal(status, 0);
}

static size_t count(void) {
        _cleanup_(directory_closep) DIR *directory = opendir(".");
        const struct dirent *entry;
        size_t n = 0;

        while ((entry = readdir(directory)))
                n += entry->d_name[0] != '.';
        return n;
}

static void test_left_behind(void **state) {
        _cleanup_(scratch_freep) Scratch *scratch = NULL, *other = NULL;
        struct stat status;

        leave_behind(NULL);
        assert_int_equal(count(), 1);
        assert_int_equal(scratch_new(".", &scratch), 0);
        assert_int_equal(count(), 1);
        assert_int_equal(stat(scratch->path, &status), 0);
        assert_int_equal(status.st_mode & 07777, 0700);

        /* Those that somebody has stay. */
        assert_int_equal(scratch_new(".", &other), 0);
        assert_int_equal(count(), 2);
        scratch_free(TAKE_PTR(other));
        assert_int_equal(count(), 1);
        scratch_free(TAKE_PTR(scratch));
        assert_int_equal(count(), 0);
}

/* Of all that is called so, what is not ours is left alone. */
static void test_of_others(void **state) {
        _cleanup_(scratch_freep) Scratch *scratch = NULL;

        assert_int_equal(mkdir("precious", 0700), 0);
        assert_int_equal(symlink("precious", "mkosi-run-link"), 0);
        assert_int_equal(file_write_text(AT_FDCWD, "mkosi-run-file", "x", 0600), 0);
        if (geteuid() == 0) {
                assert_int_equal(mkdir("mkosi-run-theirs", 0700), 0);
                assert_int_equal(chown("mkosi-run-theirs", 1, 1), 0);
        }
        const size_t n = count();
        assert_int_equal(scratch_new(".", &scratch), 0);
        assert_int_equal(count(), n + 1);
}

static void test_cgroup(void **state) {
        _cleanup_(scratch_freep) Scratch *scratch = NULL;
        _cleanup_(freep) char *own = NULL, *path = NULL, *name = NULL;
        struct stat status;

        assert_int_equal(text_format(&name, "mkosi-test-%d", (int)getpid()), 0);
        if (geteuid() != 0 || cgroup_own(&own, NULL) < 0 || cgroup_make(own, name, &path, NULL) < 0)
                skip();
        leave_behind(path);
        assert_int_equal(scratch_new(".", &scratch), 0);
        assert_int_equal(stat(path, &status), -1);
        /* One that is gone already is fine. */
        assert_int_equal(scratch_note_cgroup(scratch, path), 0);
        assert_int_equal(scratch_note_cgroup(scratch, path), 0);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                unit_test_in_directory(test_left_behind),
                unit_test_in_directory(test_of_others),
                unit_test_in_directory(test_cgroup),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
