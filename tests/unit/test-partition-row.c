/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config-fixture.h"

#include "image/partition-row.h"

/* "esp=64M/0 …": all partitions of a configuration, with size and attributes' two highest bits of interest. */
static char *rows_of(const Config *config) {
        const ImageFormat *format = image_format_find(output_format_words[config->format]);
        _cleanup_(strv_freep) char **list = NULL;
        char *text = NULL;

        assert_non_null(format);
        for (size_t i = 0; i < n_partition_rows; i++) {
                const PartitionRow *row = &partition_rows[i];

                if (!partition_row_wanted(row, config))
                        continue;
                const uint64_t attributes = partition_row_attributes(row, config, format);
                assert_int_equal(
                        strv_append_format(&list, "%s/%s/%lluM%s%s", partition_type_name(row->type),
                                           partition_row_filesystem(row, format)
                                                   ? partition_row_filesystem(row, format)->name
                                                   : "-",
                                           (unsigned long long)(partition_row_size(row, config) / MIB),
                                           attributes & PARTITION_ATTRIBUTE_READ_ONLY ? "/ro" : "",
                                           attributes & PARTITION_ATTRIBUTE_GROW ? "/grow" : ""),
                        0);
        }
        assert_int_equal(strv_join(STRV(list), " ", &text), 0);
        return text;
}

static void test_rows(void **state) {
        static const struct {
                const char *arguments[6], *expected;
        } cases[] = {
                { { "--debug" }, "root/ext4/0M/grow" },
                { { "--read-only", "--root-size=2G" }, "root/ext4/2048M/ro" },
                { { "-b", "--swap-size=64M", "--home-size=128M", "--srv-size=32M", "--root-size=1G" },
                  "esp/vfat/256M swap/swap/64M home/ext4/128M/grow srv/ext4/32M/grow root/ext4/1024M/grow" },
                { { "-tgpt_btrfs", "--home-size=128M", "--swap-size=1M" },
                  "swap/swap/1M root/btrfs/0M/grow" },
                /* There the subvolumes say it. */
                { { "-tgpt_btrfs", "--read-only" }, "root/btrfs/0M" },
                { { "-tgpt_squashfs", "--home-size=1G", "--root-size=1G" },
                  "home/ext4/1024M/grow root/squashfs/0M/ro" },
                { { "--verity", "--root-size=1G" }, "root/ext4/1024M/ro root-verity/-/0M/ro" },
                { { "--verity", "--verity-key=a.key", "--verity-certificate=a.crt", "-tgpt_squashfs" },
                  "root/squashfs/0M/ro root-verity/-/0M/ro root-verity-sig/-/0M/ro" },
        };

        put_file("a.key", "", 0600);
        put_file("a.crt", "", 0644);
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(loaded_config_freep) LoadedConfig *loaded =
                        load_fine("--debug", cases[i].arguments[0], cases[i].arguments[1],
                                  cases[i].arguments[2], cases[i].arguments[3], cases[i].arguments[4]);
                _cleanup_(freep) char *text = rows_of(&loaded->config);

                assert_string_equal(text, cases[i].expected);
        }
}

static void test_reserve(void **state) {
        static const struct {
                const char *arguments[2];
                bool reserve;
        } cases[] = {
                { { "--debug" }, true },
                { { "--read-only" }, false },
                { { "-tgpt_btrfs" }, true },
                { { "-tgpt_squashfs" }, false },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(loaded_config_freep) LoadedConfig *loaded =
                        load_fine("--debug", cases[i].arguments[0], cases[i].arguments[1]);
                const ImageFormat *format = image_format_find(output_format_words[loaded->config.format]);

                for (size_t k = 0; k < n_partition_rows; k++) {
                        const bool root = partition_rows[k].type == PARTITION_ROOT;
                        FilesystemOptions options = {};

                        partition_row_reserve(&partition_rows[k], &loaded->config, format, &options);
                        assert_int_equal(options.reserve_size, root && cases[i].reserve ? 64 * MIB : 0);
                        assert_int_equal(options.reserve_percent, root && cases[i].reserve ? 10 : 0);
                }
        }
}

/* Which partitions are encrypted, of those that are there. */
static void test_encrypted(void **state) {
        static const struct {
                const char *arguments[4], *expected;
        } cases[] = {
                { { "--debug" }, "" },
                { { "--encrypt=all", "-b", "--swap-size=1G", "--home-size=1G" }, "home root" },
                { { "--encrypt=data", "-b", "--swap-size=1G", "--srv-size=1G" }, "srv" },
                { { "--encrypt=data", "-tgpt_squashfs" }, "" },
                { { "--encrypt=all", "-tgpt_btrfs", "--home-size=1G" }, "root" },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(loaded_config_freep) LoadedConfig *loaded =
                        load_fine("--debug", cases[i].arguments[0], cases[i].arguments[1],
                                  cases[i].arguments[2], cases[i].arguments[3]);
                _cleanup_(strv_freep) char **list = NULL;
                _cleanup_(freep) char *text = NULL;

                for (size_t k = 0; k < n_partition_rows; k++) {
                        const PartitionRow *row = &partition_rows[k];

                        assert_ptr_equal(partition_row_find(row->type), row);
                        if (partition_row_wanted(row, &loaded->config) &&
                            partition_row_encrypted(row, &loaded->config))
                                assert_int_equal(strv_append(&list, partition_type_name(row->type)), 0);
                }
                assert_int_equal(strv_join(STRV(list), " ", &text), 0);
                assert_string_equal(text, cases[i].expected);
                assert_int_equal(partition_rows_encrypted(&loaded->config), text[0] != '\0');
        }
        assert_false(partition_rows_encrypted(
                &(const Config){ .format = OUTPUT_FORMAT_DIRECTORY, .encrypt = ENCRYPT_ALL }));
        assert_null(partition_row_find(PARTITION_TYPE_MAX));
}

/* The names and their order are what others rely on (spec 2.3). */
static void test_names(void **state) {
        static const char *const names[] = {
                "ESP System Partition",      "Swap Partition", "Home Partition",
                "Server Data Partition",     "Root Partition", "Verity Partition",
                "Verity Signature Partition"
        };

        assert_int_equal(n_partition_rows, ELEMENTSOF(names));
        for (size_t i = 0; i < n_partition_rows; i++) {
                assert_string_equal(partition_rows[i].name, names[i]);
                assert_int_equal(partition_rows[i].source == PARTITION_SOURCE_PART ||
                                         partition_rows[i].source == PARTITION_SOURCE_BOOT,
                                 partition_rows[i].directory != NULL);
        }
        /* The root has nothing but what follows from it behind it, since its size is known only when it is written. */
        assert_int_equal(partition_rows[n_partition_rows - 3].type, PARTITION_ROOT);
}

static void test_description(void **state) {
        _cleanup_(freep) char *text = NULL;

        assert_int_equal(partition_rows_describe(&(const Config){ .swap_size = MIB }, &text), 0);
        assert_string_equal(text, "partitions: swap: 1M, root: as large as its content");

        const Config encrypted = { .encrypt = ENCRYPT_DATA, .home_size = GIB };
        free(TAKE_PTR(text));
        assert_int_equal(partition_rows_describe(&encrypted, &text), 0);
        assert_string_equal(text, "partitions: home: 1G (encrypted), root: as large as its content");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                TEST(test_rows),  TEST(test_reserve),     TEST(test_encrypted),
                TEST(test_names), TEST(test_description),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
