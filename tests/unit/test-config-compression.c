/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config-fixture.h"

#include "config/config-stages.h"

static void test_what_it_becomes(void **state) {
        static const struct {
                const char *arguments[3], *printed, *where;
        } cases[] = {
                { { "--debug" }, "no", "default" },
                { { "--xz" }, "xz", "derived from XZ=yes" },
                { { "--compress-output=zstd:19" }, "zstd:19", "command line, --compress-output" },
                { { "--compress-output=gz" }, "gzip", "command line, --compress-output" },
                { { "--compress-output=xz", "--xz" }, "xz", "command line, --compress-output" },
                { { "-ttar" }, "xz", "derived from Format=tar" },
                { { "-ttar", "--xz=no" }, "no", "derived from XZ=no" },
                { { "-ttar", "--compress-output=none" }, "no", "command line, --compress-output" },
                { { "-ttar", "--compress" }, "xz", "derived from Compress=yes" },
                { { "-ttar", "--compress=no" }, "no", "derived from Compress=no" },
                { { "-ttar", "--compress=zlib:9" }, "gzip:9", "derived from Compress=zlib:9" },
                { { "-ttar", "--compress=zstd", "--xz" }, "xz", "derived from XZ=yes" },
                { { "-tgpt_btrfs", "--compress=zstd" }, "no", "default" },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(loaded_config_freep) LoadedConfig *loaded =
                        load_fine("--debug", cases[i].arguments[0], cases[i].arguments[1],
                                  cases[i].arguments[2]);
                _cleanup_(freep) char *said = NULL;

                assert_int_equal(config_say(loaded, CONFIG(compress_output), &said), 0);
                assert_string_equal(text_after_prefix(said, "CompressOutput="), cases[i].printed);
                assert_where(loaded, CONFIG(compress_output), 0, cases[i].where);
        }
}

static void test_what_is_refused(void **state) {
        static const struct {
                const char *arguments[2], *message;
        } cases[] = {
                { { "-ttar", "--compress=lz4" },
                  "command line, --compress: Compress=lz4 is nothing for archives: they are compressed with xz, zstd "
                  "or zlib (gzip)\n" },
                { { "--xz", "--compress-output=zstd" },
                  "command line, --xz: XZ=yes contradicts CompressOutput=zstd (command line, --compress-output): "
                  "leave out one of them\n" },
                { { "--xz=no", "--compress-output=xz" },
                  "command line, --xz: XZ=no contradicts CompressOutput=xz (command line, --compress-output): leave "
                  "out one of them\n" },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(loaded_config_freep) LoadedConfig *loaded = NULL;

                assert_int_equal(load(&loaded, cases[i].arguments[0], cases[i].arguments[1]), 0);
                assert_int_equal(resolve(loaded), -EINVAL);
                assert_texts(loaded->mistakes.texts, cases[i].message);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                TEST(test_what_it_becomes),
                TEST(test_what_is_refused),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
