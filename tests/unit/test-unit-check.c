/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/text.h"
#include "unit/unit-check.h"

static void test_calls(void **state) {
        static const char *const settings[] = {
                "ExecStart=/bin/true",
                "SystemCallFilter=@system-service opne",
                "SystemCallFilter=~@mount:EPERM",
                "SystemCallFilter=mkdir osf_shmat @files:EXDEV",
                "SystemCallLog=~raed",
                NULL,
        };
        static const char *const warnings[] = {
                "--property: SystemCallFilter=: no system call \"opne\" is known, it is passed over; did you mean \"open\"?",
                "--property: SystemCallFilter=: no group of system calls \"@files\" is known, it is passed over",
                "--property: SystemCallLog=: no system call \"raed\" is known, it is passed over; did you mean \"read\"?",
        };
        _cleanup_(unit_freep) Unit *unit = NULL;

        assert_int_equal(unit_new_transient("a.service", settings, "--property", &unit), 0);
        assert_null(unit->mistakes.texts);
        assert_int_equal(unit->state, UNIT_LOADED);
        for (size_t i = 0; i < ELEMENTSOF(warnings); i++)
                assert_string_equal(unit->mistakes.warnings[i], warnings[i]);
        assert_null(unit->mistakes.warnings[ELEMENTSOF(warnings)]);
}

/* What can be nothing is refused where it is said, whoever says it. */
static void test_words(void **state) {
        static const struct {
                const char *setting;
                const char *mistake; /* NULL: it is fine */
        } rows[] = {
                { "User=../x", "--property: User=../x: neither a name nor a number of somebody" },
                { "User=a b", "--property: User=a b: neither a name nor a number of somebody" },
                { "User=%p", NULL },
                { "User=%", "--property: User=%: " },
                { "User=1000", NULL },
                { "User=some.body_1$", NULL },
                { "User=-x", "--property: User=-x: neither" },
                { "User=", NULL },
                { "Group=a:b", "--property: Group=a:b: neither" },
                { "SupplementaryGroups=adm a/b", "--property: SupplementaryGroups=a/b: neither" },
                { "Slice=a/b", "--property: Slice=a/b: not the name of a slice, as \"web.slice\"" },
                { "Slice=a.service", "--property: Slice=a.service: not the name of a slice" },
                { "Slice=a--b.slice", "--property: Slice=a--b.slice: not the name of a slice" },
                { "Slice=a-b.slice", NULL },
                { "Slice=-.slice", NULL },
                { "CapabilityBoundingSet=CAP_CHOWN CAP_BOGUS",
                  "--property: CapabilityBoundingSet=CAP_BOGUS: not the name of a capability, as \"CAP_CHOWN\"" },
                { "CapabilityBoundingSet=~CAP_BOGUS", "--property: CapabilityBoundingSet=CAP_BOGUS: not" },
                { "CapabilityBoundingSet=~CAP_CHOWN cap_kill", NULL },
                { "AmbientCapabilities=CHOWNS", "--property: AmbientCapabilities=CHOWNS: not" },
                { "RestrictAddressFamilies=AF_BOGUS", "--property: RestrictAddressFamilies=AF_BOGUS: not" },
                { "RestrictAddressFamilies=none", NULL },
                { "RestrictAddressFamilies=~AF_PACKET", NULL },
                { "RestrictNamespaces=net bogus", "--property: RestrictNamespaces=bogus: neither" },
                { "RestrictNamespaces=yes", NULL },
                { "SystemCallFilter=mkdir:EBOGUS",
                  "--property: SystemCallFilter=mkdir:EBOGUS: what follows" },
                { "SystemCallFilter=~mkdir @files:EPERM",
                  "--property: SystemCallFilter=: no group of system calls \"@files\" is known, and what is in it "
                  "would be allowed: name the calls" },
                { "SystemCallFilter=\"mkdir", "--property: SystemCallFilter=\"mkdir: a quote has no end" },
                { "SystemCallFilter=~mkdir:kill", NULL },
                { "SystemCallArchitectures=native bogus", "--property: SystemCallArchitectures=bogus: not" },
                { "SystemCallErrorNumber=EBOGUS", "--property: SystemCallErrorNumber=EBOGUS: no errno" },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                const char *const settings[] = { "ExecStart=/bin/true", rows[i].setting, NULL };
                _cleanup_(unit_freep) Unit *unit = NULL;

                assert_int_equal(unit_new_transient("a.service", settings, "--property", &unit), 0);
                assert_int_equal(unit->state, rows[i].mistake ? UNIT_BAD_SETTING : UNIT_LOADED);
                if (!rows[i].mistake)
                        continue;
                assert_non_null(unit->mistakes.texts);
                if (!text_after_prefix(unit->mistakes.texts[0], rows[i].mistake))
                        fail_msg("%s", unit->mistakes.texts[0]);
                assert_null(unit->mistakes.texts[1]);
        }
}

/* An empty value takes back what was said before, of every setting that is checked here. */
static void test_taken_back(void **state) {
        static const char *const wrong[] = {
                "User=../x",
                "Group=../x",
                "SupplementaryGroups=../x",
                "Slice=a/b",
                "CapabilityBoundingSet=CAP_BOGUS",
                "AmbientCapabilities=CAP_BOGUS",
                "RestrictAddressFamilies=AF_BOGUS",
                "RestrictNamespaces=bogus",
                "SystemCallFilter=mkdir:EBOGUS",
                "SystemCallArchitectures=bogus",
                "SystemCallErrorNumber=EBOGUS",
        };

        for (size_t i = 0; i < ELEMENTSOF(wrong); i++) {
                _cleanup_(freep) char *nothing = NULL;
                _cleanup_(unit_freep) Unit *unit = NULL;

                assert_int_equal(text_copy(wrong[i], &nothing), 0);
                strchr(nothing, '=')[1] = '\0';
                const char *const settings[] = { "ExecStart=/bin/true", wrong[i], nothing, NULL };
                assert_int_equal(unit_new_transient("a.service", settings, "--property", &unit), 0);
                if (unit->state != UNIT_LOADED)
                        fail_msg("%s", unit->mistakes.texts[0]);
        }
}

/* Of a template the instance is not known. */
static void test_template(void **state) {
        _cleanup_(unit_freep) Unit *unit = NULL;
        static const char *const settings[] = { "ExecStart=/bin/true", "User=%i", "Slice=%i.slice", NULL };

        assert_int_equal(unit_new_transient("a@b.service", settings, "--property", &unit), 0);
        assert_int_equal(unit->state, UNIT_LOADED);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_calls),
                cmocka_unit_test(test_words),
                cmocka_unit_test(test_taken_back),
                cmocka_unit_test(test_template),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
