/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/path.h"
#include "image/workspace.h"
#include "temporary-directory.h"

static char *output_path(void) {
        char *path = NULL;

        assert_int_equal(path_absolute("image.raw", &path), 0);
        return path;
}

static void test_lock(void **state) {
        _cleanup_(freep) char *output = output_path();
        _cleanup_(workspace_freep) Workspace *workspace = NULL, *second = NULL;
        struct stat status;
        pid_t holder = 0;

        assert_int_equal(workspace_new(output, &workspace, &holder), 0);
        assert_int_equal(stat(".mkosi-image.raw", &status), 0);
        assert_int_equal(status.st_mode & 07777, 0700);
        assert_int_equal(workspace_new(output, &second, &holder), -EBUSY);
        assert_int_equal(holder, getpid());

        assert_int_equal(workspace_remove(workspace), 0);
        assert_int_equal(stat(".mkosi-image.raw", &status), -1);
        assert_int_equal(workspace_new(output, &second, &holder), 0);
}

/* Whoever dies without cleaning up is cleaned up after. */
static void test_left_behind(void **state) {
        _cleanup_(freep) char *output = output_path();
        _cleanup_(workspace_freep) Workspace *workspace = NULL;
        struct stat status;
        pid_t holder;
        int wait_status;

        for (unsigned round = 0; round < 2; round++) {
                const pid_t pid = fork();

                if (pid == 0) {
                        Workspace *theirs = NULL;

                        if (workspace_new(output, &theirs, &holder) < 0 ||
                            mkdirat(theirs->fd, "root", 0755) < 0 ||
                            file_write_text(theirs->fd, "root/file", "x", 0600) < 0)
                                _exit(1);
                        _exit(0);
                }
                assert_int_equal(waitpid(pid, &wait_status, 0), pid);
                assert_int_equal(wait_status, 0);
                assert_int_equal(stat(".mkosi-image.raw/root/file", &status), 0);
                if (round == 0) {
                        assert_int_equal(workspace_new(output, &workspace, &holder), 0);
                        workspace_free(TAKE_PTR(workspace));
                        assert_int_equal(stat(".mkosi-image.raw", &status), -1);
                }
        }

        assert_int_equal(workspace_new(output, &workspace, &holder), 0);
        assert_int_equal(fstatat(workspace->fd, "root", &status, 0), -1);
        workspace_free(TAKE_PTR(workspace));
        assert_int_equal(workspace_new("/nonexistent/image.raw", &workspace, &holder), -ENOENT);
}

/* What a build that is killed has started has its lock as well, and is gone only later. */
static void test_dying_child(void **state) {
        _cleanup_(freep) char *output = output_path();
        _cleanup_(workspace_freep) Workspace *workspace = NULL;
        struct stat status;
        int wait_status;
        pid_t holder;

        const pid_t pid = fork();
        if (pid == 0) {
                Workspace *theirs = NULL;

                if (workspace_new(output, &theirs, &holder) < 0)
                        _exit(1);
                const pid_t child = fork();
                if (child != 0)
                        _exit(child < 0);
                (void)usleep(300 * 1000);
                _exit(file_write_text(theirs->fd, "late", "x", 0600) < 0);
        }
        assert_int_equal(waitpid(pid, &wait_status, 0), pid);
        assert_int_equal(wait_status, 0);
        assert_int_equal(workspace_new(output, &workspace, &holder), 0);
        assert_int_equal(fstatat(workspace->fd, "late", &status, 0), -1);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                unit_test_in_directory(test_lock),
                unit_test_in_directory(test_left_behind),
                unit_test_in_directory(test_dying_child),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
