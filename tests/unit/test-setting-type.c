/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/fd.h"
#include "failing-allocation.h"
#include "setting-table.h"

/* What a value reads back as, items joined by '|'; or the reason why it is refused. */
typedef struct Case {
        size_t offset;
        bool argument;
        const char *text, *printed, *reason;
} Case;

#define OF(member) offsetof(Example, member)
#define MANY10     "a b c d e f g h i j "
#define MANY100    MANY10 MANY10 MANY10 MANY10 MANY10 MANY10 MANY10 MANY10 MANY10 MANY10

/* clang-format off */
static const Case cases[] = {
        { OF(bootable), false, "yes",  "yes", NULL },
        { OF(bootable), false, "False", "no", NULL },
        { OF(bootable), false, "",     NULL,  "say \"yes\" or \"no\"" },
        { OF(bootable), false, "maybe", NULL, "say \"yes\" or \"no\"" },
        { OF(bootable), true,  NULL,   "yes", NULL },
        { OF(bootable), true,  "no",   "no",  NULL },
        { OF(bootable), true,  "2",    NULL,  "say \"yes\" or \"no\"" },
        { OF(with_tests), false, "yes", "yes", NULL }, /* only the option is inverted */
        { OF(with_tests), true, NULL,  "no",  NULL },
        { OF(with_tests), true, "no",  "yes", NULL },

        { OF(force), false, "0",   "0", NULL },
        { OF(force), false, "12",  "12", NULL },
        { OF(force), false, "-1",  NULL, "not a number" },
        { OF(force), false, "4294967296", NULL, "not a number" },
        { OF(force), true,  NULL,  "1", NULL },
        { OF(force), true,  "3",   "3", NULL },

        { OF(format), false, "squashfs", "squashfs", NULL },
        { OF(format), false, "raw_gpt",  "disk", NULL },
        { OF(format), false, "folder",   "directory", NULL },
        { OF(format), false, "Disk", NULL, "unknown format \"Disk\", did you mean \"disk\"? (possible: disk, squashfs, directory)" },
        { OF(format), false, "raw_gtp", NULL, "unknown format \"raw_gtp\", did you mean \"raw_gpt\"? (possible: disk, squashfs, directory)" },
        { OF(format), false, "", NULL, "unknown format \"\" (possible: disk, squashfs, directory)" },
        { OF(format), false, "etching", NULL, "unknown format \"etching\" (possible: disk, squashfs, directory)" },
        { OF(compress), false, "zstd", "zstd", NULL },
        { OF(compress), false, "", NULL, "unknown algorithm \"\" (possible: no, yes, zstd)" },

        { OF(level), false, "zstd", "zstd", NULL },
        { OF(level), false, "zstd:19", "zstd:19", NULL },
        { OF(level), false, "zstd:", NULL, "behind the colon of \"zstd:\" stands no level, a number from 1 on" },
        { OF(level), false, "zstd:0", NULL, "behind the colon of \"zstd:0\" stands no level, a number from 1 on" },
        { OF(level), false, "zstd:4294967296", NULL, "behind the colon of \"zstd:4294967296\" stands no level, a number from 1 on" },
        { OF(level), false, "zst:1", NULL, "unknown level \"zst\", did you mean \"zstd\"? (possible: no, yes, zstd)" },
        { OF(level), false, "", NULL, "unknown level \"\" (possible: no, yes, zstd)" },
        { OF(title), false, "a b", "a b", NULL },
        { OF(title), false, "",    "",    NULL },
        { OF(title), false, "50 % \\ \"", "50 % \\ \"", NULL },
        { OF(output), false, "a/b", "a/b", NULL },
        { OF(output), false, "",   NULL,  "an empty path" },

        { OF(root_size), false, "512",  "512",  NULL },
        { OF(root_size), false, "1k",   "1K",   NULL },
        { OF(root_size), false, "3G",   "3G",   NULL },
        { OF(root_size), false, "1300M", "1300M", NULL },
        { OF(root_size), false, "2t",   "2T",   NULL },
        { OF(root_size), false, "0",    NULL, "a size is more than 0" },
        { OF(root_size), false, "513",  NULL, "not a multiple of 512 bytes" },
        { OF(root_size), false, "3GB",  NULL, "say a number of bytes, or one with K, M, G or T behind it" },
        { OF(root_size), false, "1.5G", NULL, "say a number of bytes, or one with K, M, G or T behind it" },
        { OF(root_size), false, "99999999T", NULL, "say a number of bytes, or one with K, M, G or T behind it" },
        { OF(root_size), false, "",     NULL, "say a number of bytes, or one with K, M, G or T behind it" },

        { OF(packages), false, "a b,c\t,, d\n e", "a|b|c|d|e", NULL },
        { OF(packages), false, "a # b:c", "a|#|b:c", NULL },
        { OF(packages), false, " , ",   NULL, NULL },
        { OF(packages), true,  "a,b c", "a|b|c", NULL },
        { OF(trees), false, "a b,c",    "a|b|c", NULL },
        { OF(trees), true,  "a b,c",    "a b,c", NULL },
        { OF(trees), true,  "",         NULL, "an empty path" },
        { OF(search_path), false, "/a:/b /c,d", "/a|/b|/c,d", NULL },
        { OF(search_path), true,  "/a::/b", "/a|/b", NULL },
        { OF(tool), false, " mk -a  b,c ", "mk -a b,c", NULL },
        { OF(tool), false, " ",         NULL, "an empty command" },
};
/* clang-format on */

