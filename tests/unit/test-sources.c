/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config-fixture.h"
#include "image/sources.h"

static LoadedConfig *project(const char *settings) {
        _cleanup_(freep) char *text = NULL;

        assert_int_equal(text_format(&text,
                                     "[Distribution]\nDistribution=debian\n[Output]\nEncrypt=all\n"
                                     "[Packages]\nBuildScript=build.sh\n%s",
                                     settings),
                         0);
        put_file("mkosi.default", text, 0644);
        put_file("build.sh", "", 0755);
        return load_fine();
}

static void copy(const LoadedConfig *loaded) {
        _cleanup_(reason_done) Reason reason = {};

        const int r = sources_copy(&loaded->config, "to", NULL, &reason);
        if (r < 0)
                fail_msg("%s", reason_text(&reason, r));
}

static void assert_copied(bool copied, const char *const *paths) {
        for (; *paths; paths++) {
                _cleanup_(freep) char *path = NULL;

                assert_int_equal(path_join("to", *paths, &path), 0);
                if ((access(path, F_OK) == 0) != copied)
                        fail_msg("%s %s copied", *paths, copied ? "is not" : "is");
        }
}

/* What mkosi itself makes or keeps, and what is secret, is nobody's source, whatever it is called. */
static void test_what_is_left_out(void **state) {
        static const char *const kept[] = { "a.c", "dir/mkosi.cache/x", "image.raw.txt", "out/put.c", NULL };
        static const char *const left_out[] = { "image.raw",
                                                "image.roothash",
                                                ".mkosi-image.raw",
                                                "image.raw.cache-pre-inst",
                                                "image.raw.failed",
                                                "mkosi.cache",
                                                "mkosi.passphrase",
                                                "build",
                                                "cache",
                                                "mkosi.rootpw",
                                                ".git",
                                                "dir/.git",
                                                NULL };

        put_file("mkosi.passphrase", "secret", 0600);
        put_directory("cache");
        put_directory("build");
        for (size_t i = 0; kept[i]; i++)
                put_file(kept[i], "", 0644);
        put_file("image.raw", "", 0644);
        put_file("image.roothash", "", 0644);
        put_file(".mkosi-image.raw/lock", "", 0644);
        put_file("image.raw.cache-pre-inst/inputs", "", 0644);
        put_file("image.raw.failed/etc/x", "", 0644);
        put_file("mkosi.cache/x", "", 0644);
        put_file("mkosi.rootpw", "secret", 0600);
        put_file("cache/x", "", 0644);
        put_file("build/x", "", 0644);
        put_file(".git/x", "", 0644);
        put_file("dir/.git", "", 0644);
        _cleanup_(loaded_config_freep) LoadedConfig *loaded =
                project("SourceFileTransfer=copy-all\nCache=cache\nBuildDirectory=build\n");

        copy(loaded);
        assert_copied(true, kept);
        assert_copied(false, left_out);
}

/* The sources may lie where outputs go. */
static void test_sources_in_the_output_directory(void **state) {
        put_file("out/src/a.c", "", 0644);
        put_file("out/image.raw", "", 0644);
        _cleanup_(loaded_config_freep) LoadedConfig *loaded =
                project("BuildSources=out/src\n[Output]\nOutputDirectory=out\n");

        copy(loaded);
        assert_int_equal(access("to/a.c", F_OK), 0);
}

static void test_how_by_default(void **state) {
        _cleanup_(loaded_config_freep) LoadedConfig *plain = project("");
        assert_int_equal(plain->config.source_file_transfer, SOURCE_FILE_TRANSFER_COPY_ALL);

        put_file(".git", "gitdir: elsewhere", 0644);
        _cleanup_(loaded_config_freep) LoadedConfig *git = project("");
        assert_int_equal(git->config.source_file_transfer, SOURCE_FILE_TRANSFER_COPY_GIT_OTHERS);
}

static void test_check(void **state) {
        _cleanup_(strv_freep) char **problems = NULL;

        put_file(".git", "gitdir: elsewhere", 0644);
        _cleanup_(loaded_config_freep) LoadedConfig *loaded = project("SourceFileTransfer=copy-git-more\n");
        assert_int_equal(sources_check(&loaded->config, &problems), 0);
        assert_int_equal(strv_length(STRV(problems)), 1);
        assert_non_null(strstr(problems[0], "copy-git-others"));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_what_is_left_out, fixture_setup, fixture_teardown),
                cmocka_unit_test_setup_teardown(test_sources_in_the_output_directory, fixture_setup,
                                                fixture_teardown),
                cmocka_unit_test_setup_teardown(test_how_by_default, fixture_setup, fixture_teardown),
                cmocka_unit_test_setup_teardown(test_check, fixture_setup, fixture_teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
