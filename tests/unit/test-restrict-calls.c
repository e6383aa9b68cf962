/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/strv.h"
#include "base/text.h"
#include "foreign-program.h"
#include "sandbox/restrict.h"

/* clang-format off */
static const char *const names[] = {
        "@default", "@aio", "@basic-io", "@chown", "@clock", "@cpu-emulation", "@debug", "@file-system", "@io-event",
        "@ipc", "@keyring", "@memlock", "@module", "@mount", "@network-io", "@obsolete", "@pkey", "@privileged",
        "@process", "@raw-io", "@reboot", "@resources", "@setuid", "@signal", "@swap", "@sync", "@system-service",
        "@timer", "@known",
};
/* clang-format on */

/* Each member is a call that is known, or a group that is there. */
static void test_members(void **state) {
        const char *const *const known = restrict_call_group("@known");

        for (size_t i = 0; i < ELEMENTSOF(names); i++) {
                const char *const *const members = restrict_call_group(names[i]);

                assert_non_null(members);
                for (size_t j = 0; members[j]; j++) {
                        if (members[j][0] == '@') {
                                assert_non_null(restrict_call_group(members[j]));
                                assert_string_not_equal(members[j], names[i]);
                                continue;
                        }
                        assert_true(restrict_call_exists(members[j]));
                        if (!strv_contains(restrict_call_group("@obsolete"), members[j]) &&
                            !strv_contains(known, members[j]))
                                fail_msg("%s of %s is in no list of all calls", members[j], names[i]);
                        if (j > 0)
                                assert_true(strcmp(members[j - 1], members[j]) < 0);
                }
        }
        assert_null(restrict_call_group("@files"));
        assert_null(restrict_call_group("default"));
}

static void test_exists(void **state) {
        static const char *const yes[] = { "read",       "openat2",          "fchmodat2",
                                           "socketcall", "arm_fadvise64_64", "mseal" };
        static const char *const no[] = { "", "opne", "READ", "read ", "@default" };

        for (size_t i = 0; i < ELEMENTSOF(yes); i++)
                assert_true(restrict_call_exists(yes[i]));
        for (size_t i = 0; i < ELEMENTSOF(no); i++)
                assert_false(restrict_call_exists(no[i]));
}

/* What nobody wants to find out by a service that does not start, or one that does what it should not. */
static void test_meaning(void **state) {
        static const char *const never[] = { "mount",  "reboot", "init_module", "ptrace",
                                             "swapon", "iopl",   "settimeofday" };

        for (size_t i = 0; i < ELEMENTSOF(never); i++)
                assert_false(strv_contains(restrict_call_group("@system-service"), never[i]));
        assert_true(strv_contains(restrict_call_group("@default"), "execve"));
        assert_true(strv_contains(restrict_call_group("@mount"), "move_mount"));
        assert_true(strv_contains(restrict_call_group("@raw-io"), "ioperm"));
        assert_true(strv_contains(restrict_call_group("@aio"), "io_uring_setup"));
        assert_true(strv_contains(restrict_call_group("@file-system"), "fchmodat2"));
}

/* What systemd says of a group, of those calls that we know. */
static void assert_as_foreign(const char *group) {
        _cleanup_(strv_freep) char **lines = NULL;
        _cleanup_(freep) char *output = NULL;
        size_t n = 0;

        if (FOREIGN_RUN(&output, "systemd-analyze", "syscall-filter", group) != 0)
                skip();
        assert_int_equal(strv_split(output, "\n", &lines), 0);
        for (char **line = lines; line && *line; line++) {
                const char *const name = text_strip(*line);

                if (name[0] == '#' || name[0] == '\0' || text_equal(name, group) ||
                    (name[0] != '@' && !strv_contains(restrict_call_group("@known"), name)))
                        continue;
                if (!strv_contains(restrict_call_group(group), name))
                        fail_msg("%s is in %s elsewhere", name, group);
                n++;
        }
        assert_true(n > 0);
}

static void test_foreign(void **state) {
        for (size_t i = 0; i < ELEMENTSOF(names); i++)
                assert_as_foreign(names[i]);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_members),
                cmocka_unit_test(test_exists),
                cmocka_unit_test(test_meaning),
                cmocka_unit_test(test_foreign),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
