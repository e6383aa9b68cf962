/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "user/user-name.h"

static void test_valid(void **state) {
        static const char *const good[] = { "a",     "_",        "_du10649011993341eb",
                                            "A-b_9", "www-data", "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx" };
        static const char *const bad[] = { "",   "1a",   "-a",  "a.b",   "a b",
                                           "ü",  "a/b",  "a\n", "a:b",   "a$",
                                           "..", "4711", "a,b", "a\033", "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx" };

        for (size_t i = 0; i < ELEMENTSOF(good); i++)
                assert_true(user_name_is_valid(good[i]));
        for (size_t i = 0; i < ELEMENTSOF(bad); i++)
                assert_false(user_name_is_valid(bad[i]));
}

/* The numbers behind "_du" are those that systemd makes of these prefixes, with its key. */
static void test_names(void **state) {
        static const struct {
                const char *unit, *user;
        } cases[] = {
                { "dynamic-user-test.service", "dynamic-user-test" },
                { "run-u15750.service", "run-u15750" },
                { "_.service", "_" },
                { "foo.bar.service", "_du10649011993341eb" },
                { "1abc.service", "_du46c11576cd06efe1" },
                { "-x.service", "_du56c24958f31840db" },
                { "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA.service", "_duecb8a99f507c5f5a" },
        };
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(freep) char *user = NULL;

                assert_int_equal(user_name_of_unit(cases[i].unit, &user), 0);
                assert_string_equal(user, cases[i].user);
        }
}

/* Every instance has a name of its own, which is valid, is the same each time, and shows whose it is. */
static void test_instances(void **state) {
        static const char *const units[] = {
                "foobard@a.service",
                "foobard@b.service",
                "foobard@customerxyz.service",
                "foobard.service",
                "foobard@..service",
                "1foobard@a.service",
                "1foobard@b.service",
                "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA@a.service",
                "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA@b.service",
                "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB@a.service",
        };
        char *users[ELEMENTSOF(units)];

        for (size_t i = 0; i < ELEMENTSOF(units); i++) {
                _cleanup_(freep) char *again = NULL;

                assert_int_equal(user_name_of_unit(units[i], &users[i]), 0);
                assert_true(user_name_is_valid(users[i]));
                assert_int_equal(user_name_of_unit(units[i], &again), 0);
                assert_string_equal(users[i], again);
                for (size_t j = 0; j < i; j++)
                        assert_string_not_equal(users[i], users[j]);
        }
        assert_string_equal(users[3], "foobard");
        /* The lower half of the hash of "foobard@customerxyz", _du6dbd6de43bc3e70e. */
        assert_string_equal(users[2], "foobard-3bc3e70e");
        assert_int_equal(strncmp(users[7], "AAAAAAAAAAAAAAAAAAAAAA-", 23), 0);
        assert_int_equal(strlen(users[7]), USER_NAME_SIZE_MAX);
        for (size_t i = 0; i < ELEMENTSOF(units); i++)
                free(users[i]);
}

static void test_of_service(void **state) {
        static const struct {
                Truth dynamic;
                const char *user, *name; /* NULL: it has no dynamic user */
        } rows[] = {
                { TRUTH_YES, NULL, "foobard" },  { TRUTH_YES, "", "foobard" },
                { TRUTH_YES, "other", "other" }, { TRUTH_YES, "x%p", "xfoobard" },
                { TRUTH_YES, "1000", NULL },     { TRUTH_YES, "65535", "65535" },
                { TRUTH_NO, "other", NULL },     { TRUTH_OPEN, NULL, NULL },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                const UnitSettings settings = {
                        .dynamic_user = rows[i].dynamic,
                        .user = (char *)rows[i].user,
                };
                _cleanup_(freep) char *name = NULL;

                assert_int_equal(user_name_of_service(&settings, "foobard.service", &name, NULL),
                                 rows[i].name != NULL);
                if (rows[i].name)
                        assert_string_equal(name, rows[i].name);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_valid),
                cmocka_unit_test(test_names),
                cmocka_unit_test(test_instances),
                cmocka_unit_test(test_of_service),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
