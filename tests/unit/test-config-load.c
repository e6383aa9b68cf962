/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config-fixture.h"

static void test_nothing_is_configured(void **state) {
        _cleanup_(loaded_config_freep) LoadedConfig *loaded = NULL;

        assert_int_equal(load(&loaded), 0);
        assert_null(loaded->arguments.verb);
        assert_int_equal(config_source(loaded, CONFIG(format)), SETTING_UNSET);
        assert_int_equal(config_source(loaded, CONFIG(default_file)), SETTING_UNSET);
        assert_int_equal(loaded->host_architecture, ARCHITECTURE_MAX);
}

static void test_command_line_beats_files(void **state) {
        put_file("mkosi.default",
                 "[Output]\nFormat=tar\nBootable=yes\nReadOnly=yes\nBootProtocols=bios\n"
                 "[Packages]\nPackages=file\nWithTests=yes\n[Distribution]\nRepositories=contrib\n",
                 0644);
        _cleanup_(loaded_config_freep) LoadedConfig *loaded = NULL;
        assert_int_equal(load(&loaded, "-t", "directory", "--bootable=no", "--read-only=no", "-p", "one,two",
                              "-T", "--repositories", "main", "--boot-protocols=uefi", "summary"),
                         0);
        const Config *config = &loaded->config;

        assert_string_equal(loaded->arguments.verb->name, "summary");
        assert_int_equal(config->format, OUTPUT_FORMAT_DIRECTORY);
        assert_false(config->bootable);
        assert_false(config->read_only);
        assert_false(config->with_tests);
        assert_list(config->packages, "one two file");
        assert_list(config->repositories, "main contrib");
        assert_list(config->boot_protocols, "uefi");
        assert_where(loaded, CONFIG(format), 0, "command line, -t");
        assert_where(loaded, CONFIG(packages), 1, "command line, -p");
        assert_where(loaded, CONFIG(packages), 2, "mkosi.default:7");
}

static void test_drop_ins_come_last_and_sorted(void **state) {
        put_file("mkosi.default",
                 "[Packages]\nPackages=a\n[Output]\nHostname=first\n[Distribution]\nRepositories=x y\n",
                 0644);
        put_file("mkosi.default.d/20-late.conf", "[Output]\nHostname=third\n[Packages]\nPackages=c\n", 0644);
        put_file("mkosi.default.d/10-early",
                 "[Output]\nHostname=second\n[Packages]\nPackages=b\n"
                 "[Distribution]\nRepositories=z\n",
                 0644);
        put_directory("mkosi.default.d/15-directory");
        _cleanup_(loaded_config_freep) LoadedConfig *loaded = NULL;
        assert_int_equal(load(&loaded), 0);

        assert_string_equal(loaded->config.hostname, "third");
        assert_list(loaded->config.packages, "a b c");
        assert_list(loaded->config.repositories, "z");
        assert_where(loaded, CONFIG(packages), 2, "mkosi.default.d/20-late.conf:4");
        assert_in_project(loaded->config.default_file, "/mkosi.default");
}

static void test_unreadable_files(void **state) {
        static const struct {
                const char *target, *text;
        } links[] = {
                { "nowhere", "Cannot read mkosi.default: No such file or directory\n" },
                { "mkosi.default", "Cannot read mkosi.default: Too many levels of symbolic links\n" },
                { "/dev/null", "Cannot read mkosi.default: Not a regular file\n" },
                { ".", "Cannot read mkosi.default: Is a directory\n" },
        };

        for (size_t i = 0; i < ELEMENTSOF(links); i++) {
                _cleanup_(loaded_config_freep) LoadedConfig *loaded = NULL;

                assert_int_equal(symlink(links[i].target, "mkosi.default"), 0);
                assert_int_equal(load(&loaded), -EINVAL);
                assert_texts(loaded->mistakes.texts, links[i].text);
                assert_int_equal(unlink("mkosi.default"), 0);
        }
}

static void test_drop_ins_count_without_their_file(void **state) {
        put_file("mkosi.default.d/only", "[Output]\nHostname=dropped\n", 0644);
        _cleanup_(loaded_config_freep) LoadedConfig *loaded = NULL;
        assert_int_equal(load(&loaded), 0);
        assert_string_equal(loaded->config.hostname, "dropped");
}

