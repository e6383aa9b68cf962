/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/fd.h"
#include "failing-allocation.h"
#include "setting-table.h"
#include "temporary-directory.h"

static ExampleLoad *load_text(const char *text) {
        ExampleLoad *load = NULL;

        assert_int_equal(example_load_new(&load), 0);
        assert_int_equal(example_load_text(load, "f", text), 0);
        return load;
}

/* Packages= as items joined by '|', whatever syntax they come in. */
static void test_list_syntax(void **state) {
        static const struct {
                const char *text, *items;
        } cases[] = {
                { "[Content]\nPackages=a b\n", "a|b" },
                { "[Content]\nPackages=a b", "a|b" },
                { "[Content]\nPackages = a,b\n", "a|b" },
                { "[Content]\n\t Packages\t=\ta b \t\n", "a|b" },
                { " [ Content ] \nPackages=a\n", "a" },
                { "\xef\xbb\xbf[Content]\r\nPackages=a\r\n  b\r\n\r\n", "a|b" },
                { "[Content]\nPackages=a\n        b\n  c\n\td\n", "a|b|c|d" },
                { "[Content]\nPackages=\n  a\n\n\n  b\n", "a|b" },
                { "[Content]\nPackages=\n  a\n# one\n  ; two\n      # three\n  b\n", "a|b" },
                { "  [Content]\n  Packages=\n    a\n    b\n  Title2=c\n", "a|b" },
                { "[Content]\nPackages=a # b ; c\n", "a|#|b|;|c" },
                { "[Content]\nPackages=a=b\n", "a=b" },
                { "[Content]\nPackages=a\n  [x]\n", "a|[x]" },
                { "[Content]\nPackages=a\nPackages=b\n[Output]\nTitle=x\n[Content]\nPackages=c\n", "a|b|c" },
                { "[Content]\nPackages=100% %s %(a)s\n", "100%|%s|%(a)s" },
                { "[Content]\nPackages=\n", "" },
                { "; nothing\n\n \t \n#", "" },
                { "", "" },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(example_load_freep) ExampleLoad *load = load_text(cases[i].text);
                _cleanup_(freep) char *items = NULL;

                assert_int_equal(strv_join(STRV(load->example.packages), "|", &items), 0);
                assert_string_equal(items, cases[i].items);
                /* The one wrong key that stands where the value of the list ends. */
                assert_int_equal(strv_length(STRV(load->mistakes.texts)),
                                 strstr(cases[i].text, "Title2") != NULL);
        }
}

static void test_text_syntax(void **state) {
        static const struct {
                const char *text, *title;
        } cases[] = {
                { "[Output]\nTitle=  a  b  \n", "a  b" },
                { "[Output]\nTitle=a\n   b\n\n   # c\n   d\n", "a b d" },
                { "[Output]\nTitle=\n   a\n", "a" },
                { "[Output]\nTitle=\n", "" },
                { "[Output]\nCaption=a=\"b\"\n", "a=\"b\"" },
                { "[Output]\n", NULL },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(example_load_freep) ExampleLoad *load = load_text(cases[i].text);

                assert_null(load->mistakes.texts);
                if (cases[i].title)
                        assert_string_equal(load->example.title, cases[i].title);
                else
                        assert_null(load->example.title);
        }
}

