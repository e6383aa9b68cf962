/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "failing-allocation.h"
#include "setting-table.h"

static int assign(ExampleLoad *load, const Setting *setting, SettingSource source, const char *text) {
        return setting_assign(
                load->store, setting,
                &(const SettingValue){ .text = text, .source = source, .file = "file", .line = 7 }, NULL);
}

static ExampleLoad *new_load(void) {
        ExampleLoad *load = NULL;

        assert_int_equal(example_load_new(&load), 0);
        return load;
}

static void test_find(void **state) {
        for (size_t i = 0; i < example_table.n_rows; i++)
                assert_ptr_equal(setting_find(&example_table, example_rows[i].offset), &example_rows[i]);
}

/* The command line beats files, files beat what the program filled in, and a loser changes nothing. */
static void test_scalar_precedence(void **state) {
        _cleanup_(example_load_freep) ExampleLoad *load = new_load();
        const Setting *title = EXAMPLE_ROW(title);

        assert_int_equal(setting_source(load->store, title), SETTING_UNSET);
        assert_int_equal(text_copy("derived", &load->example.title), 0);
        assert_int_equal(setting_note_origin(load->store, title, SETTING_DERIVED, "Format="), 0);
        assert_int_equal(setting_source(load->store, title), SETTING_DERIVED);

        assert_int_equal(assign(load, title, SETTING_FILE, "file"), 0);
        assert_string_equal(load->example.title, "file");
        assert_int_equal(assign(load, title, SETTING_FILE, "later file"), 0);
        assert_string_equal(load->example.title, "later file");
        assert_int_equal(assign(load, title, SETTING_COMMAND_LINE, "option"), 0);
        assert_int_equal(assign(load, title, SETTING_FILE, "too late"), 0);
        assert_string_equal(load->example.title, "option");
        assert_int_equal(assign(load, title, SETTING_COMMAND_LINE, "second option"), 0);
        assert_string_equal(load->example.title, "second option");
        assert_int_equal(setting_source(load->store, title), SETTING_COMMAND_LINE);
        assert_int_equal(setting_origins(load->store, title)->n_items, 1);
}

/* An explicit no beats a yes of less rank, and a bad value is refused even where it would lose. */
static void test_bool_and_losers(void **state) {
        _cleanup_(example_load_freep) ExampleLoad *load = new_load();

        assert_int_equal(assign(load, EXAMPLE_ROW(bootable), SETTING_COMMAND_LINE, "no"), 0);
        assert_int_equal(assign(load, EXAMPLE_ROW(bootable), SETTING_FILE, "yes"), 0);
        assert_false(load->example.bootable);
        assert_int_equal(assign(load, EXAMPLE_ROW(bootable), SETTING_FILE, "perhaps"), -EINVAL);

        assert_int_equal(assign(load, EXAMPLE_ROW(format), SETTING_COMMAND_LINE, "directory"), 0);
        assert_int_equal(assign(load, EXAMPLE_ROW(format), SETTING_FILE, "nonsense"), -EINVAL);
        assert_int_equal(load->example.format, 2);
}

static void test_count(void **state) {
        _cleanup_(example_load_freep) ExampleLoad *load = new_load();
        const Setting *force = EXAMPLE_ROW(force);

        assert_int_equal(assign(load, force, SETTING_FILE, "5"), 0);
        assert_int_equal(load->example.force, 5);
        assert_int_equal(assign(load, force, SETTING_COMMAND_LINE, NULL), 0);
        assert_int_equal(assign(load, force, SETTING_COMMAND_LINE, NULL), 0);
        assert_int_equal(load->example.force, 2);
}

static void check_list(char **list, const char *const *expected) {
        assert_true(strv_equal(STRV(list), expected));
}
#define CHECK_LIST(list, ...) check_list(list, (const char *const[]){ __VA_ARGS__, NULL })

