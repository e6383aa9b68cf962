/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A world for views: the test program has a mount namespace of its own, in which /mnt is an empty tmpfs for every
 * test, shared as it is on hosts. Views are entered in children, which say by their exit status whether all was as
 * it should be. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/path.h"
#include "base/text.h"
#include "sandbox/view.h"

#define _fixture_ static inline __attribute__((unused))

/* For children: what is not so is said, and ends them. */
#define INSIDE_CHECK(condition)                                                                           \
        do {                                                                                              \
                if (!(condition)) {                                                                       \
                        const int _error = errno;                                                         \
                        (void)fprintf(stderr, "%s:%d: not so: %s (%s)\n", __FILE__, __LINE__, #condition, \
                                      strerror(_error));                                                  \
                        _exit(EXIT_FAILURE);                                                              \
                }                                                                                         \
        } while (false)

_fixture_ bool world_possible(void) {
        return geteuid() == 0;
}

/* Once for the program. */
_fixture_ int world_enter(void **state) {
        if (!world_possible())
                return 0;
        if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
                return -1;
        return 0;
}

_fixture_ int world_begin(void **state) {
        if (!world_possible())
                return 0;
        (void)umask(022);
        return mount("world", "/mnt", "tmpfs", 0, "mode=0755") < 0 ||
                               mount(NULL, "/", NULL, MS_REC | MS_SHARED, NULL) < 0
                       ? -1
                       : 0;
}

_fixture_ int world_end(void **state) {
        if (!world_possible())
                return 0;
        return chdir("/") < 0 || umount2("/mnt", MNT_DETACH) < 0 ? -1 : 0;
}

#define world_test(function) cmocka_unit_test_setup_teardown(function, world_begin, world_end)
#define world_only_as_root()           \
        do {                           \
                if (!world_possible()) \
                        skip();        \
        } while (false)

_fixture_ void make_directory(const char *path) {
        assert_int_equal(path_make_directories(AT_FDCWD, path, 0755), 0);
}

_fixture_ void make_file(const char *path, const char *text) {
        assert_int_equal(file_write_text(AT_FDCWD, path, text, 0644), 0);
}

_fixture_ void make_mount(const char *path, unsigned long flags) {
        make_directory(path);
        assert_int_equal(mount("more", path, "tmpfs", flags, NULL), 0);
}

/* 0, or the errno of making a file in the directory; the file is removed. */
_fixture_ int write_error(const char *directory) {
        _cleanup_(freep) char *path = NULL;

        if (path_join(directory, ".write-test", &path) < 0)
                return ENOMEM;
        _cleanup_(fd_closep) int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
        if (fd < 0)
                return errno;
        (void)unlink(path);
        return 0;
}

_fixture_ bool file_has(const char *path, const char *text) {
        _cleanup_(freep) char *content = NULL;

        return file_read(AT_FDCWD, path, MIB, &content, NULL) >= 0 && text_equal(content, text);
}

_fixture_ unsigned count_entries(const char *path) {
        _cleanup_(directory_closep) DIR *directory = opendir(path);
        unsigned n = 0;

        INSIDE_CHECK(directory);
        for (const struct dirent *entry; (entry = readdir(directory));)
                n += entry->d_name[0] != '.';
        return n;
}

_fixture_ void child_wait(pid_t pid) {
        int status;

        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_int_equal(status, 0);
}

/* Runs the checks in the view. */
_fixture_ void in_view(const ViewEntry *entries, size_t n_entries, void (*check)(void)) {
        const pid_t pid = fork();

        assert_true(pid >= 0);
        if (pid == 0) {
                Reason reason = {};
                const int r = view_enter(entries, n_entries, VIEW_SLAVE, &reason);

                if (r < 0)
                        (void)fprintf(stderr, "view: %s\n", reason_text(&reason, r));
                INSIDE_CHECK(r == 0);
                check();
                _exit(EXIT_SUCCESS);
        }
        child_wait(pid);
}

/* The view cannot be entered, for this reason. */
_fixture_ void no_view(const ViewEntry *entries, size_t n_entries, int error, const char *text) {
        const pid_t pid = fork();

        assert_true(pid >= 0);
        if (pid == 0) {
                Reason reason = {};
                const int r = view_enter(entries, n_entries, VIEW_SLAVE, &reason);

                if (r != error || !text_equal(reason_text(&reason, r), text))
                        (void)fprintf(stderr, "%d: %s\n", r, reason_text(&reason, r));
                INSIDE_CHECK(r == error);
                INSIDE_CHECK(text_equal(reason_text(&reason, r), text));
                _exit(EXIT_SUCCESS);
        }
        child_wait(pid);
}
