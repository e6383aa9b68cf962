/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config-fixture.h"

static void test_default_names(void **state) {
        static const char *const cases[][3] = {
                { "--format=raw_gpt", "--xz=no", "/image.raw" },
                { "--format=raw_btrfs", "--xz", "/image.raw.xz" },
                { "--format=gpt_squashfs", "--qcow2", "/image.qcow2" },
                { "--format=tar", "--debug", "/image.tar.xz" },
                { "--format=directory", "--debug", "/image" },
                { "--format=subvolume", "--debug", "/image" },
                { "--format=plain_squashfs", "--debug", "/image" },
                { "--format=plain_squashfs", "--compress-output=zstd", "/image.zst" },
                { "--format=gpt_ext4", "--compress-output=gzip", "/image.raw.gz" },
                { "--format=tar", "--xz=no", "/image.tar" },
                { "--format=tar", "--compress=zstd", "/image.tar.zst" },
                { "--format=directory", "--xz", "/image" },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(loaded_config_freep) LoadedConfig *loaded = load_fine(cases[i][0], cases[i][1]);

                assert_in_project(loaded->config.output, cases[i][2]);
                assert_in_project(loaded->config.output_directory, "");
                assert_where(loaded, CONFIG(output), 0, "derived from Format=");
        }
}

/* What files beside the output are named after; and the output before it is compressed. */
static void test_names_beside_the_output(void **state) {
        static const char *const cases[][4] = {
                { "a.b.raw.xz", "--xz", "/a.b", "/a.b.raw" },
                { "a.raw.xz", "--debug", "/a", "/a.raw.xz" },
                { "a.raw.raw.tar.gz.zst", "--compress-output=zstd", "/a", "/a.raw.raw.tar.gz" },
                { "a.qcow2", "--qcow2", "/a", "/a.qcow2" },
                { "image", "--xz", "/image", "/image" },
                { ".raw", "--debug", "/.raw", "/.raw" },
                { "dir.raw/x.iso", "--debug", "/dir.raw/x.iso", "/dir.raw/x.iso" },
                { "dir.raw/.raw.xz", "--xz", "/dir.raw/.raw", "/dir.raw/.raw" },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(freep) char *stem = NULL, *uncompressed = NULL;
                _cleanup_(loaded_config_freep) LoadedConfig *loaded =
                        load_fine("-o", cases[i][0], cases[i][1]);

                assert_int_equal(config_output_stem(&loaded->config, &stem), 0);
                assert_in_project(stem, cases[i][2]);
                assert_int_equal(config_output_uncompressed(&loaded->config, &uncompressed), 0);
                assert_in_project(uncompressed, cases[i][3]);
        }
}

static void test_where_outputs_lie(void **state) {
        static const char *const cases[][4] = {
                { "--output=a.raw", "--output-dir=out", "/out/a.raw", "/out" },
                { "--output=a.raw", "--output-dir=out/./deep/", "/out/deep/a.raw", "/out/deep" },
                { "--output=a.raw.xz", "--debug", "/mkosi.output/a.raw.xz", "/mkosi.output" },
                { "--output=./a.raw", "--debug", "/a.raw", "" },
                { "--output=b/a", "--output-dir=out", "/b/a", "/b" },
                { "--xz=no", "--output-dir=out", "/out/image.raw", "/out" },
        };

        put_directory("mkosi.output");
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(loaded_config_freep) LoadedConfig *loaded = load_fine(cases[i][0], cases[i][1]);

                assert_in_project(loaded->config.output, cases[i][2]);
                assert_in_project(loaded->config.output_directory, cases[i][3]);
        }
}

static void test_output_directory_without_effect(void **state) {
        _cleanup_(loaded_config_freep) LoadedConfig *loaded = load_fine("-o", "b/a", "-O", "out");

        assert_texts(loaded->mistakes.warnings,
                     "command line, -O: OutputDirectory= has no effect, Output= contains a slash\n");
        assert_where(loaded, CONFIG(output_directory), 0, "derived from Output=");
}

/* A mkosi.output/ that happens to be there is nothing to warn of. */
static void test_discovered_output_directory(void **state) {
        put_directory("mkosi.output");
        _cleanup_(loaded_config_freep) LoadedConfig *loaded = load_fine("-o", "b/a");

        assert_null(loaded->mistakes.warnings);
}

