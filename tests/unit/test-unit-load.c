/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/strv.h"
#include "failing-allocation.h"
#include "temporary-directory.h"
#include "unit-tree.h"
#include "unit/unit-load.h"

static Unit *load(const UnitPaths *paths, const char *name) {
        Unit *unit = NULL;

        assert_int_equal(unit_load(paths, name, &unit), 0);
        assert_non_null(unit);
        return unit;
}

/* All messages but for the root in front of paths, one a line. */
static char *join(const Unit *unit, char *const *texts) {
        char *joined = NULL;
        size_t size;
        FILE *const file = open_memstream(&joined, &size);

        assert_non_null(file);
        for (; texts && *texts; texts++) {
                const char *const slash =
                        (*texts)[0] == '/' ? strstr(*texts, "/etc/") ?: strstr(*texts, "/lib/") : NULL;

                (void)fprintf(file, "%s\n", slash ?: *texts);
        }
        assert_int_equal(fclose(file), 0);
        return joined;
}

static void assert_mistakes(const Unit *unit, const char *expected) {
        _cleanup_(freep) char *joined = join(unit, unit->mistakes.texts);

        assert_string_equal(joined, expected);
        assert_int_equal(unit->state, expected[0] ? UNIT_BAD_SETTING : UNIT_LOADED);
}

static void assert_warnings(const Unit *unit, const char *expected) {
        _cleanup_(freep) char *joined = join(unit, unit->mistakes.warnings);

        assert_string_equal(joined, expected);
}

static void test_all(void **state) {
        _cleanup_(unit_paths_done) UnitPaths paths = unit_tree_paths();
        _cleanup_(unit_freep) Unit *unit = NULL;

        unit_tree_write("lib/waldo@.service", "# A test.\n"
                                              "[Unit]\n"
                                              "Description=Waldo of %i\n"
                                              "After=a.service b.service\n"
                                              "[Service]\n"
                                              "Type=notify\n"
                                              "ExecStart=/bin/sh -c 'echo \\\n"
                                              "; not this\n"
                                              "  %i'\n"
                                              "Environment=A=1\n"
                                              "Environment=B=2\n"
                                              "DynamicUser=yes\n"
                                              "StateDirectory=waldo/%i\n"
                                              "StateDirectoryMode=0750\n"
                                              "ProtectSystem=true\n"
                                              "LimitNOFILE=100:200\n"
                                              "TimeoutStopSec=1min 30s\n"
                                              "KillSignal=SIGINT\n"
                                              "Restart=on-failure\n"
                                              "ReadOnlyDirectories=/srv\n");
        unit_tree_write("etc/waldo@.service.d/50-x.conf", "[Service]\nEnvironment=\nEnvironment=C=3\n");
        unit_tree_write("run/waldo@one.service.d/60-y.conf", "[Unit]\nAfter=c.service\n");
        unit = load(&paths, "waldo@one.service");
        assert_mistakes(unit, "");
        assert_warnings(unit, "");

        const UnitSettings *const settings = &unit->settings;
        assert_string_equal(unit->name, "waldo@one.service");
        assert_true(text_ends_with(unit->fragment, "/lib/waldo@.service"));
        assert_int_equal(strv_length(STRV(unit->drop_ins)), 2);
        assert_string_equal(settings->description, "Waldo of %i");
        assert_true(strv_equal(STRV(settings->after),
                               (const char *const[]){ "a.service", "b.service", "c.service", NULL }));
        assert_int_equal(settings->type, SERVICE_NOTIFY);
        assert_true(strv_equal(STRV(settings->commands[SERVICE_START]),
                               (const char *const[]){ "/bin/sh -c 'echo    %i'", NULL }));
        assert_true(strv_equal(STRV(settings->environment), (const char *const[]){ "C=3", NULL }));
        assert_int_equal(settings->dynamic_user, TRUTH_YES);
        assert_string_equal(settings->directories[EXEC_DIRECTORY_STATE][0], "waldo/%i");
        assert_int_equal(settings->directory_modes[EXEC_DIRECTORY_STATE].bits, 0750);
        assert_int_equal(settings->protect_system, PROTECT_SYSTEM_STRICT); /* as the dynamic user implies */
        assert_int_equal(settings->limits[RLIMIT_NOFILE].soft, 100);
        assert_int_equal(settings->limits[RLIMIT_NOFILE].hard, 200);
        assert_true(settings->timeout_stop.usec == 90 * UINT64_C(1000000));
        assert_int_equal(settings->kill_signal, SIGINT);
        assert_int_equal(settings->restart, RESTART_ON_FAILURE);
        assert_string_equal(settings->read_only_paths[0], "/srv");

        const SettingOrigins *const origins =
                setting_origins(unit->store,
                                setting_find(&unit_settings, offsetof(UnitSettings, environment)));
        assert_int_equal(origins->n_items, 1);
        assert_true(text_ends_with(origins->items[0].file, "/etc/waldo@.service.d/50-x.conf"));
        assert_int_equal(origins->items[0].line, 3);
}

