/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/strv.h"
#include "base/text.h"
#include "exec-rig.h"
#include "exec/exec-directories.h"
#include "unit/unit-load.h"

static int plan(const char *const *settings, bool dynamic, ExecDirectories *ret, Reason *reason) {
        _cleanup_(unit_freep) Unit *unit = NULL;

        int exit = 0;

        assert_int_equal(unit_new_transient("a@b.service", settings, "test", &unit), 0);
        const int r = exec_directories_plan(&unit->settings, unit->name, dynamic, ret, &exit, reason);
        assert_int_equal(r < 0, exit != 0);
        return r;
}

static char *print(const ExecDirectories *directories) {
        _cleanup_(strv_freep) char **list = NULL;
        char *joined;

        for (size_t i = 0; i < directories->n_items; i++) {
                const ExecDirectory *const item = &directories->items[i];

                assert_int_equal(strv_append_format(&list, "%s %s %04o", item->public,
                                                    item->private ? item->private : "-",
                                                    (unsigned)item->mode),
                                 0);
        }
        assert_int_equal(strv_join(STRV(list), "\n", &joined), 0);
        return joined;
}

static void test_plan(void **state) {
        static const char *const settings[] = {
                "StateDirectory=z ./a//b/ \"c d\"",
                "StateDirectory=a a/b %i",
                "StateDirectoryMode=0750",
                "RuntimeDirectory=r",
                "ConfigurationDirectory=e",
                "LogsDirectory=l",
                "CacheDirectory=c",
                NULL,
        };
        _cleanup_(exec_directories_done) ExecDirectories fixed = {}, dynamic = {};
        _cleanup_(freep) char *fixed_text = NULL, *dynamic_text = NULL, *joined = NULL;
        _cleanup_(strv_freep) char **environment = NULL;

        assert_int_equal(plan(settings, false, &fixed, NULL), 0);
        fixed_text = print(&fixed);
        assert_string_equal(fixed_text,
                            "/run/r - 0755\n/var/lib/a - 0750\n/var/lib/a/b - 0750\n/var/lib/b - 0750\n"
                            "/var/lib/c d - 0750\n/var/lib/z - 0750\n/var/cache/c - 0755\n"
                            "/var/log/l - 0755\n/etc/e - 0755");
        assert_int_equal(plan(settings, true, &dynamic, NULL), 0);
        dynamic_text = print(&dynamic);
        assert_non_null(strstr(dynamic_text, "/run/r - 0755\n"));
        assert_non_null(strstr(dynamic_text, "/etc/e - 0755"));
        assert_non_null(strstr(dynamic_text, "/var/lib/a/b /var/lib/private/a/b 0750\n"));
        assert_non_null(strstr(dynamic_text, "/var/log/l /var/log/private/l 0755\n"));

        assert_int_equal(exec_directories_environment(&dynamic, &environment), 0);
        assert_int_equal(strv_join(STRV(environment), "\n", &joined), 0);
        assert_string_equal(joined,
                            "RUNTIME_DIRECTORY=/run/r\n"
                            "STATE_DIRECTORY=/var/lib/a:/var/lib/a/b:/var/lib/b:/var/lib/c d:/var/lib/z\n"
                            "CACHE_DIRECTORY=/var/cache/c\nLOGS_DIRECTORY=/var/log/l\n"
                            "CONFIGURATION_DIRECTORY=/etc/e");
}

static void test_refused(void **state) {
        static const char *const settings[] = {
                "StateDirectory=/a",  "StateDirectory=..",       "StateDirectory=a/../b",
                "StateDirectory=.",   "StateDirectory=private",  "StateDirectory=./private/a",
                "StateDirectory=a:b", "StateDirectory=\"no end", "StateDirectory=%!",
        };

        for (size_t i = 0; i < ELEMENTSOF(settings); i++) {
                _cleanup_(reason_done) Reason reason = {};
                ExecDirectories directories;

                if (plan((const char *const[]){ settings[i], NULL }, true, &directories, &reason) != -EINVAL)
                        fail_msg("%s", settings[i]);
                assert_non_null(reason.text);
        }
}

/* Numbers on disk, in the order of the types; what is no dynamic user's does not count. */
static void test_owners(void **state) {
        _cleanup_(exec_directories_done) ExecDirectories directories = {};
        uid_t owners[3];
        size_t n;

        rig_need(state);
        assert_int_equal(plan((const char *const[]){ "LogsDirectory=l", "StateDirectory=a b c",
                                                     "CacheDirectory=c", NULL },
                              true, &directories, NULL),
                         0);
        assert_int_equal(exec_directories_owners(&directories, owners, 3, &n), 0);
        assert_int_equal(n, 0);
        assert_int_equal(path_make_directories(AT_FDCWD, "/var/lib/private/b", 0755), 0);
        assert_int_equal(path_make_directories(AT_FDCWD, "/var/lib/private/c", 0755), 0);
        assert_int_equal(path_make_directories(AT_FDCWD, "/var/log/private/l", 0755), 0);
        assert_int_equal(chown("/var/lib/private/b", 1000, 1000), 0);
        assert_int_equal(chown("/var/lib/private/c", 62000, 62000), 0);
        assert_int_equal(chown("/var/log/private/l", 61184, 61184), 0);
        assert_int_equal(exec_directories_owners(&directories, owners, 3, &n), 0);
        assert_int_equal(n, 2);
        assert_int_equal(owners[0], 62000);
        assert_int_equal(owners[1], 61184);
        assert_int_equal(exec_directories_owners(&directories, owners, 1, &n), 0);
        assert_int_equal(n, 1);
}

/* Only what was named goes, and what lies in it: links are not followed. */
static void test_remove(void **state) {
        _cleanup_(exec_directories_done) ExecDirectories directories = {};

        rig_need(state);
        assert_int_equal(plan((const char *const[]){ "RuntimeDirectory=x/y z link/w missing",
                                                     "StateDirectory=s", NULL },
                              false, &directories, NULL),
                         0);
        assert_int_equal(path_make_directories(AT_FDCWD, "/run/x/y/deep/deeper", 0755), 0);
        assert_int_equal(path_make_directories(AT_FDCWD, "/run/kept/w", 0755), 0);
        assert_int_equal(path_make_directories(AT_FDCWD, "/var/lib/s", 0755), 0);
        assert_int_equal(symlink("/run/kept", "/run/z"), 0);
        assert_int_equal(symlink("/run/kept", "/run/link"), 0);
        assert_int_equal(symlink("/run/kept", "/run/x/y/link"), 0);
        /* The way to one of them is a link: that is refused, and the others go all the same. */
        assert_true(exec_directories_remove_runtime(&directories, NULL) < 0);
        assert_int_equal(access("/run/x/y", F_OK), -1);
        assert_int_equal(access("/run/x", F_OK), 0);
        assert_int_equal(access("/run/z", F_OK), -1);
        assert_int_equal(access("/run/kept/w", F_OK), 0);
        assert_int_equal(access("/var/lib/s", F_OK), 0);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_plan),
                cmocka_unit_test(test_refused),
                cmocka_unit_test(test_owners),
                cmocka_unit_test(test_remove),
        };

        return cmocka_run_group_tests(tests, rig_enter, NULL);
}
