/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/fd.h"
#include "base/path.h"
#include "base/text.h"
#include "manager/service-cgroup.h"

static char *base; /* NULL: no cgroup can be made here */

static int make_base(void **state) {
        _cleanup_(freep) char *name = NULL;

        if (text_format(&name, "mkosi-cgroup-test-%d", (int)getpid()) < 0)
                return -1;
        if (service_cgroup_base(name, &base, NULL) < 0)
                base = NULL;
        return 0;
}

static int remove_base(void **state) {
        if (base)
                (void)rmdir(base);
        free(base);
        return 0;
}

static void check_path(const char *unit, const char *slice, const char *expected) {
        _cleanup_(freep) char *path = NULL;

        assert_int_equal(service_cgroup_path(unit, slice, &path), 0);
        assert_string_equal(path, expected);
}

static void test_path(void **state) {
        char *path;

        check_path("a.service", NULL, "system.slice/a.service");
        check_path("a.service", "x-y.slice", "x.slice/x-y.slice/a.service");
        check_path("a.service", "-.slice", "a.service");
        check_path("a@b.service", NULL, "system.slice/system-a.slice/a@b.service");
        check_path("a-b@c.service", NULL, "system.slice/system-a\\x2db.slice/a-b@c.service");
        check_path("x-y.slice", NULL, "x.slice/x-y.slice");
        assert_int_equal(service_cgroup_path("a.service", "../../x", &path), -EINVAL);
        assert_int_equal(service_cgroup_path("a.service", "a.service", &path), -EINVAL);
}

static void test_slice(void **state) {
        char *slice;

        assert_int_equal(service_cgroup_slice("x-y.slice", NULL, &slice), 0);
        assert_string_equal(slice, "x.slice");
        free(slice);
        assert_int_equal(service_cgroup_slice("-.slice", NULL, &slice), 0);
        assert_null(slice);
}

/* A child that waits for its end in the group. */
static pid_t start_member(int cgroup_fd) {
        char number[16];
        const pid_t pid = fork();

        assert_true(pid >= 0);
        if (pid == 0) {
                for (;;)
                        (void)pause();
        }
        _cleanup_(fd_closep) int fd = openat(cgroup_fd, "cgroup.procs", O_WRONLY | O_CLOEXEC);
        (void)snprintf(number, sizeof(number), "%d", (int)pid);
        assert_int_equal(fd_write_all(fd, number, strlen(number)), 0);
        return pid;
}

static void check_member(const char *path, int cgroup_fd, pid_t pid) {
        _cleanup_(freep) char *found = NULL;
        _cleanup_(freep) pid_t *pids = NULL;
        uint64_t n_tasks, nsec;
        size_t n_pids;

        assert_int_equal(service_cgroup_processes(cgroup_fd, &pids, &n_pids), 0);
        assert_int_equal(n_pids, 1);
        assert_int_equal(pids[0], pid);
        assert_int_equal(service_cgroup_count_tasks(cgroup_fd, &n_tasks), 0);
        assert_int_equal(n_tasks, 1);
        assert_int_equal(service_cgroup_cpu_nsec(cgroup_fd, &nsec), 0);
        assert_int_equal(service_cgroup_of_process(base, pid, &found), 0);
        assert_string_equal(found, path);
        assert_int_equal(service_cgroup_of_process(base, getpid(), &found), -ENOENT);
}

static void test_group(void **state) {
        static const int signals[] = { SIGTERM, SIGKILL };

        if (!base)
                skip();
        for (size_t i = 0; i < ELEMENTSOF(signals); i++) {
                _cleanup_(fd_closep) int fd = -EBADF, events = -EBADF;
                int status;

                assert_int_equal(service_cgroup_make(base, "a.slice/a.service", &fd, NULL), 0);
                events = service_cgroup_events_open(fd);
                assert_true(events >= 0);
                assert_int_equal(service_cgroup_is_populated(events), 0);
                const pid_t pid = start_member(fd);
                assert_int_equal(service_cgroup_is_populated(events), 1);
                check_member("a.slice/a.service", fd, pid);

                assert_int_equal(service_cgroup_kill(fd, SIGUSR1, pid), 0);
                assert_int_equal(kill(pid, 0), 0);
                assert_true(service_cgroup_remove(base, "a.slice/a.service") < 0);
                assert_int_equal(service_cgroup_kill(fd, signals[i], 0), 0);
                assert_int_equal(waitpid(pid, &status, 0), pid);
                assert_true(WIFSIGNALED(status) && WTERMSIG(status) == signals[i]);
                assert_int_equal(service_cgroup_is_populated(events), 0);

                /* Groups that the service has made, and slices that are empty then, go as well. */
                assert_int_equal(mkdirat(fd, "own", 0755), 0);
                assert_int_equal(service_cgroup_remove(base, "a.slice/a.service"), 0);
                assert_int_equal(service_cgroup_open(base, "a.slice"), -ENOENT);
                assert_int_equal(service_cgroup_remove(base, "a.slice/a.service"), 0);
        }
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_path),
                cmocka_unit_test(test_slice),
                cmocka_unit_test(test_group),
        };

        return cmocka_run_group_tests(tests, make_base, remove_base);
}