static void test_mistakes(void **state) {
        static const struct {
                const char *text, *mistake;
        } cases[] = {
                { "[Content]\n\nPakages=a\n",
                  "f:3: Unknown setting \"Pakages\" in [Content], did you mean \"Packages\"?" },
                { "[Output]\nformat=disk\n",
                  "f:2: Unknown setting \"format\" in [Output], did you mean \"Format\"?" },
                { "[Output]\nRootSize=1G\n",
                  "f:2: Setting \"RootSize\" belongs in [Partitions], not in [Output]" },
                { "[Content]\nCaption=x\n",
                  "f:2: Setting \"Caption\" belongs in [Output], not in [Content]" },
                { "[Output]\nRotSize=1G\n",
                  "f:2: Unknown setting \"RotSize\" in [Output], did you mean \"RootSize\" in [Partitions]?" },
                { "[Output]\nZebra=1\n   x\n", "f:2: Unknown setting \"Zebra\" in [Output]" },
                { "[Partitons]\nRootSize=1G\nFoo=1\n  x\n",
                  "f:1: Unknown section [Partitons], did you mean [Partitions]?" },
                { "[Zebra]\n", "f:1: Unknown section [Zebra]" },
                { "[Output\n", "f:1: Not a section, which is written \"[Name]\": \"[Output\"" },
                { "[Output] # x\n", "f:1: Not a section, which is written \"[Name]\": \"[Output] # x\"" },
                { "Format=disk\nTitle=x\n", "f:1: Text before the first [Section]" },
                { "[Output]\nFormat\n  disk\n",
                  "f:2: Neither a [Section] nor a Key=value, nor indented to continue one: \"Format\"" },
                { "[Output]\n=disk\n",
                  "f:2: Neither a [Section] nor a Key=value, nor indented to continue one: \"=disk\"" },
                { "[Output]\nFormat=dsik\n",
                  "f:2: Format=dsik: unknown format \"dsik\", did you mean \"disk\"? (possible: disk, squashfs, directory)" },
                { "[Output]\nTitle=x\nBootable=\n  may\n  be\n",
                  "f:3: Bootable=may be: say \"yes\" or \"no\"" },
                { "[Output]\nOutput=\n", "f:2: Output=: an empty path" },
                { "[Output]\nTitle=\033[1m\nFormat=\033\n",
                  "f:3: Format=?: unknown format \"?\" (possible: disk, squashfs, directory)" },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(example_load_freep) ExampleLoad *load = load_text(cases[i].text);

                assert_non_null(load->mistakes.texts);
                assert_string_equal(load->mistakes.texts[0], cases[i].mistake);
                assert_null(load->mistakes.texts[1]);
        }
}

/* All mistakes are told in one go, and what is right is read all the same. */
static void test_all_mistakes(void **state) {
        _cleanup_(example_load_freep) ExampleLoad *load =
                load_text("[Output]\nFormat=x\nFoo=1\nTitle=a\n[Nowhere]\nx=1\n[Content]\nPackages=b\nbad\n");

        assert_int_equal(strv_length(STRV(load->mistakes.texts)), 4);
        assert_string_equal(load->example.title, "a");
        assert_string_equal(load->example.packages[0], "b");
}

static void test_warnings(void **state) {
        static const struct {
                const char *text, *warning;
        } cases[] = {
                { "[Output]\nTitle=a\n\nTitle=b\n", "f:4: Setting \"Title\" replaces what line 2 says" },
                { "[Output]\nTitle=a\n  Bootable=yes\n",
                  "f:3: \"Bootable=yes\" is indented deeper than \"Title\" in line 2, and so continues it" },
                { "[Output]\nTitle=a\n\n  [Content]\n",
                  "f:4: \"[Content]\" is indented deeper than \"Title\" in line 2, and so continues it" },
                { "[Output]\nTitle=a\n  root=b\n  [x]\n", NULL },
                { "[Content]\nPackages=a\nPackages=b\n", NULL },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(example_load_freep) ExampleLoad *load = load_text(cases[i].text);

                assert_null(load->mistakes.texts);
                if (cases[i].warning)
                        assert_string_equal(load->mistakes.warnings[0], cases[i].warning);
                else
                        assert_null(load->mistakes.warnings);
        }
}

static void test_nul_byte(void **state) {
        static const char text[] = "[Output]\nTitle=a\nOutput=b\0c\n";
        _cleanup_(example_load_freep) ExampleLoad *load = NULL;

        assert_int_equal(example_load_new(&load), 0);
        assert_int_equal(setting_load_text(load->store, "f", text, sizeof(text) - 1, &load->mistakes), 0);
        assert_string_equal(load->mistakes.texts[0], "f:3: A NUL byte: this is not a text file");
        assert_null(load->example.output);
}

/* A secret stands in no message. */
static void test_secret(void **state) {
        Setting row = *EXAMPLE_ROW(output);
        const SettingTable table = {
                .sections = example_sections, .n_sections = 1, .rows = &row, .n_rows = 1
        };
        Example example = {}; /* the store clears it when it is freed, so it has to last longer */
        _cleanup_(setting_mistakes_done) SettingMistakes mistakes = {};
        _cleanup_(setting_store_freep) SettingStore *store = NULL;

        row.type = &setting_type_size;
        row.offset = offsetof(Example, root_size);
        row.flags = SETTING_SECRET;
        assert_int_equal(setting_store_new(&table, &example, &store), 0);
        assert_int_equal(setting_load_text(store, "f", "[Output]\nOutput=geheim", 22, &mistakes), 0);
        assert_null(strstr(mistakes.texts[0], "geheim"));
        assert_non_null(strstr(mistakes.texts[0], "f:2: Output=…: "));
}

