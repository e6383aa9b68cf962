/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/stat.h>

#include "base/fd.h"
#include "base/path.h"
#include "base/text.h"
#include "base/tree.h"
#include "manager/controller.h"
#include "temporary-directory.h"

/* Directories and files that look as the kernel's do: not every kernel has the controllers in version 2. */
static void write_file(const char *path, const char *text) {
        _cleanup_(freep) char *directory = NULL;

        assert_int_equal(path_parent(path, &directory), 0);
        assert_int_equal(path_make_directories(AT_FDCWD, directory, 0755), 0);
        assert_int_equal(file_write_text(AT_FDCWD, path, text, 0644), 0);
}

static void assert_file(const char *path, const char *expected) {
        _cleanup_(freep) char *text = NULL;

        assert_int_equal(file_read(AT_FDCWD, path, 100, &text, NULL), 0);
        assert_string_equal(text, expected);
}

static void test_unified(void **state) {
        _cleanup_(controller_done) Controller controller = {};
        _cleanup_(reason_done) Reason reason = {};
        _cleanup_(fd_closep) int fd = -EBADF;
        uint64_t current;

        write_file("base/cgroup.controllers", "cpuset pids memory\n");
        write_file("base/cgroup.subtree_control", "");
        write_file("base/a.slice/cgroup.subtree_control", "");
        write_file("base/a.slice/x.service/cgroup.subtree_control", "");
        assert_int_equal(mkdir("own", 0755), 0);
        assert_int_equal(controller_find(CONTROLLER_PIDS, "base", "own", "units", &controller), 0);
        assert_true(controller.is_unified);
        assert_string_equal(controller.base, "base");

        /* No file of it is there before it was given. */
        assert_int_equal(controller_open(&controller, "a.slice/x.service"), -ENOENT);
        assert_int_equal(controller_give(&controller, "a.slice/x.service", &reason), 0);
        assert_file("base/cgroup.subtree_control", "+pids");
        assert_file("base/a.slice/cgroup.subtree_control", "+pids");
        assert_file("base/a.slice/x.service/cgroup.subtree_control", "");
        write_file("base/a.slice/x.service/pids.max", "maxx\n");
        write_file("base/a.slice/x.service/pids.current", "3\n");

        fd = controller_open(&controller, "a.slice/x.service");
        assert_true(fd >= 0);
        assert_int_equal(controller_limit(&controller, fd, 77), 0);
        /* The kernel takes each write for a whole value; what stays here was there before. */
        assert_file("base/a.slice/x.service/pids.max", "77xx\n");
        assert_int_equal(controller_current(&controller, fd, &current), 0);
        assert_int_equal(current, 3);

        /* Processes are in it by being in the group. */
        assert_int_equal(controller_open_entrance(&controller, "a.slice/x.service"), -ENOENT);
        assert_int_equal(controller_move(&controller, "a.slice/x.service", fd), 0);
        controller_take(&controller, "a.slice/x.service");
        assert_int_equal(access("base/a.slice/x.service", F_OK), 0);
}

/* What cannot be written says where and why. */
static void test_unified_refused(void **state) {
        _cleanup_(controller_done) Controller controller = {};
        _cleanup_(reason_done) Reason reason = {};

        write_file("base/cgroup.controllers", "pids");
        assert_int_equal(controller_find(CONTROLLER_PIDS, "base", NULL, "units", &controller), 0);
        assert_int_equal(controller_give(&controller, "a.slice/x.service", &reason), -ENOENT);
        assert_string_equal(
                reason.text,
                "Cannot write \"+pids\" to base/cgroup.subtree_control: No such file or directory");
}