static void test_states(void **state) {
        _cleanup_(unit_paths_done) UnitPaths paths = unit_tree_paths();
        static const struct {
                const char *name;
                UnitLoadState state;
        } cases[] = {
                { "absent.service", UNIT_NOT_FOUND }, { "absent.target", UNIT_NOT_FOUND },
                { "masked.service", UNIT_MASKED },    { "good.service", UNIT_LOADED },
                { "bad.service", UNIT_BAD_SETTING },  { "a.target", UNIT_LOADED },
                { "system-a.slice", UNIT_LOADED }, /* needs no file */
                { "masked.slice", UNIT_MASKED },
        };

        unit_tree_link("etc/masked.service", "/dev/null");
        unit_tree_write("etc/masked.slice", "");
        unit_tree_write("etc/absent.service.d/x.conf", "[Service]\nExecStart=/bin/true\n");
        unit_tree_write("etc/good.service", "[Service]\nExecStart=/bin/true\n");
        unit_tree_write("etc/bad.service", "[Service]\nExecStart=/bin/true\nProtectSystem=perhaps\n");
        unit_tree_write("etc/a.target", "[Unit]\nDescription=A\n");
        unit_tree_write("etc/system-a.slice.d/x.conf", "[Slice]\nTasksMax=7\n");
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(unit_freep) Unit *unit = load(&paths, cases[i].name);

                assert_int_equal(unit->state, cases[i].state);
                if (text_equal(cases[i].name, "system-a.slice"))
                        assert_string_equal(unit->settings.tasks_max, "7");
        }
}

/* What would confine the service refuses the unit, wherever it is said, unless it asks for nothing. */
static void test_refused(void **state) {
        _cleanup_(unit_paths_done) UnitPaths paths = unit_tree_paths();
        _cleanup_(unit_freep) Unit *unit = NULL;

        unit_tree_write("etc/a.service", "[Service]\nExecStart=/bin/true\nIPAddressDeny=any\nIPAddressDeny=\n"
                                         "PrivateUsers=no\nDevicePolicy=auto\nRestrictNamespaces=yes\n"
                                         "ProtectProc=default\nProcSubset=all\n");
        unit_tree_write("etc/b.service", "[Service]\nExecStart=/bin/true\nRootDirectory=/srv/x\n"
                                         "IPAddressDeny=any\nIPAddressDeny=\n");
        unit_tree_write("etc/a.service.d/x.conf", "[Service]\nRootEphemeral=yes\nRestrictNamespaces=no\n");
        unit = load(&paths, "a.service");
        assert_mistakes(unit,
                        "/etc/a.service.d/x.conf:2: RootEphemeral= is refused: it would confine what it "
                        "is said of, and is not there yet\n");
        unit_free(TAKE_PTR(unit));
        unit = load(&paths, "b.service");
        assert_mistakes(unit,
                        "/etc/b.service:3: RootDirectory= is refused: it would confine what it is said of, "
                        "and is not there yet\n");
}

/* An empty set of capabilities is one: the strictest. */
static void test_empty_counts(void **state) {
        _cleanup_(unit_paths_done) UnitPaths paths = unit_tree_paths();
        _cleanup_(unit_freep) Unit *unit = NULL;

        unit_tree_write("etc/a.service", "[Service]\nExecStart=/bin/true\nCapabilityBoundingSet=CAP_KILL\n"
                                         "CapabilityBoundingSet=\nAmbientCapabilities=CAP_KILL\n"
                                         "AmbientCapabilities=\n");
        unit = load(&paths, "a.service");
        assert_mistakes(unit, "");
        assert_string_equal(unit->settings.capability_bounding_set[0], "");
        assert_null(unit->settings.capability_bounding_set[1]);
        assert_int_equal(strv_length(STRV(unit->settings.ambient_capabilities)), 0);
}