static int print_value(const Setting *setting, const void *member, char **ret) {
        _cleanup_(file_closep) FILE *stream = NULL;
        size_t size;
        char *text;

        stream = open_memstream(&text, &size);
        assert_non_null(stream);
        for (size_t i = 0; i < 100; i++) {
                char *item = NULL;
                FILE *one = open_memstream(&item, &size);
                const bool there = setting->type->print(setting, member, i, one);

                assert_int_equal(fclose(one), 0);
                if (there)
                        (void)fprintf(stream, "%s%s", i > 0 ? "|" : "", item);
                free(item);
                if (!there) {
                        assert_int_equal(fclose(TAKE_PTR(stream)), 0);
                        *ret = text;
                        return (int)i;
                }
        }
        fail();
        return -1;
}

static void test_parse(void **state) {
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(example_load_freep) ExampleLoad *load = NULL;
                const Setting *setting = setting_find(&example_table, cases[i].offset);
                _cleanup_(reason_done) Reason reason = {};
                _cleanup_(freep) char *printed = NULL;

                assert_int_equal(example_load_new(&load), 0);
                const int r = setting_assign(load->store, setting,
                                             &(const SettingValue){ .text = cases[i].text,
                                                                    .source = cases[i].argument
                                                                                      ? SETTING_COMMAND_LINE
                                                                                      : SETTING_FILE,
                                                                    .file = "x" },
                                             &reason);
                if (cases[i].reason) {
                        assert_int_equal(r, -EINVAL);
                        assert_string_equal(reason.text, cases[i].reason);
                        continue;
                }

                assert_int_equal(r, 0);
                const int n = print_value(setting, setting_member(load->store, setting), &printed);
                assert_string_equal(printed, cases[i].printed ?: "");
                assert_int_equal(n > 0, cases[i].printed != NULL);
        }
}

/* A number is said behind its option; there is none as long as nobody says it. */
static void test_number(void **state) {
        static const Setting setting = { .name = "Days", .type = &setting_type_number };
        static const char *const refused[] = { "", "0", "-1", "1.5", "2147483648", "99999999999999999999" };
        _cleanup_(freep) char *text = NULL;
        unsigned value = 0;
        size_t size;

        assert_false(setting.type->optional_value);
        FILE *file = open_memstream(&text, &size);
        assert_non_null(file);
        assert_false(setting.type->print(&setting, &value, 0, file));
        setting.type->print_json(&setting, &value, &(JsonWriter){ .file = file });
        assert_int_equal(setting.type->parse(&setting, "730", &value, NULL), 0);
        assert_int_equal(value, 730);
        assert_true(setting.type->print(&setting, &value, 0, file));
        assert_false(setting.type->print(&setting, &value, 1, file));
        assert_int_equal(fclose(file), 0);
        assert_non_null(strstr(text, "null"));
        assert_string_equal(text + strlen(text) - 3, "730");

        for (size_t i = 0; i < ELEMENTSOF(refused); i++) {
                _cleanup_(reason_done) Reason reason = {};

                assert_int_equal(setting.type->parse(&setting, refused[i], &value, &reason), -EINVAL);
                assert_string_equal(reason.text, "not a number from 1 on");
                assert_int_equal(value, 730);
        }
        setting.type->clear(&value);
        assert_int_equal(value, 0);
}

/* Where blanks alone separate, a comma is a part of the word. */
static void test_list_separators(void **state) {
        static const struct {
                const SettingType *type;
                const char *joined;
        } lists[] = {
                { &setting_type_list, "a|b|c|d" },
                { &setting_type_word_list, "a,b|c|d" },
        };

        for (size_t i = 0; i < ELEMENTSOF(lists); i++) {
                const Setting row = { .type = lists[i].type };
                _cleanup_(strv_freep) char **list = NULL;
                _cleanup_(freep) char *joined = NULL;

                assert_int_equal(row.type->parse(&row, " a,b\tc ", &list, NULL), 0);
                assert_int_equal(row.type->parse(&row, "d", &list, NULL), 0);
                assert_int_equal(strv_join(STRV(list), "|", &joined), 0);
                assert_string_equal(joined, lists[i].joined);
        }
}