static void test_another_settings_file(void **state) {
        put_file("mkosi.default", "[Output]\nHostname=wrong\n", 0644);
        put_file("mkosi.files/mkosi.other", "[Output]\nHostname=right\n[Packages]\nCache=cache\n", 0644);
        put_file("mkosi.files/mkosi.other.d/more", "[Packages]\nPackages=more\n", 0644);
        _cleanup_(loaded_config_freep) LoadedConfig *loaded = NULL;
        assert_int_equal(load(&loaded, "--default", "mkosi.files/mkosi.other"), 0);

        assert_string_equal(loaded->config.hostname, "right");
        assert_list(loaded->config.packages, "more");
        assert_in_project(loaded->config.cache, "/cache");
}

static void test_named_file_must_exist(void **state) {
        _cleanup_(loaded_config_freep) LoadedConfig *loaded = NULL;

        assert_int_equal(load(&loaded, "--default=nowhere"), -EINVAL);
        assert_texts(loaded->mistakes.texts,
                     "Cannot read nowhere, which --default names: No such file or directory\n");
}

static void test_directory_comes_first(void **state) {
        put_file("below/mkosi.default", "[Packages]\nExtraTrees=tree\n", 0644);
        _cleanup_(loaded_config_freep) LoadedConfig *loaded = NULL;
        assert_int_equal(load(&loaded, "-C", "below"), 0);

        assert_list(loaded->config.extra_trees, loaded->config.extra_trees[0]);
        assert_in_project(loaded->config.extra_trees[0], "/below/tree");
        assert_in_project(loaded->config.directory, "/below");
}

static void test_directory_must_exist(void **state) {
        _cleanup_(loaded_config_freep) LoadedConfig *loaded = NULL;

        assert_int_equal(load(&loaded, "--directory=/nonexistent"), -EINVAL);
        assert_texts(
                loaded->mistakes.texts,
                "Cannot change to the directory /nonexistent, which --directory names: No such file or directory\n");
}

static void test_wrong_usage(void **state) {
        _cleanup_(loaded_config_freep) LoadedConfig *loaded = NULL;

        put_file("mkosi.default", "nonsense\n", 0644);
        assert_int_equal(load(&loaded, "--no-such-option", "-t", "floppy"), -EBADMSG);
        assert_int_equal(strv_length(STRV(loaded->mistakes.texts)), 2);
}

/* Help is to be had in a directory whose settings are broken. */
static void test_help_reads_no_file(void **state) {
        _cleanup_(loaded_config_freep) LoadedConfig *loaded = NULL;

        put_file("mkosi.default", "nonsense\n", 0644);
        assert_int_equal(load(&loaded, "--help"), 0);
        assert_true(loaded->config.help);
}

static void test_all_mistakes_of_all_files(void **state) {
        put_file("mkosi.default", "[Packages]\nPakages=a\n[Output]\nFormat=floppy\n", 0644);
        put_file("mkosi.default.d/more", "[Output]\nRootSize=1G\n", 0644);
        _cleanup_(loaded_config_freep) LoadedConfig *loaded = NULL;

        assert_int_equal(load(&loaded), -EINVAL);
        assert_int_equal(strv_length(STRV(loaded->mistakes.texts)), 3);
}

static void test_paths_become_absolute(void **state) {
        _cleanup_(loaded_config_freep) LoadedConfig *loaded = NULL;

        assert_int_equal(
                load(&loaded, "--cache=a/../b", "--extra-search-path=bin:/sbin", "--output=out/x.raw"), 0);
        assert_in_project(loaded->config.cache, "/b");
        assert_in_project(loaded->config.extra_search_paths[0], "/bin");
        assert_string_equal(loaded->config.extra_search_paths[1], "/sbin");
        assert_string_equal(loaded->config.output, "out/x.raw");
}