/* Later files add to lists or replace them, and replace everything else without a warning. */
static void test_several_files(void **state) {
        _cleanup_(example_load_freep) ExampleLoad *load = NULL;

        assert_int_equal(example_load_new(&load), 0);
        assert_int_equal(
                example_load_words(load, "--package a --repositories r --boot-protocols uefi -t folder"), 0);
        assert_int_equal(example_load_text(load, "1",
                                           "[Content]\nPackages=b\nRepositories=s\n[Output]\nFormat=disk\n"
                                           "BootProtocols=bios\nTitle=one\n"),
                         0);
        assert_int_equal(example_load_text(load, "2",
                                           "[Content]\nPackages=c\nRepositories=t\nRepositories=u\n"
                                           "[Output]\nTitle=two\nBootable=yes\n"),
                         0);
        assert_null(load->mistakes.texts);
        assert_null(load->mistakes.warnings);

        assert_true(strv_equal(STRV(load->example.packages), (const char *const[]){ "a", "b", "c", NULL }));
        assert_true(
                strv_equal(STRV(load->example.repositories), (const char *const[]){ "r", "t", "u", NULL }));
        assert_true(strv_equal(STRV(load->example.protocols), (const char *const[]){ "uefi", NULL }));
        assert_string_equal(load->example.title, "two");
        assert_int_equal(load->example.format, 2);
        assert_true(load->example.bootable);

        const SettingOrigins *origins = setting_origins(load->store, EXAMPLE_ROW(packages));
        assert_int_equal(origins->n_items, 3);
        assert_string_equal(origins->items[2].file, "2");
        assert_int_equal(origins->items[2].line, 2);
}

/* No input, however large, takes long or fills the memory. */
static void test_limits(void **state) {
        static const char *const lines[] = { "Foo=1\n",       "Packages=a\n", "Packages=\n",
                                             "Format=disk\n", "a\n",          " a\n" };
        _cleanup_(freep) char *text = malloc(SETTING_FILE_SIZE_MAX + 2);

        for (size_t i = 0; i < ELEMENTSOF(lines); i++) {
                _cleanup_(example_load_freep) ExampleLoad *load = NULL;
                char *end = stpcpy(text, i == 5 ? "[Content]\nPackages=\n" : "[Content]\n");

                while (end + strlen(lines[i]) < text + SETTING_FILE_SIZE_MAX)
                        end = stpcpy(end, lines[i]);
                load = load_text(text);
                assert_true(strv_length(STRV(load->mistakes.texts)) <= SETTING_MISTAKES_MAX + 1);
                assert_true(strv_length(STRV(load->example.packages)) <= SETTING_LIST_ITEMS_MAX);
        }

        _cleanup_(example_load_freep) ExampleLoad *load = NULL;
        memset(text, '#', SETTING_FILE_SIZE_MAX + 1);
        text[SETTING_FILE_SIZE_MAX + 1] = '\0';
        load = load_text(text);
        assert_string_equal(load->mistakes.texts[0],
                            "f: Larger than 1048576 bytes: this is not a settings file");
}

static void test_load_file(void **state) {
        _cleanup_(example_load_freep) ExampleLoad *load = NULL;
        _cleanup_(freep) char *text = calloc(1, SETTING_FILE_SIZE_MAX + 2);

        assert_int_equal(example_load_new(&load), 0);
        assert_int_equal(setting_load_file(load->store, "absent", &load->mistakes), -ENOENT);
        assert_int_equal(setting_load_file(load->store, ".", &load->mistakes), -EISDIR);
        assert_null(load->mistakes.texts);

        assert_int_equal(file_write_text(AT_FDCWD, "settings", "[Output]\nTitle=a\nx\n", 0644), 0);
        assert_int_equal(setting_load_file(load->store, "settings", &load->mistakes), 0);
        assert_string_equal(load->example.title, "a");
        assert_non_null(text_after_prefix(load->mistakes.texts[0], "settings:3: "));

        memset(text, '\n', SETTING_FILE_SIZE_MAX + 1);
        assert_int_equal(file_write_text(AT_FDCWD, "large", text, 0644), 0);
        assert_int_equal(setting_load_file(load->store, "large", &load->mistakes), 0);
        assert_non_null(text_after_prefix(load->mistakes.texts[1], "large: Larger than"));
}