static void test_version_1(void **state) {
        _cleanup_(controller_done) Controller controller = {};
        _cleanup_(reason_done) Reason reason = {};
        _cleanup_(fd_closep) int fd = -EBADF, entrance_fd = -EBADF, processes_fd = -EBADF;
        uint64_t current;

        write_file("base/cgroup.controllers", "hugetlb\n");
        assert_int_equal(mkdir("own", 0755), 0);
        assert_int_equal(controller_find(CONTROLLER_MEMORY, "base", "own", "units", &controller), 0);
        assert_false(controller.is_unified);
        assert_string_equal(controller.base, "own/units");
        assert_int_equal(controller_open_entrance(&controller, "a.slice/x.service"), -ENOENT);
        assert_int_equal(controller_give(&controller, "a.slice/x.service", &reason), 0);
        write_file("own/units/a.slice/x.service/memory.usage_in_bytes", "4096\n");
        write_file("own/units/a.slice/x.service/cgroup.procs", "");
        fd = controller_open(&controller, "a.slice/x.service");
        assert_true(fd >= 0);
        assert_int_equal(controller_current(&controller, fd, &current), 0);
        assert_int_equal(current, 4096);

        entrance_fd = controller_open_entrance(&controller, "a.slice/x.service");
        assert_true(entrance_fd >= 0);
        write_file("base/a.slice/x.service/cgroup.procs", "123\n");
        processes_fd = open("base/a.slice/x.service", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        assert_true(processes_fd >= 0);
        assert_int_equal(controller_move(&controller, "a.slice/x.service", processes_fd), 0);
        /* Once, and once more to see that nobody has come. */
        assert_file("own/units/a.slice/x.service/cgroup.procs", "123123");
}

/* A path of the root of a hierarchy stands for itself. */
static void test_root(void **state) {
        _cleanup_(controller_done) Controller controller = {};

        assert_int_equal(mkdir("own", 0755), 0);
        assert_int_equal(controller_find(CONTROLLER_PIDS, "base", "own", "", &controller), 0);
        assert_string_equal(controller.base, "own");
}

/* Where there are processes, what is given to children would keep anybody from being in them. */
static void test_occupied(void **state) {
        static const struct {
                const char *type, *processes;
                bool is_occupied;
        } cases[] = {
                { "domain\n", "", false },
                { "domain\n", "1\n", true },
                { NULL, "1\n", false }, /* the root of the hierarchy */
        };

        write_file("base/cgroup.controllers", "pids\n");
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(controller_done) Controller controller = {}, with_version_1 = {};
                _cleanup_(reason_done) Reason reason = {};

                write_file("base/cgroup.procs", cases[i].processes);
                write_file("base/cgroup.subtree_control", "");
                if (cases[i].type)
                        write_file("base/cgroup.type", cases[i].type);
                else
                        assert_int_equal(unlink("base/cgroup.type"), 0);
                assert_int_equal(controller_find(CONTROLLER_PIDS, "base", NULL, "units", &controller), 0);
                assert_int_equal(controller.is_unified, !cases[i].is_occupied);
                if (!cases[i].is_occupied)
                        continue;
                assert_int_equal(controller_give(&controller, "a.service", &reason), -EBUSY);
                assert_non_null(strstr(reason.text, "DelegateSubgroup=manager"));
                assert_file("base/cgroup.subtree_control", "");
                assert_true(mkdir("own", 0755) == 0 || errno == EEXIST);
                assert_int_equal(controller_find(CONTROLLER_PIDS, "base", "own", "units", &with_version_1),
                                 0);
                assert_string_equal(with_version_1.base, "own/units");
        }
}

static void test_nowhere(void **state) {
        _cleanup_(controller_done) Controller controller = {};
        _cleanup_(reason_done) Reason reason = {};

        assert_int_equal(controller_find(CONTROLLER_PIDS, "base", NULL, "units", &controller), 0);
        assert_null(controller.base);
        assert_int_equal(controller_open(&controller, "x.service"), -ENOENT);
        assert_int_equal(controller_open_entrance(&controller, "x.service"), -ENOENT);
        assert_int_equal(controller_give(&controller, "x.service", &reason), -EOPNOTSUPP);
        assert_non_null(strstr(reason.text, "\"pids\""));
        assert_non_null(strstr(reason.text, "\"+pids\" in cgroup.subtree_control"));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                unit_test_in_directory(test_unified),   unit_test_in_directory(test_unified_refused),
                unit_test_in_directory(test_version_1), unit_test_in_directory(test_root),
                unit_test_in_directory(test_nowhere),   unit_test_in_directory(test_occupied),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