static void test_messages(void **state) {
        static const struct {
                const char *text, *mistakes, *warnings;
        } cases[] = {
                { "[Service]\nExecStart=/bin/true\nFoo=1\nTimeoutStopSec=x\n[Foo]\nA=b\n[X-Foo]\nA=b\n", "",
                  "/etc/a.service:3: Unknown setting \"Foo\" in [Service]\n"
                  "/etc/a.service:4: TimeoutStopSec=x: not a length of time, as \"90\" or \"1min 30s\"\n"
                  "/etc/a.service:5: Unknown section [Foo]\n" },
                { "[Service]\nExecStart=/bin/true\nPrivateTmp=x\nUMask=9\n",
                  "/etc/a.service:3: PrivateTmp=x: say \"yes\" or \"no\"\n"
                  "/etc/a.service:4: UMask=9: not a mode, as \"0755\"\n",
                  "" },
                { "[Unit]\nExecStart=/bin/true\n", "/etc/a.service: There is no ExecStart=\n",
                  "/etc/a.service:2: Setting \"ExecStart\" belongs in [Service], not in [Unit]\n" },
                { "[Service]\nType=oneshot\nExecStop=/bin/true\n", "/etc/a.service: There is no ExecStart=\n",
                  "" },
                { "[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStop=/bin/true\n", "", "" },
                { "[Service]\nExecStart=/bin/true\nType=dbus\n",
                  "/etc/a.service:3: Type=dbus: unknown type \"dbus\" (possible: simple, exec, forking, oneshot, "
                  "notify)\n",
                  "" },
        };
        _cleanup_(unit_paths_done) UnitPaths paths = unit_tree_paths();

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(unit_freep) Unit *unit = NULL;

                unit_tree_write("etc/a.service", cases[i].text);
                unit = load(&paths, "a.service");
                assert_mistakes(unit, cases[i].mistakes);
                assert_warnings(unit, cases[i].warnings);
        }
}

/* What cannot be read might have said that the service is confined. */
static void test_unreadable(void **state) {
        _cleanup_(unit_paths_done) UnitPaths paths = unit_tree_paths();
        _cleanup_(unit_freep) Unit *unit = NULL;
        static const char nul[] = "[Service]\nExecStart=/bin/true\n\0ProtectSystem=strict\n";

        unit_tree_write("etc/a.service", "[Service]\nExecStart=/bin/true\n");
        unit_tree_link("etc/a.service.d/a.conf", "nowhere");
        assert_int_equal(mkdir("etc/a.service.d/b.conf", 0755), 0);
        unit = load(&paths, "a.service");
        assert_mistakes(unit, "/etc/a.service.d/a.conf: No such file or directory\n"
                              "/etc/a.service.d/b.conf: Is a directory\n");
        unit_free(TAKE_PTR(unit));
        assert_int_equal(file_write(AT_FDCWD, "etc/b.service", nul, sizeof(nul) - 1, 0644), 0);
        unit = load(&paths, "b.service");
        assert_mistakes(unit, "/etc/b.service:3: A NUL byte: this is not a text file\n");
}

static void test_enabled(void **state) {
        _cleanup_(unit_paths_done) UnitPaths paths = unit_tree_paths();
        _cleanup_(unit_freep) Unit *unit = NULL;

        unit_tree_write("lib/a.target", "[Unit]\nWants=b.service\n");
        unit_tree_link("etc/a.target.wants/c@x.service", "/lib/c@.service");
        unit_tree_link("etc/a.target.requires/d.service", "/lib/d.service");
        unit = load(&paths, "a.target");
        assert_true(strv_equal(STRV(unit->settings.wants),
                               (const char *const[]){ "b.service", "c@x.service", NULL }));
        assert_true(strv_equal(STRV(unit->settings.requires), (const char *const[]){ "d.service", NULL }));
        const SettingOrigins *const origins =
                setting_origins(unit->store, setting_find(&unit_settings, offsetof(UnitSettings, wants)));
        assert_int_equal(origins->n_items, 2);
        assert_string_equal(origins->items[1].file, "a.target.wants/");
}

static Unit *transient(const char *name, const char *const *assignments) {
        Unit *unit = NULL;

        assert_int_equal(unit_new_transient(name, assignments, "--property", &unit), 0);
        return unit;
}

