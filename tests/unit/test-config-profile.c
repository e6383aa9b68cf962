/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config-fixture.h"

#include "config/config-profile.h"

static const char *const here[] = { "mkosi.profiles", "shipped", NULL };

static void test_list(void **state) {
        static const struct {
                const char *name, *path, *about;
        } expected[] = {
                { "b", "mkosi.profiles/b.conf", "ours" },
                { "c.d", "shipped/c.d.conf", "first line" },
                { "d", "shipped/d.conf", "" },
        };
        ConfigProfiles profiles = {};

        put_file("mkosi.profiles/b.conf", "# ours\n", 0644);
        put_file("shipped/b.conf", "# theirs\n", 0644);
        put_file("shipped/c.d.conf", "# SPDX-License-Identifier: X\n;first line \n# second\n[Output]\n",
                 0644);
        put_file("shipped/d.conf", "[Output]\n# no head\n", 0644);
        /* None of these is a profile. */
        put_file("shipped/e", "", 0644);
        put_file("shipped/.conf", "", 0644);
        put_file("shipped/-f.conf", "", 0644);
        put_file("shipped/d.conf.d/x", "", 0644);

        assert_int_equal(config_profiles_list(here, &profiles), 0);
        assert_int_equal(profiles.n_items, ELEMENTSOF(expected));
        for (size_t i = 0; i < profiles.n_items; i++) {
                assert_string_equal(profiles.items[i].name, expected[i].name);
                assert_string_equal(profiles.items[i].path, expected[i].path);
                assert_string_equal(profiles.items[i].about, expected[i].about);
        }
        config_profiles_done(&profiles);
        assert_int_equal(config_profiles_list((const char *const[]){ "gone", NULL }, &profiles), 0);
        assert_int_equal(profiles.n_items, 0);
}

static void test_find(void **state) {
        static const char *const no_names[] = { "", ".", "..", "../shipped/a", "a/b", "-a", "a b", "a\n" };
        char *path = NULL;

        put_file("mkosi.profiles/a.conf", "", 0644);
        put_file("shipped/a.conf", "", 0644);
        put_file("shipped/b.conf", "", 0644);
        assert_int_equal(config_profile_find(here, "a", &path), 0);
        assert_string_equal(path, "mkosi.profiles/a.conf");
        free(path);
        assert_int_equal(config_profile_find(here, "b", &path), 0);
        assert_string_equal(path, "shipped/b.conf");
        free(path);
        assert_int_equal(config_profile_find(here, "c", &path), -ENOENT);
        for (size_t i = 0; i < ELEMENTSOF(no_names); i++)
                assert_int_equal(config_profile_find(here, no_names[i], &path), -EINVAL);
}

static void test_directories(void **state) {
        _cleanup_(strv_freep) char **ours = NULL, **theirs = NULL;

        assert_int_equal(config_profile_directories(NULL, &ours), 0);
        assert_string_equal(ours[0], "mkosi.profiles");
        assert_non_null(ours[1]);
        assert_int_equal(ours[1][0], '/');
        assert_null(ours[2]);
        assert_int_equal(config_profile_directories("/project", &theirs), 0);
        assert_string_equal(theirs[0], "/project/mkosi.profiles");
        assert_string_equal(theirs[1], ours[1]);
}

int main(void) {
        const struct CMUnitTest tests[] = { TEST(test_list), TEST(test_find), TEST(test_directories) };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