static int load_unit(ExampleLoad **ret, SettingTable *table, const char *text, size_t size) {
        ExampleLoad *load = NULL;

        *table = example_table;
        table->dialect = SETTING_DIALECT_UNIT;
        assert_int_equal(example_load_new(&load), 0);
        load->store->table = table;
        *ret = load;
        return setting_load_text(load->store, "f", text, size, &load->mistakes);
}

/* Of unit files: the value of Title=, and the only message there is. */
static void test_unit_syntax(void **state) {
        static const struct {
                const char *text, *title, *warning;
        } cases[] = {
                { "[Output]\nTitle=  a  b  \n", "a  b", NULL },
                { "[Output]\n  Title = a\n\tPassword=b\n", "a", NULL },
                { "[Output]\r\nTitle=a\\\r\nb\r\n", "a b", NULL },
                { "[Output]\nTitle=a\\\nb", "a b", NULL },
                { "[Output]\nTitle='a  \\\n  b'", "'a     b'", NULL },
                { "[Output]\nTitle=a\\\n# one\n  ; two \\\nb\\\nc\n", "a b c", NULL },
                { "[Output]\nTitle=a\\\n\nb=c\n", "a", "f:4: Unknown setting \"b\" in [Output]" },
                { "[Output]\nTitle=a\\\\\nPassword=b\n", "a\\\\", NULL },
                { "[Output]\nTitle=a\\\\\\\nb\n", "a\\\\ b", NULL },
                { "[Output]\nTitle=a\\ \nPassword=b\n", "a\\", NULL },
                { "[Output]\nTitle=a\\\n[Content]\n", "a [Content]", NULL },
                { "[Output]\nTitle=a\\", "a", NULL },
                { "[Output]\nPassword=x\n \\\nTitle=a\n", "a", NULL },
                { "[Output]\nTitle=a\nTitle=b\n", "b", NULL },
                { "[Output]\nTitle=a\nTitle=\n", NULL, NULL },
                { "[Output]\nTitle=a\nTitle= \\\n \n", NULL, NULL },
                { "[Output]\nX-Foo=1\nTitle=a\n[X-Foo]\nBar=1\nTitle=b\n", "a", NULL },
                { "[Output]\nTitel=1\\\n2\nTitle=a\n", "a",
                  "f:2: Unknown setting \"Titel\" in [Output], did you mean \"Title\"?" },
                { "[Ouput]\nTitle=b\n[Output]\nTitle=a\n", "a",
                  "f:1: Unknown section [Ouput], did you mean [Output]?" },
                { "Title=b\n[Output]\nTitle=a\n", "a", "f:1: Text before the first [Section]" },
                { "[Output]\nTitle\nTitle=a\n", "a", "f:2: Neither a [Section] nor a Key=value: \"Title\"" },
                { "[Output]\nTitle=a\n\nBootable=\\\nperhaps\n", "a",
                  "f:4: Bootable=perhaps: say \"yes\" or \"no\"" },
        };
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(example_load_freep) ExampleLoad *load = NULL;
                SettingTable table;

                assert_int_equal(load_unit(&load, &table, cases[i].text, strlen(cases[i].text)), 0);
                assert_null(load->mistakes.texts);
                assert_int_equal(strv_length(STRV(load->mistakes.warnings)), cases[i].warning != NULL);
                if (cases[i].warning)
                        assert_string_equal(load->mistakes.warnings[0], cases[i].warning);
                if (cases[i].title)
                        assert_string_equal(load->example.title, cases[i].title);
                else
                        assert_null(load->example.title);
                load->store->table = &example_table;
        }
}