/* Defect 2 of the tool of 2017: such outputs were deleted, and with them all that was in them. */
static void test_outputs_that_would_delete_too_much(void **state) {
        static const char *const names[] = { ".",    "..",   "./",    "../",        "/",
                                             "/tmp", "a/..", "/tmp/", "../../tmp/." };

        for (size_t i = 0; i < ELEMENTSOF(names); i++) {
                _cleanup_(loaded_config_freep) LoadedConfig *loaded = NULL;

                assert_int_equal(load(&loaded, "-t", "directory", "-o", names[i]), 0);
                assert_int_equal(resolve(loaded), -EINVAL);
                assert_texts(
                        loaded->mistakes.texts,
                        "command line, -o: Output= is the working directory, the output directory, or above "
                        "them; name the file or directory that is to be made\n");
        }
}

static void test_output_through_a_link(void **state) {
        _cleanup_(freep) char *name = NULL;
        _cleanup_(loaded_config_freep) LoadedConfig *loaded = NULL;

        assert_int_equal(symlink("/tmp", "link"), 0);
        assert_int_equal(text_format(&name, "link/%s", path_base_name(fixture_directory)), 0);
        assert_int_equal(load(&loaded, "-t", "directory", "-o", name), 0);
        assert_int_equal(resolve(loaded), -EINVAL);
        assert_int_equal(strv_length(STRV(loaded->mistakes.texts)), 1);
}

static void test_empty_output(void **state) {
        put_file("mkosi.default", "[Output]\nOutput=\n", 0644);
        _cleanup_(loaded_config_freep) LoadedConfig *loaded = NULL;

        assert_int_equal(load(&loaded), -EINVAL);
        assert_int_equal(strv_length(STRV(loaded->mistakes.texts)), 1);
        assert_non_null(text_after_prefix(loaded->mistakes.texts[0], "mkosi.default:2: "));
}

static void test_outputs_that_would_replace_inputs(void **state) {
        static const char *const cases[][3] = {
                { "mkosi.default", "--debug", "what --default (mkosi.default) needs" },
                { "mkosi.extra", "--debug", "what ExtraTrees= (mkosi.extra) needs" },
                { "keep", "--cache=keep/deep", "what Cache=keep/deep (command line, --cache) needs" },
                { "trees", "--extra-tree=trees", "what ExtraTrees= (command line, --extra-tree) needs" },
                { "mkosi.default.d", "--debug", "mkosi.default.d/name, which is read for Hostname=" },
                { "mkosi.rootpw", "--debug", "mkosi.rootpw, which is read for Password=" },
        };

        put_file("mkosi.default", "", 0644);
        put_file("mkosi.default.d/name", "[Output]\nHostname=name\n", 0644);
        put_file("mkosi.rootpw", "secret", 0600);
        put_directory("mkosi.extra");
        put_directory("trees");
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(loaded_config_freep) LoadedConfig *loaded = NULL;
                _cleanup_(freep) char *expected = NULL;

                assert_int_equal(load(&loaded, "-t", "directory", "-o", cases[i][0], cases[i][1]), 0);
                assert_int_equal(resolve(loaded), -EINVAL);
                assert_int_equal(
                        text_format(&expected,
                                    "command line, -o: Output= would replace %s; give it another name\n",
                                    cases[i][2]),
                        0);
                assert_texts(loaded->mistakes.texts, expected);
        }
}

static void test_devices_are_no_outputs(void **state) {
        _cleanup_(loaded_config_freep) LoadedConfig *loaded = NULL;

        assert_int_equal(load(&loaded, "-o", "/dev/null"), 0);
        assert_int_equal(resolve(loaded), -EINVAL);
        assert_texts(loaded->mistakes.texts,
                     "command line, -o: Output=/dev/null is neither a file nor a directory, and would be "
                     "replaced; give it another name\n");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                TEST(test_default_names),
                TEST(test_names_beside_the_output),
                TEST(test_where_outputs_lie),
                TEST(test_output_directory_without_effect),
                TEST(test_discovered_output_directory),
                TEST(test_outputs_that_would_delete_too_much),
                TEST(test_output_through_a_link),
                TEST(test_empty_output),
                TEST(test_outputs_that_would_replace_inputs),
                TEST(test_devices_are_no_outputs),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
