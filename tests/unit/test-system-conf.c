/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>
#include <sys/resource.h>

#include "temporary-directory.h"
#include "unit-tree.h"
#include "unit/system-conf.h"

static SystemConf *load(const char *expected_warning) {
        _cleanup_(unit_paths_done) UnitPaths paths = unit_tree_paths();
        SystemConf *conf = NULL;

        assert_int_equal(system_conf_load(&paths, &conf), 0);
        assert_null(conf->mistakes.texts);
        if (!expected_warning)
                assert_null(conf->mistakes.warnings);
        else {
                assert_non_null(conf->mistakes.warnings);
                assert_null(conf->mistakes.warnings[1]);
                assert_non_null(strstr(conf->mistakes.warnings[0], expected_warning));
        }
        return conf;
}

static void apply(const SystemConf *conf, Unit *unit) {
        assert_int_equal(unit->state, UNIT_LOADED);
        assert_int_equal(system_conf_apply(conf, unit), 0);
}

static Unit *service(const char *const *assignments) {
        Unit *unit = NULL;

        assert_int_equal(unit_new_transient("a.service", assignments, "test", &unit), 0);
        return unit;
}

#define SERVICE(...) service((const char *const[]){ "ExecStart=/bin/true", __VA_ARGS__ __VA_OPT__(, ) NULL })

/* Every row is a setting of units of the same type, or one of the few that are not. */
static void test_rows(void **state) {
        for (size_t i = 0; i < system_conf_settings.n_rows; i++) {
                const Setting *const row = &system_conf_settings.rows[i];
                _cleanup_(freep) char *name = NULL;

                assert_non_null(row->about);
                assert_string_equal(row->section, "Manager");
                if (text_equal(row->name, "LogLevel"))
                        continue;
                const Setting *const other =
                        setting_find(&unit_settings, row->offset - offsetof(SystemConfSettings, unit));
                assert_int_equal(text_format(&name, "Default%s", other->name), 0);
                assert_string_equal(row->name, name);
                assert_ptr_equal(row->type, other->type);
        }
}

static void test_files(void **state) {
        _cleanup_(system_conf_freep) SystemConf *none = load(NULL), *conf = NULL;

        assert_false(none->settings.unit.timeout_start.set);
        unit_tree_write("run/system.conf", "[Manager]\nDefaultTimeoutStartSec=1\nDefaultTasksMax=11\n");
        unit_tree_write("lib/system.conf", "[Manager]\nDefaultTimeoutStartSec=2\nDefaultRestartSec=3\n");
        unit_tree_write("lib/system.conf.d/10.conf", "[Manager]\nDefaultTimeoutStopSec=4\n");
        unit_tree_write("lib/system.conf.d/20.conf",
                        "[Manager]\nDefaultTimeoutStopSec=5\nDefaultStartLimitBurst=6\n");
        unit_tree_write("etc/system.conf.d/10.conf",
                        "[Manager]\nDefaultTimeoutStopSec=7\nDefaultStartLimitInterval=8\n");
        unit_tree_write("lib/system.conf.d/30.conf", "[Manager]\nDefaultStartLimitBurst=9\n");
        unit_tree_link("etc/system.conf.d/30.conf", "/dev/null");
        conf = load(NULL);
        const UnitSettings *const settings = &conf->settings.unit;
        /* Of the file itself only the first; of drop-ins all that no other takes the place of. */
        assert_int_equal(settings->timeout_start.usec, 1000000);
        assert_string_equal(settings->tasks_max, "11");
        assert_false(settings->restart_delay.set);
        assert_int_equal(settings->timeout_stop.usec, 5000000);
        assert_int_equal(settings->start_limit_interval.usec, 8000000);
        assert_int_equal(settings->start_limit_burst.value, 6);
}

static void test_mistakes(void **state) {
        static const struct {
                const char *text, *warning;
        } cases[] = {
                { "[Manager]\nDefaultTasksMax=7\nCrashShell=no\n", "/etc/system.conf:3: " },
                { "[Manager]\nDefaultTasksMax=7\nDefaultTimeoutStartSec=soon\n", "/etc/system.conf:3: " },
                { "[Manager]\nDefaultTasksMax=7\n[Other]\nA=b\n", "/etc/system.conf:3: " },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                unit_tree_write("etc/system.conf", cases[i].text);
                _cleanup_(system_conf_freep) SystemConf *conf = load(cases[i].warning);
                /* The rest counts. */
                assert_string_equal(conf->settings.unit.tasks_max, "7");
        }
}

