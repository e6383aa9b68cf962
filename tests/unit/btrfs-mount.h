/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A btrfs file system of its own, mounted at "mounted" in a mount namespace of the test's process; it goes away with that. */

#include <sched.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/fd.h"
#include "base/path.h"
#include "foreign-program.h"
#include "temporary-directory.h"

#define NOT_POSSIBLE 77

/* In a child: mounts, or ends it with NOT_POSSIBLE where mounts, loop devices or mkfs.btrfs are not to be had. */
static inline void btrfs_mount_or_exit(void) {
        _cleanup_(freep) char *mkfs = NULL, *mount_program = NULL;
        _cleanup_(fd_closep) int fd = open("disk", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        char command[2][256];

        if (path_find_program("mkfs.btrfs", NULL, &mkfs) < 0 ||
            path_find_program("mount", NULL, &mount_program) < 0 || fd_extend(fd, 128 * MIB) < 0 ||
            unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
            mkdir("mounted", 0755) < 0)
                _exit(NOT_POSSIBLE);
        (void)snprintf(command[0], sizeof(command[0]), "%s", mkfs);
        (void)snprintf(command[1], sizeof(command[1]), "%s", mount_program);
        const char *const make[] = { command[0], "-q", "disk", NULL };
        const char *const attach[] = { command[1], "-o", "loop", "disk", "mounted", NULL };
        const char *const *const programs[] = { make, attach };

        for (size_t i = 0; i < ELEMENTSOF(programs); i++) {
                int status = 0;
                const pid_t pid = fork();

                if (pid == 0) {
                        (void)execv(programs[i][0], (char *const *)programs[i]);
                        _exit(127);
                }
                if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status) ||
                    WEXITSTATUS(status) != 0)
                        _exit(NOT_POSSIBLE);
        }
}

/* Runs the function on a mounted file system. It returns the line that it got to and did not like, 0 if all is well. */
static inline void in_btrfs(int (*function)(void)) {
        int status;

        const pid_t pid = fork();
        if (pid == 0) {
                btrfs_mount_or_exit();
                const int line = function();

                if (line > 0)
                        (void)fprintf(stderr, "line %d: %m\n", line);
                (void)umount2("mounted", MNT_DETACH);
                _exit(line > 0 ? 1 : 0);
        }
        assert_true(pid > 0);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFEXITED(status));
        if (WEXITSTATUS(status) == NOT_POSSIBLE)
                skip();
        assert_int_equal(WEXITSTATUS(status), 0);
}

#define EXPECT(condition)                \
        do {                             \
                if (!(condition))        \
                        return __LINE__; \
        } while (false)