/* Defect 41 of the tool of 2017: what follows -b was taken for its value. */
static void test_bootable_needs_no_value(void **state) {
        _cleanup_(loaded_config_freep) LoadedConfig *loaded = NULL;

        assert_int_equal(load(&loaded, "-bf", "summary", "-f"), 0);
        assert_true(loaded->config.bootable);
        assert_int_equal(loaded->config.force, 2);
        assert_string_equal(loaded->arguments.verb->name, "summary");
}

/* Defects 3, 4, 5 and 42: the keys that crashed or did nothing, and the percent sign. */
static void test_keys_that_did_not_work_in_files(void **state) {
        put_file(
                "mkosi.default",
                "[Output]\nForce=2\nSecureBoot=yes\nReadOnly=yes\nVerity=yes\nXZ=yes\nQCow2=yes\nHostname=a%b\n"
                "[Packages]\nWithTests=no\n[Validation]\nCheckSum=yes\nSign=yes\nBmap=yes\n",
                0644);
        _cleanup_(loaded_config_freep) LoadedConfig *loaded = NULL;
        assert_int_equal(load(&loaded), 0);
        const Config *config = &loaded->config;

        assert_int_equal(config->force, 2);
        assert_true(config->secure_boot && config->read_only && config->verity && config->xz &&
                    config->qcow2);
        assert_true(config->checksum && config->sign && config->bmap);
        assert_false(config->with_tests);
        assert_int_equal(config_source(loaded, CONFIG(with_tests)), SETTING_FILE);
        assert_string_equal(config->hostname, "a%b");
}

static void put_profiles(void) {
        put_file("mkosi.profiles/a.conf", "[Output]\nHostname=a\nBootable=yes\n[Packages]\nPackages=a\n",
                 0644);
        put_file("mkosi.profiles/b.conf", "[Output]\nHostname=b\n[Packages]\nPackages=b\n", 0644);
        put_file("mkosi.profiles/b.conf.d/more", "[Partitions]\nHomeSize=1G\n", 0644);
}

/* Stronger than all files, weaker than other options; the later ones are the stronger. */
static void test_profiles_of_the_command_line(void **state) {
        _cleanup_(loaded_config_freep) LoadedConfig *loaded = NULL;

        put_profiles();
        put_file("mkosi.default",
                 "[Config]\nProfile=nowhere\n[Output]\nHostname=file\nReadOnly=yes\n"
                 "[Packages]\nPackages=file\n[Partitions]\nHomeSize=3G\n",
                 0644);
        assert_int_equal(load(&loaded, "--profile=a,b", "--bootable=no", "-pargument"), 0);
        assert_list(loaded->config.profiles, "a b");
        assert_string_equal(loaded->config.hostname, "b");
        assert_where(loaded, CONFIG(hostname), 0, "mkosi.profiles/b.conf:2");
        assert_false(loaded->config.bootable);
        assert_true(loaded->config.read_only);
        assert_int_equal(loaded->config.home_size, GIB);
        assert_where(loaded, CONFIG(home_size), 0, "mkosi.profiles/b.conf.d/more:2");
        assert_list(loaded->config.packages, "argument file a b");
}

/* Weaker than all files, wherever in these they are named. */
static void test_profiles_of_files(void **state) {
        _cleanup_(loaded_config_freep) LoadedConfig *loaded = NULL;

        put_profiles();
        put_file("mkosi.default", "[Output]\nHostname=file\n[Packages]\nPackages=file\n", 0644);
        put_file("mkosi.default.d/x", "[Config]\nProfiles=b a\n", 0644);
        assert_int_equal(load(&loaded), 0);
        assert_list(loaded->config.profiles, "b a");
        assert_where(loaded, CONFIG(profiles), 0, "mkosi.default.d/x:2");
        assert_string_equal(loaded->config.hostname, "file");
        assert_true(loaded->config.bootable);
        assert_where(loaded, CONFIG(bootable), 0, "mkosi.profiles/a.conf:3");
        assert_list(loaded->config.packages, "b a file");
}

