/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Programs of others, as judges of what we write. */

#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "base/fd.h"
#include "base/path.h"

/* Runs a program, in UTC and without translation, until it ends; what it prints, on either stream, goes to ret_output.
 * Returns its exit status. A test whose judge is not installed is skipped. */
static inline int foreign_run(const char *const argv[], char **ret_output) {
        static const char *const environment[] = { "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C.UTF-8",
                                                   "TZ=UTC0", "MTOOLS_SKIP_CHECK=0", NULL };
        _cleanup_(fd_closep) int fd = memfd_create("output", MFD_CLOEXEC);
        _cleanup_(freep) char *program = NULL;
        posix_spawn_file_actions_t actions;
        struct stat status;
        pid_t pid;
        int result;

        assert_true(fd >= 0);
        if (path_find_program(argv[0], environment[0] + strlen("PATH="), &program) < 0) {
                print_message("%s is not installed\n", argv[0]);
                skip();
        }

        assert_int_equal(posix_spawn_file_actions_init(&actions), 0);
        assert_int_equal(posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0),
                         0);
        assert_int_equal(posix_spawn_file_actions_adddup2(&actions, fd, STDOUT_FILENO), 0);
        assert_int_equal(posix_spawn_file_actions_adddup2(&actions, fd, STDERR_FILENO), 0);
        assert_int_equal(posix_spawn(&pid, program, &actions, NULL, (char **)argv, (char **)environment), 0);
        assert_int_equal(posix_spawn_file_actions_destroy(&actions), 0);
        assert_int_equal(waitpid(pid, &result, 0), pid);
        assert_true(WIFEXITED(result));

        assert_int_equal(fstat(fd, &status), 0);
        *ret_output = calloc(1, (size_t)status.st_size + 1);
        assert_non_null(*ret_output);
        assert_int_equal(fd_pread_all(fd, *ret_output, (size_t)status.st_size, 0), 0);
        return WEXITSTATUS(result);
}

/* The same for a program that has to be content; otherwise its output is shown. */
static inline char *foreign_check(const char *const argv[]) {
        char *output;

        if (foreign_run(argv, &output) != 0)
                fail_msg("%s: %s", argv[0], output);
        return output;
}

#define FOREIGN_RUN(output, ...) foreign_run((const char *const[]){ __VA_ARGS__, NULL }, output)
#define FOREIGN_CHECK(...)       foreign_check((const char *const[]){ __VA_ARGS__, NULL })
