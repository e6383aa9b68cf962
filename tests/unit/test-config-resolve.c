/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config-fixture.h"

#include <dirent.h>

#define GOLDEN_SIZE_MAX (1024 * 1024)

static void test_defaults(void **state) {
        _cleanup_(loaded_config_freep) LoadedConfig *loaded = load_fine();
        const Config *config = &loaded->config;

        assert_int_equal(config->format, OUTPUT_FORMAT_GPT_EXT4);
        assert_false(config->bootable);
        assert_true(config->with_tests);
        assert_null(config->kernel_command_line);
        assert_null(config->boot_protocols);
        assert_int_equal(config->esp_size, 0);
        assert_int_equal(config->root_size, 0);
        assert_null(config->build_sources);
        assert_where(loaded, CONFIG(format), 0, "default");
}

static void test_defaults_of_bootable_images(void **state) {
        _cleanup_(loaded_config_freep) LoadedConfig *loaded = load_fine("-b");

        assert_int_equal(loaded->config.esp_size, 256 * MIB);
        assert_string_equal(loaded->config.kernel_command_line, "rhgb quiet selinux=0 audit=0 rw");
        assert_list(loaded->config.boot_protocols, "uefi");
}

static void test_sources_are_what_a_build_script_sees(void **state) {
        put_file("mkosi.build", "", 0755);
        _cleanup_(loaded_config_freep) LoadedConfig *loaded = load_fine();

        assert_in_project(loaded->config.build_sources, "");
}

static void test_implied_settings(void **state) {
        static const struct {
                const char *argument;
                size_t offset;
                const char *where;
        } cases[] = {
                { "--sign", CONFIG(checksum), "derived from Sign=yes" },
                { "--format=gpt_squashfs", CONFIG(read_only), "derived from Format=gpt_squashfs" },
                { "--format=plain_squashfs", CONFIG(read_only), "derived from Format=plain_squashfs" },
                { "--verity", CONFIG(read_only), "derived from Verity=yes" },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(loaded_config_freep) LoadedConfig *loaded = load_fine(cases[i].argument);

                assert_true(*(bool *)setting_member(loaded->store, config_setting(cases[i].offset)));
                assert_where(loaded, cases[i].offset, 0, cases[i].where);
        }
}

static void test_what_is_implied_cannot_be_denied(void **state) {
        _cleanup_(loaded_config_freep) LoadedConfig *loaded = NULL;

        assert_int_equal(load(&loaded, "--sign", "--checksum=no"), 0);
        assert_int_equal(resolve(loaded), -EINVAL);
        assert_texts(
                loaded->mistakes.texts,
                "command line, --checksum: CheckSum=no contradicts Sign=yes (command line, --sign), which implies "
                "it\n");
}

static void test_empty_values_take_back(void **state) {
        put_file("mkosi.default",
                 "[Output]\nHostname=first\n[Distribution]\nRelease=sid\n[Validation]\nPassword=x\n", 0644);
        put_file("mkosi.default.d/later",
                 "[Output]\nHostname=\n[Distribution]\nRelease=\n[Validation]\nPassword=\n", 0644);
        _cleanup_(loaded_config_freep) LoadedConfig *loaded = load_fine();

        assert_null(loaded->config.hostname);
        assert_string_equal(loaded->config.release, "bookworm");
        assert_string_equal(loaded->config.password, "");
}

static void test_this_host(void **state) {
        _cleanup_(loaded_config_freep) LoadedConfig *loaded = NULL;

        assert_int_equal(load(&loaded, "-ddebian", "-rsid", "--architecture=arm64"), 0);
        assert_fine(loaded, config_resolve(loaded));
        assert_int_equal(loaded->config.architecture, ARCHITECTURE_ARM64);
}

/* Golden files: a settings file, and beside it what is said about it. The project's directory is FIXTURE_NAME in them.
 * With MKOSI_UPDATE_GOLDEN in the environment they are written anew. */

static void replace_all(char *text, const char *from, const char *to) {
        assert_int_equal(strlen(from), strlen(to));
        for (char *p = strstr(text, from); p; p = strstr(p, from))
                memcpy(p, to, strlen(to));
}

