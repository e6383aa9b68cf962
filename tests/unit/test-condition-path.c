/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/stat.h>

#include "base/fd.h"
#include "base/path.h"
#include "temporary-directory.h"
#include "unit/condition-path.h"

typedef int (*Test)(const char *path);

static void make_tree(void) {
        assert_int_equal(mkdir("empty", 0755), 0);
        assert_int_equal(mkdir("full", 0755), 0);
        assert_int_equal(file_write_text(AT_FDCWD, "full/.hidden", "", 0644), 0);
        assert_int_equal(file_write_text(AT_FDCWD, "file", "text", 0644), 0);
        assert_int_equal(file_write_text(AT_FDCWD, "program", "text", 0755), 0);
        assert_int_equal(symlink("full", "link"), 0);
        assert_int_equal(symlink("nowhere", "dangling"), 0);
}

static void test_paths(void **state) {
        static const struct {
                Test test;
                const char *path;
                int result;
        } cases[] = {
                { condition_path_exists, "file", 1 },
                { condition_path_exists, "link", 1 },
                { condition_path_exists, "dangling", 0 },
                { condition_path_exists, "nothing", 0 },
                { condition_path_exists, "file/below", 0 },
                { condition_path_exists_glob, "f*e", 1 },
                { condition_path_exists_glob, "n*", 0 },
                { condition_path_is_directory, "empty", 1 },
                { condition_path_is_directory, "link", 1 },
                { condition_path_is_directory, "file", 0 },
                { condition_path_is_directory, "nothing", 0 },
                { condition_path_is_symbolic_link, "link", 1 },
                { condition_path_is_symbolic_link, "dangling", 1 },
                { condition_path_is_symbolic_link, "file", 0 },
                { condition_path_is_symbolic_link, "nothing", 0 },
                { condition_path_is_mount_point, "empty", 0 },
                { condition_path_is_mount_point, "nothing", 0 },
                { condition_path_is_mount_point, "/proc", 1 },
                { condition_path_is_read_write, "file", 1 },
                { condition_path_is_read_write, "nothing", 0 },
                { condition_directory_not_empty, "full", 1 },
                { condition_directory_not_empty, "link", 1 },
                { condition_directory_not_empty, "empty", 0 },
                { condition_directory_not_empty, "file", 0 },
                { condition_directory_not_empty, "nothing", 0 },
                { condition_file_not_empty, "file", 1 },
                { condition_file_not_empty, "full/.hidden", 0 },
                { condition_file_not_empty, "full", 0 },
                { condition_file_not_empty, "nothing", 0 },
                { condition_file_is_executable, "program", 1 },
                { condition_file_is_executable, "file", 0 },
                { condition_file_is_executable, "full", 0 },
                { condition_file_is_executable, "nothing", 0 },
        };

        make_tree();
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(freep) char *path = NULL;

                assert_int_equal(path_absolute(cases[i].path, &path), 0);
                if (cases[i].test(path) != cases[i].result)
                        fail_msg("case %zu (%s): %d", i, cases[i].path, cases[i].test(path));
        }
}

static void test_needs_update(void **state) {
        assert_int_equal(condition_needs_update("/usr"), -EINVAL);
        assert_true(condition_needs_update("/etc") >= 0);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_paths, temporary_directory_enter,
                                                temporary_directory_leave),
                cmocka_unit_test(test_needs_update),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