static void test_list_precedence(void **state) {
        _cleanup_(example_load_freep) ExampleLoad *load = new_load();
        const Setting *packages = EXAMPLE_ROW(packages);

        assert_int_equal(strv_append(&load->example.packages, "default"), 0);
        assert_int_equal(setting_note_origin(load->store, packages, SETTING_DEFAULT, NULL), 0);
        assert_int_equal(assign(load, packages, SETTING_COMMAND_LINE, "a,b"), 0);
        assert_int_equal(assign(load, packages, SETTING_FILE, "c"), 0);
        assert_int_equal(assign(load, packages, SETTING_FILE, ""), 0);
        CHECK_LIST(load->example.packages, "a", "b", "c");

        const SettingOrigins *origins = setting_origins(load->store, packages);
        assert_int_equal(origins->n_items, 2);
        assert_int_equal(origins->items[0].source, SETTING_COMMAND_LINE);
        assert_int_equal(origins->items[0].n_items, 2);
        assert_int_equal(origins->items[1].n_items, 1);

        assert_int_equal(strv_append(&load->example.packages, "found"), 0);
        assert_int_equal(setting_note_addition(load->store, packages, SETTING_DISCOVERED, "extra"), 0);
        assert_int_equal(origins->n_items, 3);
        assert_int_equal(origins->items[2].source, SETTING_DISCOVERED);
        assert_int_equal(origins->items[2].n_items, 1);
        assert_int_equal(setting_source(load->store, packages), SETTING_COMMAND_LINE);
}

static void test_list_replaces(void **state) {
        _cleanup_(example_load_freep) ExampleLoad *load = new_load();
        const Setting *repositories = EXAMPLE_ROW(repositories), *protocols = EXAMPLE_ROW(protocols);
        const SettingValue later = {
                .text = "d e", .source = SETTING_FILE, .file = "later", .replaces = true
        };

        assert_int_equal(assign(load, repositories, SETTING_COMMAND_LINE, "a"), 0);
        assert_int_equal(assign(load, repositories, SETTING_FILE, "b c"), 0);
        assert_int_equal(setting_assign(load->store, repositories, &later, NULL), 0);
        CHECK_LIST(load->example.repositories, "a", "d", "e");
        assert_int_equal(setting_origins(load->store, repositories)->n_items, 2);

        assert_int_equal(assign(load, protocols, SETTING_COMMAND_LINE, "uefi"), 0);
        assert_int_equal(assign(load, protocols, SETTING_FILE, "bios"), 0);
        CHECK_LIST(load->example.protocols, "uefi");
}

/* An empty list is an answer too: its origin is kept, and replaces that of earlier files. */
static void test_empty_list(void **state) {
        _cleanup_(example_load_freep) ExampleLoad *load = new_load();
        const Setting *repositories = EXAMPLE_ROW(repositories);
        const SettingValue empty = { .text = " ", .source = SETTING_FILE, .file = "later", .replaces = true };

        assert_int_equal(assign(load, repositories, SETTING_FILE, "b c"), 0);
        assert_int_equal(setting_assign(load->store, repositories, &empty, NULL), 0);
        assert_int_equal(strv_length(STRV(load->example.repositories)), 0);
        assert_int_equal(setting_source(load->store, repositories), SETTING_FILE);
        assert_string_equal(setting_origins(load->store, repositories)->items[0].file, "later");
}

/* What files said is taken back, what arguments said stays. */
static void test_reset(void **state) {
        _cleanup_(example_load_freep) ExampleLoad *load = NULL;

        assert_int_equal(example_load_new(&load), 0);
        assert_int_equal(example_load_words(load, "--package a --title t"), 0);
        assert_int_equal(
                example_load_text(load, "f",
                                  "[Content]\nPackages=b c\nRepositories=r\n[Output]\nTitle=x\nOutput=o\n"),
                0);
        setting_reset(load->store, EXAMPLE_ROW(packages));
        setting_reset(load->store, EXAMPLE_ROW(repositories));
        setting_reset(load->store, EXAMPLE_ROW(title));
        setting_reset(load->store, EXAMPLE_ROW(output));
        setting_reset(load->store, EXAMPLE_ROW(trees));
        assert_true(strv_equal(STRV(load->example.packages), (const char *const[]){ "a", NULL }));
        assert_int_equal(setting_origins(load->store, EXAMPLE_ROW(packages))->n_items, 1);
        assert_int_equal(strv_length(STRV(load->example.repositories)), 0);
        assert_int_equal(setting_source(load->store, EXAMPLE_ROW(repositories)), SETTING_UNSET);
        assert_string_equal(load->example.title, "t");
        assert_null(load->example.output);
        assert_int_equal(setting_source(load->store, EXAMPLE_ROW(output)), SETTING_UNSET);

        assert_int_equal(example_load_text(load, "g", "[Content]\nPackages=d\n[Output]\nOutput=p\n"), 0);
        assert_true(strv_equal(STRV(load->example.packages), (const char *const[]){ "a", "d", NULL }));
        assert_string_equal(load->example.output, "p");
}

