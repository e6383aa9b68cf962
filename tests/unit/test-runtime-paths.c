/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "base/path.h"
#include "base/text.h"
#include "temporary-directory.h"
#include "unit/runtime-paths.h"

static void check_directory(const char *parent, const char *name) {
        _cleanup_(freep) char *path = NULL;
        struct stat status;

        assert_int_equal(path_join(parent, name, &path), 0);
        assert_int_equal(lstat(path, &status), 0);
        assert_true(S_ISDIR(status.st_mode));
        assert_int_equal(status.st_mode & 07777, 0755);
}

static void test_usual(void **state) {
        RuntimePaths paths;

        assert_int_equal(runtime_paths_new(NULL, NULL, &paths), 0);
        assert_string_equal(paths.runtime, "/run/mkosi");
        assert_string_equal(paths.config, "/etc/mkosi");
        assert_string_equal(paths.user_records, "/run/userdb");
        assert_true(text_equal(paths.registry, "/run/mkosi/dynamic-uid") ||
                    text_equal(paths.registry, "/run/systemd/dynamic-uid"));
        runtime_paths_done(&paths);
}

static void own_paths(const char *directory, RuntimePaths *ret) {
        assert_int_equal(runtime_paths_new("run", "config", ret), 0);
        free(ret->registry);
        free(ret->user_records);
        assert_int_equal(path_join(directory, "run/dynamic-uid", &ret->registry), 0);
        assert_int_equal(path_join(directory, "userdb", &ret->user_records), 0);
}

static void test_make(void **state) {
        static const char *const names[] = { "",          "units",
                                             "transient", "system.control",
                                             "log",       "../run/dynamic-uid" };
        RuntimePaths paths;

        own_paths(*state, &paths);
        for (unsigned round = 0; round < 2; round++) {
                assert_int_equal(runtime_paths_make(&paths), 0);
                for (size_t i = 0; i < ELEMENTSOF(names); i++)
                        check_directory(paths.runtime, names[i]);
        }
        runtime_paths_done(&paths);
}

/* Directories that others can write to, and links to who knows where, are refused. */
static void test_refused(void **state) {
        RuntimePaths paths;

        own_paths(*state, &paths);
        assert_int_equal(runtime_paths_make(&paths), 0);
        assert_int_equal(chmod("run/units", 0777), 0);
        assert_int_equal(runtime_paths_make(&paths), -EPERM);
        assert_int_equal(rmdir("run/units"), 0);
        assert_int_equal(symlink("/tmp", "run/units"), 0);
        assert_true(runtime_paths_make(&paths) < 0);
        runtime_paths_done(&paths);
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_usual),
                unit_test_in_directory(test_make),
                unit_test_in_directory(test_refused),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
