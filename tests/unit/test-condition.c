/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/text.h"
#include "setting/load-file.h"
#include "unit/condition.h"

/* Reads settings, and looks whether they are met. */
typedef struct Fixture {
        UnitSettings settings;
        SettingStore *store;
        SettingMistakes mistakes;
        ConditionList list;
} Fixture;

static void fixture_read(Fixture *fixture, const char *text, bool assertions) {
        _cleanup_(freep) char *file = NULL;

        *fixture = (Fixture){};
        assert_int_equal(setting_store_new(&unit_settings, &fixture->settings, &fixture->store), 0);
        assert_true(text_format(&file, "[Unit]\n%s", text) >= 0);
        assert_int_equal(setting_load_text(fixture->store, "f", file, strlen(file), &fixture->mistakes), 0);
        assert_null(fixture->mistakes.texts);
        assert_int_equal(
                condition_list_read(&fixture->settings, assertions, "a@b.service", &fixture->list, NULL), 0);
}

static void fixture_done(Fixture *fixture) {
        condition_list_done(&fixture->list);
        setting_store_free(fixture->store);
        setting_mistakes_done(&fixture->mistakes);
}

static void test_logic(void **state) {
        static const struct {
                const char *text;
                bool met;
                const char *unmet; /* NULL: none */
        } cases[] = {
                { "", true },
                { "ConditionPathExists=/proc\n", true },
                { "ConditionPathExists=/nothing\n", false, "ConditionPathExists=/nothing" },
                { "ConditionPathExists=!/nothing\n", true },
                { "ConditionPathExists=! /nothing\n", true },
                { "ConditionPathExists=!/proc\n", false, "ConditionPathExists=!/proc" },
                { "ConditionPathExists=|/nothing\n", false },
                { "ConditionPathExists=|/nothing\nConditionPathExists=|/proc\n", true },
                { "ConditionPathExists=|!/nothing\nConditionPathIsDirectory=|/nothing\n", true },
                { "ConditionPathExists=|/proc\nConditionPathExists=/nothing\n", false,
                  "ConditionPathExists=/nothing" },
                { "ConditionPathExists=|/nothing\nConditionPathExists=/proc\n", false },
                /* An empty value takes back all kinds. */
                { "ConditionPathExists=/nothing\nConditionHost=nobody.example\nConditionMemory=\n", true },
                { "ConditionPathExists=/nothing\nConditionHost=\nConditionPathExists=/proc\n", true },
                /* Those of the other family stay apart. */
                { "AssertPathExists=/nothing\n", true },
                { "ConditionPathExists=/nothing\nAssertHost=\n", false, "ConditionPathExists=/nothing" },
                /* What cannot be told is not so, whichever was asked for. */
                { "ConditionSecurity=nonsense\n", false, "ConditionSecurity=nonsense" },
                { "ConditionSecurity=!nonsense\n", false, "ConditionSecurity=!nonsense" },
                { "ConditionPathExists=/%i\n", false, "ConditionPathExists=/b" },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(freep) char *unmet = NULL;
                Fixture fixture;

                fixture_read(&fixture, cases[i].text, false);
                if (condition_list_test(&fixture.list, NULL) != cases[i].met)
                        fail_msg("case %zu: %s", i, cases[i].text);
                const Condition *const condition = condition_list_unmet(&fixture.list);
                if (condition)
                        assert_int_equal(condition_format(condition, &unmet), 0);
                if (!cases[i].unmet)
                        assert_null(condition);
                else
                        assert_string_equal(unmet, cases[i].unmet);
                fixture_done(&fixture);
        }
}

static void test_assertions(void **state) {
        Fixture fixture;

        fixture_read(&fixture,
                     "ConditionPathExists=/nothing\nAssertPathExists=/nothing\nAssertPathExists=|/x\n", true);
        assert_int_equal(fixture.list.n_items, 2);
        assert_string_equal(fixture.list.items[0].name, "AssertPathExists");
        assert_false(condition_list_test(&fixture.list, NULL));
        assert_int_equal(fixture.list.items[0].result, -1);
        assert_int_equal(fixture.list.items[1].result, 0); /* nobody looked any more */
        fixture_done(&fixture);
}

static void test_reasons(void **state) {
        _cleanup_(reason_done) Reason reason = {};
        Fixture fixture;

        fixture_read(&fixture, "ConditionCapability=CAP_NONSENSE\n", false);
        assert_false(condition_list_test(&fixture.list, &reason));
        assert_string_equal(reason_text(&reason, -EINVAL),
                            "ConditionCapability=CAP_NONSENSE cannot be told: Invalid argument");
        fixture_done(&fixture);
}

/* A bad value is a warning with its line, and is left out. */
static void test_mistakes(void **state) {
        static const char text[] =
                "[Unit]\nConditionPathExists=relative\nAssertFileNotEmpty=|!x\nConditionHost=!\n";
        UnitSettings settings = {};
        _cleanup_(setting_store_freep) SettingStore *store = NULL;
        _cleanup_(setting_mistakes_done) SettingMistakes mistakes = {};

        assert_int_equal(setting_store_new(&unit_settings, &settings, &store), 0);
        assert_int_equal(setting_load_text(store, "f", text, strlen(text), &mistakes), 0);
        assert_null(mistakes.texts);
        assert_string_equal(mistakes.warnings[0], "f:2: ConditionPathExists=relative: not an absolute path");
        assert_string_equal(mistakes.warnings[1], "f:3: AssertFileNotEmpty=|!x: not an absolute path");
        assert_string_equal(mistakes.warnings[2], "f:4: ConditionHost=!: nothing is said that is to be so");
        assert_null(settings.conditions[CONDITION_PathExists]);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_logic),
                cmocka_unit_test(test_assertions),
                cmocka_unit_test(test_reasons),
                cmocka_unit_test(test_mistakes),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