static void test_origin_format(void **state) {
        static const struct {
                SettingOrigin origin;
                const char *text;
        } cases[] = {
                { { SETTING_UNSET, NULL, 0, 0 }, "not set" },
                { { SETTING_DEFAULT, NULL, 0, 0 }, "default" },
                { { SETTING_DERIVED, (char *)"Distribution=", 0, 0 }, "derived from Distribution=" },
                { { SETTING_DISCOVERED, (char *)"mkosi.extra", 0, 0 }, "mkosi.extra" },
                { { SETTING_FILE, (char *)"mkosi.default", 12, 0 }, "mkosi.default:12" },
                { { SETTING_COMMAND_LINE, (char *)"--format", 0, 0 }, "command line, --format" },
                { { SETTING_FILE, (char *)"a.d/x\n\033[2Jy", 1, 0 }, "a.d/x??[2Jy:1" },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(freep) char *text = NULL;

                assert_int_equal(setting_origin_format(&cases[i].origin, &text), 0);
                assert_string_equal(text, cases[i].text);
        }
}

static void test_mistakes(void **state) {
        _cleanup_(setting_mistakes_done) SettingMistakes mistakes = {};
        _cleanup_(freep) char *long_text = calloc(1, 100001);

        assert_int_equal(setting_warning(&mistakes, "a %s", "\033[31mred\n\x7f"), 0);
        assert_string_equal(mistakes.warnings[0], "a ?[31mred??");
        assert_null(mistakes.texts);

        memset(long_text, 'x', 100000);
        for (size_t i = 0; i < 2 * SETTING_MISTAKES_MAX; i++)
                assert_int_equal(setting_mistake(&mistakes, "%zu: %s", i, long_text), 0);
        assert_int_equal(strv_length(STRV(mistakes.texts)), SETTING_MISTAKES_MAX + 1);
        assert_true(strlen(mistakes.texts[0]) < 10000);
        assert_string_equal(mistakes.texts[SETTING_MISTAKES_MAX], "And more, which are not shown");
}

static int assign_all(void) {
        _cleanup_(example_load_freep) ExampleLoad *load = NULL;

        int r = example_load_new(&load);
        if (r >= 0)
                r = assign(load, EXAMPLE_ROW(title), SETTING_COMMAND_LINE, "a");
        if (r >= 0)
                r = assign(load, EXAMPLE_ROW(title), SETTING_FILE, "b");
        if (r >= 0)
                r = assign(load, EXAMPLE_ROW(packages), SETTING_COMMAND_LINE, "a b");
        if (r >= 0)
                r = assign(load, EXAMPLE_ROW(packages), SETTING_FILE, "c");
        if (r >= 0)
                r = setting_note_addition(load->store, EXAMPLE_ROW(packages), SETTING_DISCOVERED, "x");
        if (r >= 0)
                r = setting_note_origin(load->store, EXAMPLE_ROW(force), SETTING_DERIVED, "x");
        if (r >= 0)
                r = setting_mistake(&load->mistakes, "%s", "a");
        return r;
}

static void test_out_of_memory(void **state) {
        assert_true(fail_every_allocation(assign_all) > 10);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_find),
                cmocka_unit_test(test_scalar_precedence),
                cmocka_unit_test(test_bool_and_losers),
                cmocka_unit_test(test_count),
                cmocka_unit_test(test_list_precedence),
                cmocka_unit_test(test_list_replaces),
                cmocka_unit_test(test_empty_list),
                cmocka_unit_test(test_reset),
                cmocka_unit_test(test_origin_format),
                cmocka_unit_test(test_mistakes),
                cmocka_unit_test(test_out_of_memory),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
