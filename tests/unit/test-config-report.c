/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config-fixture.h"

static void assert_said(const LoadedConfig *loaded, size_t offset, const char *expected) {
        _cleanup_(freep) char *said = NULL;

        assert_int_equal(config_say(loaded, offset, &said), 0);
        assert_string_equal(said, expected);
}

static void test_what_settings_are_called(void **state) {
        _cleanup_(loaded_config_freep) LoadedConfig *loaded = NULL;

        assert_int_equal(load(&loaded, "-t", "tar", "-b", "--root-size=1536M", "-i", "-p", "a,b",
                              "--password=secret", "--cache=some/where", "--hostname=x"),
                         0);
        assert_said(loaded, CONFIG(format), "Format=tar");
        assert_said(loaded, CONFIG(bootable), "Bootable=yes");
        assert_said(loaded, CONFIG(root_size), "RootSize=1536M");
        assert_said(loaded, CONFIG(no_chown), "--no-chown");
        assert_said(loaded, CONFIG(packages), "Packages=");
        assert_said(loaded, CONFIG(password), "Password=");
        assert_said(loaded, CONFIG(cache), "Cache=some/where");
        assert_said(loaded, CONFIG(hostname), "Hostname=x");
}

static void test_what_asks_for_something(void **state) {
        static const struct {
                const char *argument;
                size_t offset;
                bool asks;
        } cases[] = {
                { "--bootable=yes", CONFIG(bootable), true },
                { "--bootable=no", CONFIG(bootable), false },
                { "--without-tests", CONFIG(with_tests), true },
                { "--encrypt=off", CONFIG(encrypt), false },
                { "--encrypt=data", CONFIG(encrypt), true },
                { "--root-size=1G", CONFIG(root_size), true },
                { "--package=", CONFIG(packages), false },
                { "--package=x", CONFIG(packages), true },
                { "--password=", CONFIG(password), true },
                { "--force", CONFIG(force), true },
                { "--debug", CONFIG(swap_size), false },
                { "--debug", CONFIG(release), false },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(loaded_config_freep) LoadedConfig *loaded = NULL;

                assert_int_equal(load(&loaded, cases[i].argument), 0);
                assert_int_equal(config_asks(&loaded->config, config_setting(cases[i].offset)),
                                 cases[i].asks);
        }
}

static void test_where_items_come_from(void **state) {
        put_file("mkosi.default", "[Packages]\nPackages=c\n\td\n", 0644);
        _cleanup_(loaded_config_freep) LoadedConfig *loaded = NULL;
        assert_int_equal(load(&loaded, "-p", "a,b"), 0);

        assert_where(loaded, CONFIG(packages), 1, "command line, -p");
        assert_where(loaded, CONFIG(packages), 2, "mkosi.default:2");
        assert_where(loaded, CONFIG(packages), 3, "mkosi.default:2");
        assert_where(loaded, CONFIG(release), 0, "not set");
        assert_true(config_is_given(loaded, CONFIG(packages)));
        assert_false(config_is_given(loaded, CONFIG(release)));
}

static void test_messages_say_where_once(void **state) {
        put_file("mkosi.build", "", 0755);
        _cleanup_(loaded_config_freep) LoadedConfig *loaded = NULL;
        assert_int_equal(load(&loaded, "-t", "tar"), 0);

        assert_int_equal(config_mistake(loaded, CONFIG(format), 0, "no %s", "good"), 0);
        assert_int_equal(config_mistake(loaded, CONFIG(build_script), 0, "mkosi.build is no good"), 0);
        assert_int_equal(config_warn(loaded, CONFIG(build_script), "mkosi.builder is fine"), 0);
        assert_texts(loaded->mistakes.texts, "command line, -t: no good\nmkosi.build is no good\n");
        assert_texts(loaded->mistakes.warnings, "mkosi.build: mkosi.builder is fine\n");
}

static void test_paths_are_said_briefly(void **state) {
        static const char *const cases[][2] = {
                { "/etc", "/etc" },
                { FIXTURE_NAME "/a/b", FIXTURE_NAME "/a/b" },
        };
        _cleanup_(freep) char *here = getcwd(NULL, 0), *below = NULL, *beside = NULL, *said = NULL;

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(freep) char *text = NULL;

                assert_int_equal(config_path_say(cases[i][0], &text), 0);
                assert_string_equal(text, cases[i][1]);
        }
        assert_int_equal(text_format(&below, "%s/a/b", here) | text_format(&beside, "%sa/b", here), 0);
        assert_int_equal(config_path_say(below, &said), 0);
        assert_string_equal(said, "a/b");
        free(TAKE_PTR(said));
        assert_int_equal(config_path_say(beside, &said), 0);
        assert_string_equal(said, beside);
}

static void test_filling_keeps_what_is_there(void **state) {
        _cleanup_(loaded_config_freep) LoadedConfig *loaded = NULL;

        assert_int_equal(load(&loaded, "--release=mine"), 0);
        assert_int_equal(config_fill(loaded, CONFIG(release), "other", SETTING_DEFAULT, NULL), 0);
        assert_int_equal(config_fill(loaded, CONFIG(mirror), NULL, SETTING_DEFAULT, NULL), 0);
        assert_int_equal(config_fill(loaded, CONFIG(hostname), "x", SETTING_DERIVED, "this"), 0);
        assert_string_equal(loaded->config.release, "mine");
        assert_null(loaded->config.mirror);
        assert_string_equal(loaded->config.hostname, "x");
        assert_where(loaded, CONFIG(hostname), 0, "derived from this");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                TEST(test_what_settings_are_called), TEST(test_what_asks_for_something),
                TEST(test_where_items_come_from),    TEST(test_messages_say_where_once),
                TEST(test_paths_are_said_briefly),   TEST(test_filling_keeps_what_is_there),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