/* A list that grows without end is refused, in one piece or in many. */
static void test_list_limit(void **state) {
        _cleanup_(example_load_freep) ExampleLoad *load = NULL;
        int r = 0;

        assert_int_equal(example_load_new(&load), 0);
        for (size_t i = 0; i < SETTING_LIST_ITEMS_MAX / 100; i++) {
                r = setting_type_list.parse(EXAMPLE_ROW(packages), MANY100, &load->example.packages, NULL);
                assert_int_equal(r, 0);
        }
        assert_int_equal(strv_length(STRV(load->example.packages)), SETTING_LIST_ITEMS_MAX);
        r = setting_type_list.parse(EXAMPLE_ROW(packages), "a", &load->example.packages, NULL);
        assert_int_equal(r, -EINVAL);
        r = setting_type_path_list.parse_argument(EXAMPLE_ROW(packages), "a", &load->example.packages, NULL);
        assert_int_equal(r, -EINVAL);
}

static void test_environment(void **state) {
        static const struct {
                bool argument;
                const char *text, *joined; /* NULL: refused */
        } lists[] = {
                { false, "A=b _C2 \"D=e, f\"", "A=b|_C2|D=e, f" },
                { true, "A=b \"c", "A=b \"c" },
                { false, "2A=b", NULL },
                { false, "=b", NULL },
                { false, "A-B=c", NULL },
                { false, "A=\"b", NULL },
                { true, "", NULL },
        };
        const Setting row = { .type = &setting_type_environment };

        for (size_t i = 0; i < ELEMENTSOF(lists); i++) {
                _cleanup_(strv_freep) char **list = NULL;
                _cleanup_(reason_done) Reason reason = {};
                _cleanup_(freep) char *joined = NULL;

                const int r = (lists[i].argument ? row.type->parse_argument
                                                 : row.type->parse)(&row, lists[i].text, &list, &reason);
                assert_int_equal(r, lists[i].joined ? 0 : -EINVAL);
                if (r < 0) {
                        assert_non_null(reason.text);
                        assert_null(list);
                        continue;
                }
                assert_int_equal(strv_join(STRV(list), "|", &joined), 0);
                assert_string_equal(joined, lists[i].joined);
        }
}

static int write_json(const Setting *setting, const void *member, char **ret) {
        size_t size;
        FILE *stream = open_memstream(ret, &size);
        JsonWriter writer = { .file = stream };

        json_begin_object(&writer, NULL);
        setting->type->print_json(setting, member, &writer);
        json_end_object(&writer);
        return fclose(stream);
}

static void test_json(void **state) {
        static const struct {
                size_t offset;
                const char *value, *json;
        } values[] = {
                { OF(bootable), "yes", "true" },
                { OF(bootable), NULL, "false" },
                { OF(force), "3", "3" },
                { OF(format), "directory", "\"directory\"" },
                { OF(compress), NULL, "null" },
                { OF(title), NULL, "null" },
                { OF(title), "a\"", "\"a\\\"\"" },
                { OF(root_size), NULL, "null" },
                { OF(root_size), "1K", "1024" },
                { OF(packages), NULL, "[]" },
                { OF(packages), "a b", "[\n\t\t\"a\",\n\t\t\"b\"\n\t]" },
                { OF(tool), "a b", "[\n\t\t\"a\",\n\t\t\"b\"\n\t]" },
        };

        for (size_t i = 0; i < ELEMENTSOF(values); i++) {
                _cleanup_(example_load_freep) ExampleLoad *load = NULL;
                const Setting *setting = setting_find(&example_table, values[i].offset);
                _cleanup_(freep) char *json = NULL, *expected = NULL;

                assert_int_equal(example_load_new(&load), 0);
                void *member = setting_member(load->store, setting);
                if (values[i].value)
                        assert_int_equal(setting->type->parse(setting, values[i].value, member, NULL), 0);
                assert_int_equal(write_json(setting, member, &json), 0);
                assert_int_equal(text_format(&expected, "{\n\t\"value\": %s\n}\n", values[i].json), 0);
                assert_string_equal(json, expected);
        }
}

static int parse_all(void) {
        _cleanup_(example_load_freep) ExampleLoad *load = NULL;

        int r = example_load_new(&load);
        for (size_t i = 0; i < ELEMENTSOF(cases) && r >= 0; i++) {
                const Setting *setting = setting_find(&example_table, cases[i].offset);
                _cleanup_(reason_done) Reason reason = {};

                if (cases[i].argument)
                        continue;
                r = setting->type->parse(setting, cases[i].text, setting_member(load->store, setting),
                                         &reason);
                if (cases[i].reason && r != -ENOMEM) {
                        assert_int_equal(r, -EINVAL);
                        r = 0;
                }
        }
        return r;
}

static void test_out_of_memory(void **state) {
        assert_true(fail_every_allocation(parse_all) > 50);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_parse),
                cmocka_unit_test(test_number),
                cmocka_unit_test(test_list_separators),
                cmocka_unit_test(test_list_limit),
                cmocka_unit_test(test_json),
                cmocka_unit_test(test_out_of_memory),
                cmocka_unit_test(test_environment),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
