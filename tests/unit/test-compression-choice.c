/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config-fixture.h"

#include "image/compression-choice.h"

static void test_choices(void **state) {
        static const struct {
                const char *arguments[2];
                Compression inside;
                const char *outside;
        } cases[] = {
                { { "--debug" }, COMPRESSION_NONE, NULL },
                { { "-tgpt_squashfs" }, COMPRESSION_ZSTD, NULL },
                { { "-tplain_squashfs", "--compress=no" }, COMPRESSION_NONE, NULL },
                { { "-tplain_squashfs", "--compress=xz" }, COMPRESSION_XZ, NULL },
                { { "-tgpt_btrfs" }, COMPRESSION_NONE, NULL },
                { { "-tgpt_btrfs", "--compress" }, COMPRESSION_ZSTD, NULL },
                { { "--xz" }, COMPRESSION_NONE, "xz" },
                { { "-ttar", "--compress=zlib" }, COMPRESSION_ZLIB, "gzip" },
                { { "--compress-output=zstd" }, COMPRESSION_NONE, "zstd" },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(loaded_config_freep) LoadedConfig *loaded =
                        load_fine("--debug", cases[i].arguments[0], cases[i].arguments[1]);
                const Compressor *outside = compression_choice_outside(&loaded->config);

                assert_int_equal(compression_choice_inside(&loaded->config), cases[i].inside);
                assert_int_equal(outside != NULL, cases[i].outside != NULL);
                if (outside)
                        assert_string_equal(outside->name, cases[i].outside);
        }
}

static void test_check(void **state) {
        static const struct {
                const char *arguments[3], *expected;
        } cases[] = {
                { { "--compress" }, "" }, /* warned of elsewhere: ext4 does not compress */
                { { "-tgpt_squashfs", "--compress=zstd:22" }, "" },
                { { "-tgpt_squashfs", "--compress=zstd:23" },
                  "Compress=zstd:23: squashfs: zstd levels are 1 to 22\n" },
                { { "-tgpt_btrfs", "--compress=zstd:15" }, "" },
                { { "-tgpt_btrfs", "--compress=zstd:16" },
                  "Compress=zstd:16: btrfs: zstd levels are 1 to 15\n" },
                { { "-tgpt_btrfs", "--compress=xz" },
                  "Compress=xz: btrfs file systems compress by zlib, lzo, zstd\n" },
                { { "--compress-output=xz:9" }, "" },
                { { "-ttar", "--compress=xz:77" }, "Compress=xz:77: the levels are 1 to 9\n" },
                { { "--compress-output=xz:10" }, "CompressOutput=xz:10: the levels are 1 to 9\n" },
                { { "--compress-output=gzip:4000000000" },
                  "CompressOutput=gzip:4000000000: the levels are 1 to 9\n" },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(loaded_config_freep) LoadedConfig *loaded =
                        load_fine("--debug", cases[i].arguments[0], cases[i].arguments[1]);
                const ImageFormat *format = image_format_find(output_format_words[loaded->config.format]);
                _cleanup_(strv_freep) char **problems = NULL;

                assert_int_equal(compression_choice_check(&loaded->config, format, &problems), 0);
                assert_texts(problems, cases[i].expected);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                TEST(test_choices),
                TEST(test_check),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