static void test_defaults(void **state) {
        unit_tree_write(
                "etc/system.conf",
                "[Manager]\nDefaultTimeoutStartSec=1min\nDefaultTimeoutStopSec=2min\nDefaultTasksMax=10%\n"
                "DefaultLimitNOFILE=100:200\nDefaultStandardOutput=null\nDefaultCPUAccounting=yes\n"
                "DefaultStartLimitBurst=3\nDefaultEnvironment=A=b\nLogLevel=debug\n");
        _cleanup_(system_conf_freep) SystemConf *conf = load(NULL);
        _cleanup_(unit_freep) Unit *plain = SERVICE(), *said = NULL, *both = NULL, *oneshot = NULL;

        assert_int_equal(conf->settings.log_level, CONF_LOG_DEBUG);
        apply(conf, plain);
        assert_int_equal(plain->settings.timeout_start.usec, 60000000);
        assert_int_equal(plain->settings.timeout_stop.usec, 120000000);
        assert_string_equal(plain->settings.tasks_max, "10%");
        assert_true(plain->settings.limits[RLIMIT_NOFILE].set);
        assert_int_equal(plain->settings.limits[RLIMIT_NOFILE].soft, 100);
        assert_int_equal(plain->settings.limits[RLIMIT_NOFILE].hard, 200);
        assert_string_equal(plain->settings.standard_output, "null");
        assert_int_equal(plain->settings.cpu_accounting, TRUTH_YES);
        assert_int_equal(plain->settings.start_limit_burst.value, 3);
        assert_null(plain->settings.environment);
        const Setting *const row = setting_find(&unit_settings, offsetof(UnitSettings, tasks_max));
        assert_int_equal(setting_source(plain->store, row), SETTING_DERIVED);
        assert_string_equal(setting_origins(plain->store, row)->items[0].file, "DefaultTasksMax=");

        said = SERVICE("TimeoutStartSec=5", "TasksMax=infinity", "LimitNOFILE=7", "StandardOutput=journal",
                       "CPUAccounting=no", "StartLimitBurst=9");
        apply(conf, said);
        assert_int_equal(said->settings.timeout_start.usec, 5000000);
        assert_string_equal(said->settings.tasks_max, "infinity");
        assert_int_equal(said->settings.limits[RLIMIT_NOFILE].soft, 7);
        assert_string_equal(said->settings.standard_output, "journal");
        assert_int_equal(said->settings.cpu_accounting, TRUTH_NO);
        assert_int_equal(said->settings.start_limit_burst.value, 9);

        both = SERVICE("TimeoutSec=5");
        apply(conf, both);
        assert_false(both->settings.timeout_start.set || both->settings.timeout_stop.set);
        oneshot = SERVICE("Type=oneshot");
        apply(conf, oneshot);
        assert_false(oneshot->settings.timeout_start.set);
        assert_true(oneshot->settings.timeout_stop.set);
}

/* What processes are told by the manager has the defaults, and is read by who does not know of them. */
static void test_written(void **state) {
        unit_tree_write("etc/system.conf", "[Manager]\nDefaultLimitCORE=5\nDefaultStandardError=null\n");
        _cleanup_(system_conf_freep) SystemConf *conf = load(NULL);
        _cleanup_(unit_freep) Unit *unit = SERVICE();
        _cleanup_(strv_freep) char **written = NULL;

        apply(conf, unit);
        assert_int_equal(unit_settings_write(unit, &written), 0);
        assert_true(strv_contains(STRV(written), "LimitCORE=5"));
        assert_true(strv_contains(STRV(written), "StandardError=null"));
}

static void test_slice(void **state) {
        static const char *const assignments[] = { "Description=x", NULL };
        unit_tree_write("etc/system.conf",
                        "[Manager]\nDefaultTasksMax=5\nDefaultMemoryAccounting=yes\nDefaultRestartSec=5\n");
        _cleanup_(system_conf_freep) SystemConf *conf = load(NULL);
        _cleanup_(unit_freep) Unit *slice = NULL;
        _cleanup_(strv_freep) char **written = NULL;

        assert_int_equal(unit_new_transient("a.slice", assignments, "test", &slice), 0);
        apply(conf, slice);
        assert_null(slice->settings.tasks_max);
        assert_int_equal(slice->settings.memory_accounting, TRUTH_YES);
        assert_false(slice->settings.restart_delay.set);
        assert_int_equal(unit_settings_write(slice, &written), 0);
        assert_true(strv_contains(STRV(written), "MemoryAccounting=yes"));
}

static void test_paths(void **state) {
        static const char *const own[] = { "/etc/mkosi", "/run/mkosi", NULL };
        _cleanup_(unit_paths_done) UnitPaths all = {}, few = {};

        assert_int_equal(system_conf_paths("/tree", own, &all), 0);
        assert_string_equal(all.directories[0], "/tree/etc/mkosi");
        assert_string_equal(all.directories[2], "/tree/etc/systemd");
        assert_string_equal(all.directories[strv_length(STRV(all.directories)) - 2], "/tree/usr/lib/systemd");
        assert_int_equal(system_conf_paths(NULL, own, &few), 0);
        assert_int_equal(strv_length(STRV(few.directories)), 2);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_rows),           unit_test_in_directory(test_files),
                unit_test_in_directory(test_mistakes), unit_test_in_directory(test_defaults),
                unit_test_in_directory(test_written),  unit_test_in_directory(test_slice),
                cmocka_unit_test(test_paths),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