static void assert_golden(const char *directory, const char *name, const char *suffix, char *text) {
        _cleanup_(freep) char *path = NULL, *expected = NULL;

        replace_all(text, fixture_directory, FIXTURE_NAME);
        assert_int_equal(text_format(&path, "%s/%s%s", directory, name, suffix), 0);
        if (getenv("MKOSI_UPDATE_GOLDEN"))
                put_file(path, text, 0644);
        if (file_read(AT_FDCWD, path, GOLDEN_SIZE_MAX, &expected, NULL) < 0)
                fail_msg("%s is missing", path);
        if (!text_equal(text, expected))
                print_error("%s:\n", path);
        assert_string_equal(text, expected);
}

/* A project with that settings file, and inputs that it may name. */
static void make_project(const char *directory, const char *name) {
        _cleanup_(freep) char *path = NULL, *text = NULL;
        size_t size;

        assert_int_equal(text_format(&path, "%s/%s.conf", directory, name), 0);
        assert_int_equal(file_read(AT_FDCWD, path, GOLDEN_SIZE_MAX, &text, &size), 0);
        assert_int_equal(file_write(AT_FDCWD, "mkosi.default", text, size, 0644), 0);
        put_directory("tree");
        put_file("script", "", 0755);
        put_file("file", "", 0644);
}

/* What is wrong with the settings, at the first stage that finds anything. */
static void check_refused(const char *directory, const char *name) {
        _cleanup_(loaded_config_freep) LoadedConfig *loaded = NULL;

        make_project(directory, name);
        int r = load(&loaded);
        if (r >= 0)
                r = resolve(loaded);
        if (r >= 0)
                r = config_check_planned(loaded);
        assert_int_equal(r, -EINVAL);
        _cleanup_(freep) char *text = joined(loaded->mistakes.texts);
        assert_golden(directory, name, ".message", text);
}

/* What the settings come to. */
static void check_loaded(const char *directory, const char *name) {
        _cleanup_(freep) char *json = NULL, *summary = NULL;
        size_t size;

        make_project(directory, name);
        _cleanup_(loaded_config_freep) LoadedConfig *loaded = load_fine();

        FILE *file = open_memstream(&json, &size);
        assert_non_null(file);
        JsonWriter writer = { .file = file };
        json_begin_object(&writer, NULL);
        assert_int_equal(describe_json(loaded->store, &writer), 0);
        json_end_object(&writer);
        assert_int_equal(fclose(file), 0);
        assert_golden(directory, name, ".json", json);

        file = open_memstream(&summary, &size);
        assert_non_null(file);
        assert_int_equal(describe_summary(loaded->store, false, file), 0);
        assert_int_equal(fclose(file), 0);
        assert_golden(directory, name, ".summary", summary);
}

static void for_each_golden(const char *relative, void (*check)(const char *directory, const char *name)) {
        _cleanup_(freep) char *directory = source_path(relative);
        struct dirent **entries;
        size_t n_checked = 0;

        int n = scandir(directory, &entries, NULL, alphasort);
        assert_true(n > 0);
        for (int i = 0; i < n; i++) {
                _cleanup_(freep) struct dirent *entry = entries[i];
                char *suffix = strrchr(entry->d_name, '.');

                if (!suffix || !text_equal(suffix, ".conf"))
                        continue;
                *suffix = '\0';
                assert_int_equal(fixture_setup(NULL), 0);
                check(directory, entry->d_name);
                assert_int_equal(fixture_teardown(NULL), 0);
                n_checked++;
        }
        free(entries);
        assert_true(n_checked > 0);
}

static void test_refused(void **state) {
        for_each_golden("tests/golden/refused", check_refused);
}

static void test_loaded(void **state) {
        for_each_golden("tests/golden/load", check_loaded);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                TEST(test_defaults),
                TEST(test_defaults_of_bootable_images),
                TEST(test_sources_are_what_a_build_script_sees),
                TEST(test_implied_settings),
                TEST(test_what_is_implied_cannot_be_denied),
                TEST(test_empty_values_take_back),
                TEST(test_this_host),
                cmocka_unit_test(test_refused),
                cmocka_unit_test(test_loaded),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
