/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "client/ctl-table.h"

static const CtlColumn columns[] = {
        { "JOB", "job", true },
        { "UNIT", "unit", false },
        { "DESCRIPTION", "description", false },
};

static void fill(CtlTable *table) {
        static const char *const rows[][3] = {
                { "7", "a.service", "Größe" },
                { "1234", "longer.service", "\x1b[2Jred" },
        };

        *table = (CtlTable){ .columns = columns, .n_columns = ELEMENTSOF(columns) };
        for (size_t i = 0; i < ELEMENTSOF(rows); i++)
                assert_int_equal(ctl_table_add(table, rows[i]), 0);
        assert_int_equal(ctl_table_length(table), 2);
}

static void assert_printed(CtlTable *table, bool plain, bool json, const char *expected) {
        char *text = NULL;
        size_t size;

        FILE *const file = open_memstream(&text, &size);
        assert_non_null(file);
        if (json)
                ctl_table_print_json(table, file);
        else
                ctl_table_print(table, plain, file);
        assert_int_equal(fclose(file), 0);
        assert_string_equal(text, expected);
        free(text);
        ctl_table_done(table);
}

static void test_print(void **state) {
        CtlTable table;

        fill(&table);
        assert_printed(&table, false, false,
                       " JOB UNIT           DESCRIPTION\n"
                       "   7 a.service      Größe\n"
                       "1234 longer.service ?[2Jred\n");
        fill(&table);
        assert_printed(&table, true, false,
                       "   7 a.service      Größe\n"
                       "1234 longer.service ?[2Jred\n");
}

static void test_json(void **state) {
        CtlTable table;

        fill(&table);
        assert_printed(
                &table, false, true,
                "[\n\t{\n\t\t\"job\": 7,\n\t\t\"unit\": \"a.service\",\n\t\t\"description\": \"Größe\"\n\t},\n"
                "\t{\n\t\t\"job\": 1234,\n\t\t\"unit\": \"longer.service\",\n"
                "\t\t\"description\": \"\\u001b[2Jred\"\n\t}\n]\n");
}

static void test_empty(void **state) {
        CtlTable table = { .columns = columns, .n_columns = ELEMENTSOF(columns) };

        assert_printed(&table, false, false, "JOB UNIT DESCRIPTION\n");
        assert_printed(&table, true, false, "");
        assert_printed(&table, false, true, "[]\n");
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_print),
                cmocka_unit_test(test_json),
                cmocka_unit_test(test_empty),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
