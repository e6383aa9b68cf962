/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config-fixture.h"

#include "base/uuid.h"

static char *seed_of(const char *argument) {
        _cleanup_(loaded_config_freep) LoadedConfig *loaded =
                load_fine("--architecture=x86-64", "-b", argument);
        Uuid seed;

        assert_int_equal(uuid_parse(loaded->config.seed, &seed), 0);
        return TAKE_PTR(loaded->config.seed);
}

static void test_what_goes_in(void **state) {
        static const char *const shaping[] = {
                "--package=x",
                "--output=other.raw",
                "--release=sid",
                "--root-size=1G",
                "--hostname=x",
                "--read-only",
                "--kernel-command-line=x",
                "--with-docs",
                "--mirror=http://mirror.example",
                "--repositories=contrib",
                "--esp-size=64M",
                "--architecture=arm64",
                "--format=raw_btrfs",
        };
        static const char *const others[] = {
                "--force",
                "--cache=x",
                "--output-dir=x",
                "--password=x",
                "--debug",
                "--no-chown",
                "--extra-search-path=/x",
                "--cpus=3",
                "--ram=1G",
                "--persistent",
                "--output=./image.raw",
                "--output=/elsewhere/image.raw",
                "--output=image.raw.zst",
                "--xz",
                "--compress-output=zstd:3",
                "--qcow2",
                "--checksum",
                "--sign",
                "--key=x",
                "--bmap",
                "--manifest",
        };
        _cleanup_(freep) char *plain = seed_of("--debug=no");

        for (size_t i = 0; i < ELEMENTSOF(shaping); i++) {
                _cleanup_(freep) char *seed = seed_of(shaping[i]);

                if (text_equal(seed, plain))
                        fail_msg("%s does not change the seed", shaping[i]);
        }
        for (size_t i = 0; i < ELEMENTSOF(others); i++) {
                _cleanup_(freep) char *seed = seed_of(others[i]);

                if (!text_equal(seed, plain))
                        fail_msg("%s changes the seed", others[i]);
        }
}

/* Items of two lists must not be taken for each other. */
static void test_lists_are_told_apart(void **state) {
        _cleanup_(freep) char *a = seed_of("--package=a,b"), *b = seed_of("--package=ab"),
                              *c = seed_of("--package=b,a");

        assert_string_not_equal(a, b);
        assert_string_not_equal(a, c);
}

static void test_directory_does_not_count(void **state) {
        static const char text[] = "[Packages]\nPackages=a b\nExtraTrees=tree\nCache=cache\n";
        char *seeds[2];

        for (size_t i = 0; i < 2; i++) {
                const char *directory = i == 0 ? "one" : "elsewhere/two";
                _cleanup_(freep) char *tree = NULL, *file = NULL;

                assert_int_equal(path_join(directory, "tree", &tree) |
                                         path_join(directory, "mkosi.default", &file),
                                 0);
                put_directory(tree);
                put_file(file, text, 0644);
                _cleanup_(loaded_config_freep) LoadedConfig *loaded = NULL;
                assert_int_equal(load(&loaded, "-C", directory, "-dfedora", "-r41", "--architecture=arm64"),
                                 0);
                assert_fine(loaded, resolve(loaded));
                seeds[i] = TAKE_PTR(loaded->config.seed);
                assert_int_equal(chdir(fixture_directory), 0);
        }
        assert_string_equal(seeds[0], seeds[1]);
        free(seeds[0]);
        free(seeds[1]);
}

static void test_a_seed_that_is_given_is_kept(void **state) {
        _cleanup_(freep) char *seed = seed_of("--seed=01234567-89ab-cdef-0123-456789abcdef");

        assert_string_equal(seed, "01234567-89ab-cdef-0123-456789abcdef");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                TEST(test_what_goes_in),
                TEST(test_lists_are_told_apart),
                TEST(test_directory_does_not_count),
                TEST(test_a_seed_that_is_given_is_kept),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
