/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config-fixture.h"

static unsigned parse(size_t offset, const char *text) {
        const Setting *setting = config_setting(offset);
        _cleanup_(reason_done) Reason reason = {};
        SettingChoice value = {}; /* which begins with what an enumeration is alone */

        int r = setting->type->parse(setting, text, &value, &reason);
        return r < 0 ? UINT32_MAX : value.word;
}

static void test_words_and_other_names(void **state) {
        static const struct {
                size_t offset;
                const char *text;
                unsigned value;
        } cases[] = {
                { CONFIG(distribution), "fedora", DISTRIBUTION_FEDORA },
                { CONFIG(distribution), "debian", DISTRIBUTION_DEBIAN },
                { CONFIG(distribution), "clear", DISTRIBUTION_CLEAR },
                { CONFIG(distribution), "archlinux", UINT32_MAX },
                { CONFIG(architecture), "x86-64", ARCHITECTURE_X86_64 },
                { CONFIG(architecture), "x86_64", ARCHITECTURE_X86_64 },
                { CONFIG(architecture), "amd64", ARCHITECTURE_X86_64 },
                { CONFIG(architecture), "i686", ARCHITECTURE_X86 },
                { CONFIG(architecture), "i386", ARCHITECTURE_X86 },
                { CONFIG(architecture), "aarch64", ARCHITECTURE_ARM64 },
                { CONFIG(architecture), "armv7l", ARCHITECTURE_ARM },
                { CONFIG(architecture), "riscv64", ARCHITECTURE_RISCV64 },
                { CONFIG(architecture), "vax", UINT32_MAX },
                { CONFIG(format), "raw_gpt", OUTPUT_FORMAT_GPT_EXT4 },
                { CONFIG(format), "raw_ext4", OUTPUT_FORMAT_GPT_EXT4 },
                { CONFIG(format), "gpt_ext4", OUTPUT_FORMAT_GPT_EXT4 },
                { CONFIG(format), "raw_xfs", OUTPUT_FORMAT_GPT_XFS },
                { CONFIG(format), "raw_btrfs", OUTPUT_FORMAT_GPT_BTRFS },
                { CONFIG(format), "raw_squashfs", OUTPUT_FORMAT_GPT_SQUASHFS },
                { CONFIG(format), "plain_squashfs", OUTPUT_FORMAT_PLAIN_SQUASHFS },
                { CONFIG(format), "directory", OUTPUT_FORMAT_DIRECTORY },
                { CONFIG(format), "subvolume", OUTPUT_FORMAT_SUBVOLUME },
                { CONFIG(format), "tar", OUTPUT_FORMAT_TAR },
                { CONFIG(encrypt), "data", ENCRYPT_DATA },
                { CONFIG(encrypt), "no", ENCRYPT_OFF },
                { CONFIG(compress), "true", COMPRESS_YES },
                { CONFIG(compress), "0", COMPRESS_NO },
                { CONFIG(compress), "zstd", COMPRESS_ZSTD },
                { CONFIG(compress), "lz4:1", COMPRESS_LZ4 },
                { CONFIG(compress_output), "zst", OUTPUT_COMPRESSION_ZSTD },
                { CONFIG(compress_output), "none", OUTPUT_COMPRESSION_NO },
                { CONFIG(compress_output), "lz4", UINT32_MAX },
                { CONFIG(source_file_transfer), "others", SOURCE_FILE_TRANSFER_COPY_GIT_OTHERS },
                { CONFIG(source_file_transfer), "no", SOURCE_FILE_TRANSFER_COPY_ALL },
                { CONFIG(source_file_transfer), "mount", SOURCE_FILE_TRANSFER_MOUNT },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++)
                if (parse(cases[i].offset, cases[i].text) != cases[i].value)
                        fail_msg("%s is read as %u", cases[i].text, parse(cases[i].offset, cases[i].text));
}

/* Another name must lead to a word that is there. */
static void test_aliases_lead_to_words(void **state) {
        for (size_t i = 0; i < config_table.n_rows; i++) {
                const Setting *row = &config_table.rows[i];

                for (const SettingAlias *alias = row->aliases; alias && alias->name; alias++) {
                        assert_true(strv_contains(row->words, alias->word));
                        assert_false(strv_contains(row->words, alias->name));
                }
        }
}

static void test_kinds_of_format(void **state) {
        for (unsigned format = 0; format < OUTPUT_FORMAT_MAX; format++) {
                const char *word = output_format_words[format];

                assert_int_equal(output_format_is_disk(format), text_after_prefix(word, "gpt_") != NULL);
                assert_int_equal(output_format_is_squashfs(format), strstr(word, "squashfs") != NULL);
                assert_int_equal(output_is_qcow2(&(Config){ .format = format, .qcow2 = true }),
                                 output_format_is_disk(format));
                assert_false(output_is_qcow2(&(Config){ .format = format }));
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_words_and_other_names),
                cmocka_unit_test(test_aliases_lead_to_words),
                cmocka_unit_test(test_kinds_of_format),
        };

        return cmocka_run_group_tests(tests, fixture_setup, fixture_teardown);
}