/* What follows a broken section might be anything. */
static void test_unit_refused(void **state) {
        static const struct {
                const char *text, *mistake;
        } cases[] = {
                { "[Output]\nTitle=a\n[Output\nTitle=b\n",
                  "f:3: Not a section, which is written \"[Name]\": \"[Output\"" },
                { "[Output]\nTitle=a\n[Output] # x\nTitle=b\n",
                  "f:3: Not a section, which is written \"[Name]\": \"[Output] # x\"" },
        };
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(example_load_freep) ExampleLoad *load = NULL;
                SettingTable table;

                assert_int_equal(load_unit(&load, &table, cases[i].text, strlen(cases[i].text)), 0);
                assert_int_equal(strv_length(STRV(load->mistakes.texts)), 1);
                assert_string_equal(load->mistakes.texts[0], cases[i].mistake);
                assert_null(load->mistakes.warnings);
                assert_string_equal(load->example.title, "a");
                load->store->table = &example_table;
        }
}

/* An empty value takes back what was said in files. */
static void test_unit_lists(void **state) {
        static const char text[] = "[Content]\nPackages=a\nPackages=b c\nPackages=\nPackages=d\n"
                                   "Repositories=x\nRepositories=\nRepositories=\n";
        _cleanup_(example_load_freep) ExampleLoad *load = NULL;
        SettingTable table;

        assert_int_equal(load_unit(&load, &table, text, strlen(text)), 0);
        assert_true(strv_equal(STRV(load->example.packages), (const char *const[]){ "d", NULL }));
        assert_int_equal(setting_origins(load->store, EXAMPLE_ROW(packages))->items[0].line, 5);
        assert_int_equal(strv_length(STRV(load->example.repositories)), 0);
        load->store->table = &example_table;
}

/* What must not be passed over is a mistake, whoever wrote it. */
static void test_unit_strict(void **state) {
        Setting rows[ELEMENTSOF(example_rows)];
        SettingTable table = example_table;
        _cleanup_(setting_mistakes_done) SettingMistakes mistakes = {};
        static const char text[] = "[Output]\nBootable=perhaps\nFormat=x\nTitle=a\0b\nOutput=c\n";
        Example example = {};
        _cleanup_(setting_store_freep) SettingStore *store = NULL;

        memcpy(rows, example_rows, sizeof(rows));
        for (size_t i = 0; i < ELEMENTSOF(rows); i++)
                if (rows[i].name && text_equal(rows[i].name, "Bootable"))
                        rows[i].flags |= SETTING_STRICT;
        table.dialect = SETTING_DIALECT_UNIT;
        table.rows = rows;
        assert_int_equal(setting_store_new(&table, &example, &store), 0);
        assert_int_equal(setting_load_text(store, "f", text, sizeof(text) - 1, &mistakes), 0);
        assert_int_equal(strv_length(STRV(mistakes.texts)), 2);
        assert_string_equal(mistakes.texts[0], "f:2: Bootable=perhaps: say \"yes\" or \"no\"");
        assert_string_equal(mistakes.texts[1], "f:4: A NUL byte: this is not a text file");
        assert_int_equal(strv_length(STRV(mistakes.warnings)), 1);
        assert_null(example.output);
}

static int load_all(void) {
        _cleanup_(example_load_freep) ExampleLoad *load = NULL;

        const int r = example_load_new(&load);
        if (r < 0)
                return r;
        return example_load_text(
                load, "f",
                "[Output]\nTitle=a\nTitle=b\n  Format=c\nFormat=x\nFoo=1\nRootSize=1\nFormt=1\n"
                "[Contnt]\n[Content]\nPackages=a\n  b c\n[Content\nx\nTool=a b\n");
}

static void test_out_of_memory(void **state) {
        assert_true(fail_every_allocation(load_all) > 30);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_list_syntax),   cmocka_unit_test(test_text_syntax),
                cmocka_unit_test(test_mistakes),      cmocka_unit_test(test_all_mistakes),
                cmocka_unit_test(test_warnings),      cmocka_unit_test(test_nul_byte),
                cmocka_unit_test(test_secret),        cmocka_unit_test(test_several_files),
                cmocka_unit_test(test_limits),        unit_test_in_directory(test_load_file),
                cmocka_unit_test(test_unit_syntax),   cmocka_unit_test(test_unit_refused),
                cmocka_unit_test(test_unit_lists),    cmocka_unit_test(test_unit_strict),
                cmocka_unit_test(test_out_of_memory),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
