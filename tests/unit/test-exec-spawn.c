/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/strv.h"
#include "base/text.h"
#include "exec/exec-spawn.h"
#include "sandbox/cgroup.h"
#include "temporary-directory.h"
#include "unit/exec-status.h"

static ExecContext small_context(void) {
        ExecContext context = { .descriptors = EXEC_DESCRIPTORS_NONE };

        assert_int_equal(text_copy("a.service", &context.unit), 0);
        assert_int_equal(text_copy("/x", &context.command.path), 0);
        assert_int_equal(strv_append(&context.command.argv, "x"), 0);
        return context;
}

static int wait_for(pid_t pid) {
        int status;

        assert_int_equal(waitpid(pid, &status, 0), pid);
        return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* A helper that tells what it got: the context with the numbers as they are for it, and what it has open. */
static void test_handover(void **state) {
        _cleanup_(exec_context_done) ExecContext context = small_context(), seen = {};
        _cleanup_(exec_child_done) ExecChild child = { .pid_fd = -EBADF, .status_fd = -EBADF };
        _cleanup_(freep) char *text = NULL, *open_files = NULL, *written = NULL;
        int pair[2];

        assert_int_equal(file_write_text(AT_FDCWD, "helper",
                                         "#!/bin/sh\n"
                                         "cat <&$1 >context\n"
                                         "(echo >/proc/self/fd/3) 2>/dev/null || echo sealed >sealed\n"
                                         "echo written >&9\n"
                                         "for fd in 3 4 5 6 7 8 9 10 11 12; do\n"
                                         "test -e /proc/$$/fd/$fd && echo $fd; done >files\n"
                                         "exit 7\n",
                                         0755),
                         0);
        assert_int_equal(pipe2(pair, O_CLOEXEC), 0);
        context.descriptors.standard[2] = pair[1];
        assert_int_equal(exec_spawn("./helper", &EXEC_GROUPS_NONE, &context, &child, NULL), 0);
        assert_int_equal(wait_for(child.pid), 7);
        assert_true(child.pid_fd >= 0);

        assert_int_equal(file_read(AT_FDCWD, "context", 10000, &text, NULL), 0);
        assert_int_equal(exec_context_read(text, &seen, NULL), 0);
        assert_int_equal(seen.descriptors.status, 4);
        assert_int_equal(seen.descriptors.user, -EBADF);
        assert_int_equal(seen.descriptors.standard[2], 9);
        assert_int_equal(file_read(AT_FDCWD, "files", 100, &open_files, NULL), 0);
        /* dash has the script itself open as 10. */
        assert_int_equal(strncmp(open_files, "3\n4\n9\n", 6), 0);
        assert_int_equal(access("sealed", F_OK), 0);
        written = calloc(1, 20);
        assert_true(read(pair[0], written, 19) > 0);
        assert_string_equal(written, "written\n");

        ExecStatus status;
        assert_int_equal(exec_status_receive(child.status_fd, &status), 0);
        (void)fd_close(pair[0]);
        (void)fd_close(pair[1]);
}

static void test_no_helper(void **state) {
        _cleanup_(exec_context_done) ExecContext context = small_context();
        _cleanup_(exec_child_done) ExecChild child = { .pid_fd = -EBADF, .status_fd = -EBADF };
        ExecStatus status;

        assert_int_equal(exec_spawn("./nowhere", &EXEC_GROUPS_NONE, &context, &child, NULL), 0);
        assert_int_equal(wait_for(child.pid), EXEC_EXIT_EXEC);
        assert_int_equal(exec_status_receive(child.status_fd, &status), 1);
        assert_int_equal(status.type, EXEC_STATUS_FAILED);
        assert_int_equal(status.error, ENOENT);
        assert_string_equal(status.text,
                            "Cannot start the helper ./nowhere: No such file or directory. Install it "
                            "(mkosi-exec), or say by --helper= where it is");
}

/* The process is in the control group from its very beginning. */
static void test_control_group(void **state) {
        _cleanup_(exec_context_done) ExecContext context = small_context();
        _cleanup_(exec_child_done) ExecChild child = { .pid_fd = -EBADF, .status_fd = -EBADF };
        _cleanup_(freep) char *own = NULL, *path = NULL, *name = NULL, *text = NULL;

        assert_int_equal(text_format(&name, "mkosi-test-spawn-%d", (int)getpid()), 0);
        if (cgroup_own(&own, NULL) < 0 || cgroup_make(own, name, &path, NULL) < 0) {
                print_message("no control group can be made here\n");
                skip();
        }
        assert_int_equal(file_write_text(AT_FDCWD, "helper", "#!/bin/sh\ngrep ^0: /proc/self/cgroup >group\n",
                                         0755),
                         0);
        const int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        assert_true(fd >= 0);
        assert_int_equal(
                exec_spawn("./helper", &(ExecGroups){ fd, { -EBADF, -EBADF } }, &context, &child, NULL), 0);
        assert_int_equal(wait_for(child.pid), 0);
        (void)fd_close(fd);
        assert_int_equal(cgroup_remove(path), 0);
        assert_int_equal(file_read(AT_FDCWD, "group", 10000, &text, NULL), 0);
        assert_non_null(strstr(text, name));

        /* One that is no control group is refused before there is a process. */
        const int here = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        ExecChild none;
        assert_true(exec_spawn("./helper", &(ExecGroups){ here, { -EBADF, -EBADF } }, &context, &none, NULL) <
                    0);
        (void)fd_close(here);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                unit_test_in_directory(test_handover),
                unit_test_in_directory(test_no_helper),
                unit_test_in_directory(test_control_group),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