static void test_profiles_that_are_refused(void **state) {
        static const struct {
                const char *name, *expected; /* begin of the only mistake */
        } cases[] = {
                { "c",
                  "command line, --profile: There is no profile \"c\", there are a, b, bad, nested, unreadable" },
                { "../a", "command line, --profile: There is no profile \"../a\", there are a, b, bad, " },
                { "bad", "mkosi.profiles/bad.conf:1: " },
                { "unreadable", "Cannot read mkosi.profiles/unreadable.conf: " },
        };
        static const char nested_text[] =
                "mkosi.profiles/nested.conf:2: A profile cannot name other profiles\n";
        _cleanup_(loaded_config_freep) LoadedConfig *nested = NULL, *nested_argument = NULL;

        put_profiles();
        put_file("mkosi.profiles/bad.conf", "nonsense\n", 0644);
        put_file("mkosi.profiles/nested.conf", "[Config]\nProfile=a\n", 0644);
        put_directory("mkosi.profiles/unreadable.conf");
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(loaded_config_freep) LoadedConfig *loaded = NULL;

                assert_int_equal(load(&loaded, "--profile", cases[i].name), -EINVAL);
                assert_int_equal(strv_length(STRV(loaded->mistakes.texts)), 1);
                if (!text_after_prefix(loaded->mistakes.texts[0], cases[i].expected))
                        fail_msg("%s", loaded->mistakes.texts[0]);
        }
        put_file("mkosi.default", "[Config]\nProfile=nested\n", 0644);
        assert_int_equal(load(&nested), -EINVAL);
        assert_texts(nested->mistakes.texts, nested_text);
        assert_int_equal(load(&nested_argument, "--profile=nested"), -EINVAL);
        assert_texts(nested_argument->mistakes.texts, nested_text);
}

/* What is wrong in files is said once, though they are read for their profiles first. */
static void test_mistakes_are_said_once(void **state) {
        _cleanup_(loaded_config_freep) LoadedConfig *loaded = NULL;

        put_profiles();
        put_file("mkosi.default", "[Config]\nProfile=a\n[Output]\nFormat=floppy\n", 0644);
        assert_int_equal(load(&loaded), -EINVAL);
        assert_int_equal(strv_length(STRV(loaded->mistakes.texts)), 1);
}

/* Those that come with the program have no mistakes, and do what their names say. */
static void test_profiles_of_the_program(void **state) {
        static const struct {
                const char *name;
                size_t asks; /* a setting that it is for */
        } profiles[] = {
                { "container", CONFIG(format) }, { "devel", CONFIG(incremental) }, { "iot", CONFIG(verity) },
                { "release", CONFIG(sign) },     { "vm", CONFIG(bootable) },
        };

        for (size_t i = 0; i < ELEMENTSOF(profiles); i++) {
                _cleanup_(loaded_config_freep) LoadedConfig *loaded = NULL;
                _cleanup_(freep) char *relative = NULL, *path = NULL, *option = NULL;

                assert_int_equal(text_format(&relative, "profiles/%s.conf", profiles[i].name), 0);
                path = source_path(relative);
                assert_int_equal(text_format(&option, "--default=%s", path), 0);
                assert_int_equal(load(&loaded, option), 0);
                assert_texts(loaded->mistakes.warnings, "");
                assert_int_equal(config_source(loaded, profiles[i].asks), SETTING_FILE);
                assert_true(config_asks(&loaded->config, config_setting(profiles[i].asks)));
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                TEST(test_nothing_is_configured),
                TEST(test_command_line_beats_files),
                TEST(test_drop_ins_come_last_and_sorted),
                TEST(test_unreadable_files),
                TEST(test_drop_ins_count_without_their_file),
                TEST(test_another_settings_file),
                TEST(test_named_file_must_exist),
                TEST(test_directory_comes_first),
                TEST(test_directory_must_exist),
                TEST(test_wrong_usage),
                TEST(test_help_reads_no_file),
                TEST(test_all_mistakes_of_all_files),
                TEST(test_paths_become_absolute),
                TEST(test_bootable_needs_no_value),
                TEST(test_keys_that_did_not_work_in_files),
                TEST(test_profiles_of_the_command_line),
                TEST(test_profiles_of_files),
                TEST(test_profiles_that_are_refused),
                TEST(test_mistakes_are_said_once),
                TEST(test_profiles_of_the_program),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
