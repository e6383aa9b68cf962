/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "unit/unit-implied.h"
#include "unit/unit-load.h"

static Unit *load(const char *const *assignments) {
        Unit *unit = NULL;

        assert_int_equal(unit_new_transient("a.service", assignments, "--property", &unit), 0);
        assert_int_equal(unit->state, UNIT_LOADED);
        return unit;
}

#define UNIT(...) load((const char *const[]){ "ExecStart=/bin/true", __VA_ARGS__, NULL })

static void test_dynamic_user(void **state) {
        _cleanup_(unit_freep) Unit *unit = UNIT("DynamicUser=yes");
        const UnitSettings *settings = &unit->settings;
        const Setting *row = setting_find(&unit_settings, offsetof(UnitSettings, protect_system));

        assert_int_equal(settings->private_tmp, TRUTH_YES);
        assert_int_equal(settings->remove_ipc, TRUTH_YES);
        assert_int_equal(settings->no_new_privileges, TRUTH_YES);
        assert_int_equal(settings->restrict_suid_sgid, TRUTH_YES);
        assert_int_equal(settings->protect_system, PROTECT_SYSTEM_STRICT);
        assert_int_equal(settings->protect_home, PROTECT_HOME_READ_ONLY);
        assert_int_equal(setting_source(unit->store, row), SETTING_DERIVED);
}

/* It cannot be loosened, but tightened. */
static void test_what_was_said(void **state) {
        _cleanup_(unit_freep) Unit *loose = UNIT("ProtectSystem=full", "PrivateTmp=no", "ProtectHome=no",
                                                 "DynamicUser=yes", "RemoveIPC=no");
        _cleanup_(unit_freep) Unit *tight = UNIT("DynamicUser=yes", "ProtectHome=tmpfs");
        _cleanup_(unit_freep) Unit *hidden = UNIT("DynamicUser=yes", "ProtectHome=yes");

        assert_int_equal(loose->settings.protect_system, PROTECT_SYSTEM_STRICT);
        assert_int_equal(loose->settings.protect_home, PROTECT_HOME_READ_ONLY);
        assert_int_equal(loose->settings.private_tmp, TRUTH_YES);
        assert_int_equal(loose->settings.remove_ipc, TRUTH_YES);
        assert_int_equal(tight->settings.protect_home, PROTECT_HOME_TMPFS);
        assert_int_equal(hidden->settings.protect_home, PROTECT_HOME_YES);
}

static void test_nothing_implied(void **state) {
        _cleanup_(unit_freep) Unit *unit = UNIT("User=root", "DynamicUser=no");

        assert_int_equal(unit->settings.private_tmp, TRUTH_OPEN);
        assert_int_equal(unit->settings.protect_system, PROTECT_SYSTEM_NO);
}

/* The exec helper reads what the manager has written, and comes to the same. */
static void test_again(void **state) {
        _cleanup_(unit_freep) Unit *unit = UNIT("DynamicUser=yes", "ProtectHome=yes");

        assert_int_equal(unit_settings_imply(unit->store), 0);
        assert_int_equal(unit->settings.protect_home, PROTECT_HOME_YES);
        assert_int_equal(unit->settings.protect_system, PROTECT_SYSTEM_STRICT);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_dynamic_user),
                cmocka_unit_test(test_what_was_said),
                cmocka_unit_test(test_nothing_implied),
                cmocka_unit_test(test_again),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
