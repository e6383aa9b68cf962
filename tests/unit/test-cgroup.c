/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/path.h"
#include "base/text.h"
#include "sandbox/cgroup.h"

static void test_find(void **state) {
        static const struct {
                const char *cgroups, *mounts, *path; /* NULL: there is none */
        } cases[] = {
                { "0::/a/b\n", "25 1 0:22 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n", "/sys/fs/cgroup/a/b" },
                { "0::/\n", "25 1 0:22 / /sys/fs/cgroup rw shared:1 - cgroup2 cgroup2 rw\n",
                  "/sys/fs/cgroup" },
                /* Beside version 1. */
                { "4:memory:/x\n0::/y\n",
                  "24 1 0:21 / /sys/fs/cgroup/memory rw - cgroup cgroup rw\n"
                  "25 1 0:22 / /sys/fs/cgroup/uni\\040fied rw - cgroup2 cgroup2 rw\n",
                  "/sys/fs/cgroup/uni fied/y" },
                /* A part of the hierarchy: only what is in it can be found. */
                { "0::/a/b\n",
                  "25 1 0:22 /ab /one rw - cgroup2 cgroup2 rw\n26 1 0:22 /a /two rw - cgroup2 cgroup2 rw\n",
                  "/two/b" },
                { "0::/a\n", "26 1 0:22 /a /two rw - cgroup2 cgroup2 rw\n", "/two" },
                { "0::/../x\n", "26 1 0:22 /a /two rw - cgroup2 cgroup2 rw\n", NULL },
                { "4:memory:/x\n", "25 1 0:22 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n", NULL },
                { "0::/a\n", "24 1 0:21 / /sys/fs/cgroup/memory rw - cgroup cgroup rw\n", NULL },
                { "", "", NULL },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(freep) char *path = NULL;

                const int r = cgroup_find(cases[i].cgroups, cases[i].mounts, &path);
                assert_int_equal(r, cases[i].path ? 0 : -EOPNOTSUPP);
                if (cases[i].path)
                        assert_string_equal(path, cases[i].path);
        }
}

/* Version 1: by controllers, of which several may share a hierarchy. */
static void test_find_of_controller(void **state) {
        static const char mounts[] = "24 1 0:21 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"
                                     "26 1 0:23 /a /pids rw - cgroup cgroup rw,seclabel,cpuset,pids\n"
                                     "25 1 0:22 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw,pids\n";
        static const struct {
                const char *cgroups, *controller, *path; /* NULL: there is none */
        } cases[] = {
                { "0::/x\n4:memory:/y\n", "memory", "/sys/fs/cgroup/memory/y" },
                { "4:memory:/\n", "memory", "/sys/fs/cgroup/memory" },
                { "3:cpuset,pids:/a/b\n", "pids", "/pids/b" },
                { "3:pids,cpuset:/a\n", "cpuset", "/pids" },
                /* Not what only begins or ends so, not what is mounted in another part, not version 2. */
                { "3:cpuset,pids:/a/b\n", "cpu", NULL },
                { "3:cpuset,pids:/a/b\n", "set", NULL },
                { "3:cpuset,pids:/b\n", "pids", NULL },
                { "0::/x\n", "pids", NULL },
                { "5:name=systemd:/\n", "systemd", NULL },
                { "broken\n3\n", "pids", NULL },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(freep) char *path = NULL;

                const int r = cgroup_find_of_controller(cases[i].cgroups, mounts, cases[i].controller, &path);
                assert_int_equal(r, cases[i].path ? 0 : -EOPNOTSUPP);
                if (cases[i].path)
                        assert_string_equal(path, cases[i].path);
        }
}

static void enter(const char *cgroup) {
        _cleanup_(freep) char *path = NULL;
        _cleanup_(fd_closep) int fd = -EBADF;

        if (path_join(cgroup, "cgroup.procs", &path) < 0)
                _exit(1);
        fd = open(path, O_WRONLY | O_CLOEXEC);
        if (fd < 0 || write(fd, "0", 1) != 1)
                _exit(1);
}

/* Who is in a cgroup, and below, is killed with it. */
static void test_make_and_remove(void **state) {
        _cleanup_(freep) char *own = NULL, *name = NULL, *path = NULL, *inner = NULL, *again = NULL;
        _cleanup_(reason_done) Reason reason = {};
        int status, pair[2];
        char byte;

        if (geteuid() != 0 || cgroup_own(&own, &reason) < 0)
                skip();
        assert_int_equal(text_format(&name, "mkosi-test-%d", (int)getpid()), 0);
        if (cgroup_make(own, name, &path, &reason) < 0)
                skip(); /* it is not ours to change */
        assert_int_equal(cgroup_make(path, "inner", &inner, &reason), 0);

        assert_int_equal(pipe(pair), 0);
        const pid_t pid = fork();
        assert_true(pid >= 0);
        if (pid == 0) {
                enter(inner);
                (void)write(pair[1], "x", 1);
                for (;;)
                        (void)pause();
        }
        assert_int_equal(read(pair[0], &byte, 1), 1);
        assert_int_equal(cgroup_make(own, name, &again, &reason), -EBUSY);
        assert_int_equal(cgroup_remove(path), 0);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
        assert_int_equal(access(path, F_OK), -1);
        assert_int_equal(cgroup_remove(path), 0);
        (void)close(pair[0]);
        (void)close(pair[1]);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_find),
                cmocka_unit_test(test_find_of_controller),
                cmocka_unit_test(test_make_and_remove),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