#define TRANSIENT(name, ...) transient(name, (const char *const[]){ __VA_ARGS__, NULL })

static void test_transient(void **state) {
        _cleanup_(unit_freep) Unit *unit =
                TRANSIENT("run-u1.service", "Description=a = b", "ExecStart=/bin/echo  a", "ExecStart=/bin/b",
                          "Environment=A=1", "Environment=", "Environment=B=2", "PrivateTmp=1", "Nice=-5",
                          "SyslogIdentifier=a\nProtectSystem=strict");

        assert_mistakes(unit, "");
        assert_null(unit->fragment);
        assert_string_equal(unit->settings.description, "a = b");
        assert_int_equal(strv_length(STRV(unit->settings.commands[SERVICE_START])), 2);
        assert_true(strv_equal(STRV(unit->settings.environment), (const char *const[]){ "B=2", NULL }));
        assert_int_equal(unit->settings.nice.value, -5);
        assert_int_equal(unit->settings.protect_system, PROTECT_SYSTEM_NO);
        unit_free(TAKE_PTR(unit));

        unit = TRANSIENT("a-b.slice", "TasksMax=5", "Description=x");
        assert_mistakes(unit, "");
        assert_string_equal(unit->settings.tasks_max, "5");
}

/* Who types a setting wants it: nothing is passed over. */
static void test_transient_mistakes(void **state) {
        static const struct {
                const char *name, *assignment, *mistake;
        } cases[] = {
                { "a.service", "Nice", "--property: Not \"NAME=VALUE\": \"Nice\"\n" },
                { "a.service", "=x", "--property: Unknown setting \"\"\n" },
                { "a.service", "Nise=5", "--property: Unknown setting \"Nise\", did you mean \"Nice\"?\n" },
                { "a.service", "Nice=x", "--property: Nice=x: not a number\n" },
                { "a.service", "Kernel=x", "--property: Unknown setting \"Kernel\"\n" },
                { "a.service", "PrivatePIDs=yes",
                  "--property: PrivatePIDs= is refused: it would confine what it is said of, and is not there yet\n" },
                { "a.service", "PrivatePIDs=no", "" },
                { "a.service", "InaccessibleDirectories=/x", "" },
                { "a.slice", "IPAddressDeny=any",
                  "--property: IPAddressDeny= is refused: it would confine what it is said of, and is not there yet\n" },
                { "a.slice", "ExecStart=/bin/true", "--property: Unknown setting \"ExecStart\"\n" },
        };
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                const bool is_slice = text_ends_with(cases[i].name, ".slice");
                _cleanup_(unit_freep) Unit *unit = TRANSIENT(cases[i].name, cases[i].assignment,
                                                             is_slice ? "TasksMax=1" : "ExecStart=/bin/true");

                assert_mistakes(unit, cases[i].mistake);
        }
        _cleanup_(unit_freep) Unit *unit = transient("a.service", NULL);
        assert_mistakes(unit, "--property: There is no ExecStart=\n");
}

static UnitPaths failing_paths;

static int load_failing(void) {
        _cleanup_(unit_freep) Unit *unit = NULL, *other = NULL;

        const int r = unit_load(&failing_paths, "b@x.service", &unit);
        return r < 0 ? r
                     : unit_new_transient("c.service", (const char *const[]){ "Nice=5", "Foo=1", "A", NULL },
                                          "--property", &other);
}

static void test_out_of_memory(void **state) {
        failing_paths = unit_tree_paths();
        unit_tree_write("lib/a@.service", "[Service]\nExecStart=/bin/true\nFoo=1\nPrivateUsers=yes\n");
        unit_tree_write("lib/a@.service.d/x.conf", "[Service]\nEnvironment=A=b\nUMask=x\n");
        unit_tree_link("lib/a@.service.wants/y.service", "../y.service");
        unit_tree_link("etc/b@.service", "/lib/a@.service");
        assert_true(fail_every_allocation(load_failing) > 100);
        unit_paths_done(&failing_paths);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                unit_test_in_directory(test_all),          unit_test_in_directory(test_states),
                unit_test_in_directory(test_refused),      unit_test_in_directory(test_empty_counts),
                unit_test_in_directory(test_messages),     unit_test_in_directory(test_unreadable),
                unit_test_in_directory(test_enabled),      cmocka_unit_test(test_transient),
                cmocka_unit_test(test_transient_mistakes), unit_test_in_directory(test_out_of_memory),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
