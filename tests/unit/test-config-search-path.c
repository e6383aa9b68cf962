/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config-fixture.h"

#include <pwd.h>

#include "config/config-search-path.h"

static void test_variables(void **state) {
        static const struct {
                const char *text, *expanded; /* NULL: a variable is not set */
        } cases[] = {
                { "/usr/bin", "/usr/bin" },
                { "$HERE/bin", "/here/bin" },
                { "${HERE}bin", "/herebin" },
                { "a$HERE$HERE", "a/here/here" },
                { "$HERE_", NULL },
                { "$NOWHERE/bin", NULL },
                { "/a/${NOWHERE}", NULL },
                { "$EMPTY", "" },
                { "a$", "a$" },
                { "$1", "$1" },
                { "${HERE", "${HERE" },
                { "${}", "${}" },
                { "$$HERE", "$/here" },
                { "", "" },
        };

        assert_int_equal(setenv("HERE", "/here", 1) | setenv("EMPTY", "", 1) | unsetenv("NOWHERE"), 0);
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(freep) char *expanded = NULL;

                assert_int_equal(search_path_expand(cases[i].text, &expanded), cases[i].expanded != NULL);
                if (cases[i].expanded)
                        assert_string_equal(expanded, cases[i].expanded);
        }
}

static void test_home_of_the_one_who_called_sudo(void **state) {
        const struct passwd *entry = getpwuid(getuid());
        _cleanup_(freep) char *expanded = NULL;

        if (!entry)
                skip();
        assert_int_equal(setenv("SUDO_USER", entry->pw_name, 1), 0);
        assert_int_equal(search_path_expand("$SUDO_HOME", &expanded), 1);
        assert_string_equal(expanded, entry->pw_dir);
        assert_int_equal(unsetenv("SUDO_USER"), 0);
        free(TAKE_PTR(expanded));
        assert_int_equal(search_path_expand("$SUDO_HOME", &expanded), 0);
}

static void test_path(void **state) {
        static const struct {
                const char *extra, *path, *expected;
        } cases[] = {
                { "--extra-search-path=/1:/2", "/usr/bin:/bin", "/1:/2:/usr/bin:/bin" },
                { "--extra-search-path=/1", NULL, "/1" },
                { "--extra-search-path=", "/bin", "/bin" },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(loaded_config_freep) LoadedConfig *loaded = NULL;
                _cleanup_(freep) char *path = NULL;

                assert_int_equal(load(&loaded, cases[i].extra), 0);
                assert_int_equal(cases[i].path ? setenv("PATH", cases[i].path, 1) : unsetenv("PATH"), 0);
                assert_int_equal(config_search_path(&loaded->config, &path), 0);
                assert_string_equal(path, cases[i].expected);
        }
}

static void test_items_are_dropped_with_their_origin(void **state) {
        assert_int_equal(setenv("HERE", "/here", 1) | setenv("EMPTY", "", 1) | unsetenv("NOWHERE"), 0);
        put_file("mkosi.default", "[Host]\nExtraSearchPaths=$NOWHERE/x:$HERE\n\t/last\n", 0644);
        _cleanup_(loaded_config_freep) LoadedConfig *loaded = NULL;
        assert_int_equal(load(&loaded, "--extra-search-path", "/first:$NOWHERE:$EMPTY",
                              "--extra-search-paths=/2:/3"),
                         0);

        assert_list(loaded->config.extra_search_paths, "/first /2 /3 /here /last");
        assert_where(loaded, CONFIG(extra_search_paths), 0, "command line, --extra-search-path");
        assert_where(loaded, CONFIG(extra_search_paths), 2, "command line, --extra-search-paths");
        assert_where(loaded, CONFIG(extra_search_paths), 3, "mkosi.default:2");
        assert_where(loaded, CONFIG(extra_search_paths), 4, "mkosi.default:2");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                TEST(test_variables),
                TEST(test_home_of_the_one_who_called_sudo),
                TEST(test_items_are_dropped_with_their_origin),
                TEST(test_path),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
