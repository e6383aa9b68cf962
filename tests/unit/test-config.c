/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config-fixture.h"

#include <ctype.h>

#define HELP_LENGTH_MAX 49
#define LINE_LENGTH_MAX 2000

static bool is_same(const char *a, const char *b) {
        return a && b && text_equal(a, b);
}

/* Whether one of the row's keys (or options) is the name. */
static bool has_name(const Setting *setting, const char *name, bool option) {
        const char *const *old = option ? setting->old_options : setting->old_names;

        if (is_same(option ? setting->option : setting->name, name))
                return true;
        return strv_contains(old, name);
}

static void test_every_row_is_whole(void **state) {
        for (size_t i = 0; i < config_table.n_rows; i++) {
                const Setting *row = &config_table.rows[i];

                assert_true(row->name || row->option);
                assert_non_null(row->type);
                assert_non_null(row->help);
                assert_non_null(row->about);
                assert_true(strlen(row->help) <= HELP_LENGTH_MAX);
                assert_true(strlen(row->about) < LINE_LENGTH_MAX);
                assert_false(text_ends_with(row->help, "."));
                assert_true(text_ends_with(row->about, "."));
                assert_false(isupper((unsigned char)row->help[0]) && islower((unsigned char)row->help[1]));
                if (row->type == &setting_type_enum)
                        assert_non_null(row->words);
        }
}

static void test_every_section_is_known(void **state) {
        for (size_t i = 0; i < config_table.n_rows; i++) {
                const Setting *row = &config_table.rows[i];
                bool found = !row->section;

                for (size_t k = 0; k < config_table.n_sections; k++)
                        found = found || is_same(config_table.sections[k].name, row->section);
                assert_true(found);
                assert_true(!row->name || row->section);
        }
}

static void test_no_name_is_taken_twice(void **state) {
        for (size_t i = 0; i < config_table.n_rows; i++)
                for (size_t k = 0; k < config_table.n_rows; k++) {
                        const Setting *a = &config_table.rows[i], *b = &config_table.rows[k];

                        if (i == k)
                                continue;
                        assert_int_not_equal(a->offset, b->offset);
                        assert_false(a->name && has_name(b, a->name, false));
                        assert_false(a->option && has_name(b, a->option, true));
                        assert_false(a->letter && a->letter == b->letter);
                        for (const char *const *old = a->old_names; old && *old; old++)
                                assert_false(has_name(b, *old, false));
                        for (const char *const *old = a->old_options; old && *old; old++)
                                assert_false(has_name(b, *old, true));
                }
}

/* The keys, options and letters of the versions of 2016 to 2019, so that none is lost. */
/* clang-format off */
static const char *const old_keys[] = {
        "Distribution", "Release", "Mirror", "Repositories", "Architecture", "Format", "Output",
        "OutputDirectory", "Force", "Bootable", "BootProtocols", "KernelCommandLine", "SecureBoot",
        "SecureBootKey", "SecureBootCertificate", "ReadOnly", "Encrypt", "Verity", "Compress", "Mksquashfs",
        "XZ", "QCow2", "Hostname", "Packages", "WithDocs", "WithTests", "Cache", "ExtraTrees",
        "SkeletonTrees", "BuildScript", "BuildSources", "BuildDirectory", "BuildPackages",
        "PostInstallationScript", "PostinstallScript", "FinalizeScript", "SourceFileTransfer", "WithNetwork",
        "NSpawnSettings", "RootSize", "ESPSize", "BootLoaderSize", "SwapSize", "HomeSize", "SrvSize",
        "CheckSum", "Sign", "Key", "Bmap", "BMap", "Password", "ExtraSearchPaths",
};
static const char *const old_options[] = {
        "help", "version", "distribution", "release", "mirror", "repositories", "architecture", "format",
        "output", "output-dir", "force", "bootable", "boot-protocols", "kernel-commandline",
        "kernel-command-line", "secure-boot", "secure-boot-key", "secure-boot-certificate", "read-only",
        "encrypt", "verity", "compress", "mksquashfs", "xz", "qcow2", "hostname", "no-chown", "incremental",
        "package", "with-docs", "without-tests", "cache", "extra-tree", "skeleton-tree", "build-script",
        "build-sources", "build-dir", "build-package", "postinst-script", "finalize-script", "use-git-files",
        "git-files", "source-file-transfer", "with-network", "settings", "root-size", "esp-size",
        "xbootldr-size", "swap-size", "home-size", "srv-size", "checksum", "sign", "key", "bmap", "password",
        "extra-search-path", "extra-search-paths", "directory", "default", "all", "all-directory", "debug",
};
/* clang-format on */
static const char old_letters[] = "hdrmtoOfbipTCa";

static void assert_is_there(const char *name, bool option) {
        for (size_t i = 0; i < config_table.n_rows; i++)
                if (has_name(&config_table.rows[i], name, option))
                        return;
        fail_msg("%s is in no row", name);
}

static void test_nothing_of_old_is_missing(void **state) {
        for (size_t i = 0; i < ELEMENTSOF(old_keys); i++)
                assert_is_there(old_keys[i], false);
        for (size_t i = 0; i < ELEMENTSOF(old_options); i++)
                assert_is_there(old_options[i], true);
        for (const char *letter = old_letters; *letter; letter++) {
                bool found = false;

                for (size_t i = 0; i < config_table.n_rows; i++)
                        found = found || config_table.rows[i].letter == *letter;
                assert_true(found);
        }
}

static void test_only_the_password_is_secret(void **state) {
        for (size_t i = 0; i < config_table.n_rows; i++) {
                const Setting *row = &config_table.rows[i];

                assert_int_equal((row->flags & SETTING_SECRET) != 0, row->offset == CONFIG(password));
        }
}

/* The example that is shipped is what the table says, but for its first line, which names the version. */
static void test_example_is_current(void **state) {
        const SettingProgram program = {
                .name = "mkosi", .version = "", .purpose = "", .table = &config_table
        };
        _cleanup_(freep) char *path = source_path("mkosi.default.example"), *shipped = NULL, *text = NULL;
        size_t size;
        FILE *file = open_memstream(&text, &size);

        assert_non_null(file);
        describe_example(&program, file);
        assert_int_equal(fclose(file), 0);
        assert_int_equal(file_read(AT_FDCWD, path, 1024 * 1024, &shipped, NULL), 0);
        assert_string_equal(strchr(shipped, '\n'), strchr(text, '\n'));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_every_row_is_whole),
                cmocka_unit_test(test_every_section_is_known),
                cmocka_unit_test(test_no_name_is_taken_twice),
                cmocka_unit_test(test_nothing_of_old_is_missing),
                cmocka_unit_test(test_only_the_password_is_secret),
                cmocka_unit_test(test_example_is_current),
        };

        return cmocka_run_group_tests(tests, fixture_setup, fixture_teardown);
}
