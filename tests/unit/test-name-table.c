/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/name-table.h"

#define N_OBJECTS 5000

typedef struct Object {
        NameEntry entry;
        char name[16];
} Object;

static Object objects[N_OBJECTS];

static void fill(NameTable *table) {
        for (size_t i = 0; i < N_OBJECTS; i++) {
                (void)snprintf(objects[i].name, sizeof(objects[i].name), "unit-%05zu", i);
                assert_int_equal(name_table_add(table, &objects[i].entry, objects[i].name, &objects[i]), 0);
        }
}

static void test_find(void **state) {
        NameTable table = {};

        assert_null(name_table_find(&table, "unit-00000"));
        fill(&table);
        assert_int_equal(table.n_entries, N_OBJECTS);
        /* It grows with what is in it: chains stay short. */
        assert_true(table.n_buckets >= N_OBJECTS / 2);
        for (size_t i = 0; i < N_OBJECTS; i++)
                assert_ptr_equal(name_table_find(&table, objects[i].name), &objects[i]);
        assert_null(name_table_find(&table, "unit-"));
        name_table_done(&table);
}

static void test_remove(void **state) {
        NameTable table = {};
        NameEntry nowhere = {};

        fill(&table);
        for (size_t i = 0; i < N_OBJECTS; i += 2)
                name_table_remove(&table, &objects[i].entry);
        name_table_remove(&table, &objects[0].entry);
        name_table_remove(&table, &nowhere);
        assert_int_equal(table.n_entries, N_OBJECTS / 2);
        for (size_t i = 0; i < N_OBJECTS; i++)
                assert_ptr_equal(name_table_find(&table, objects[i].name), i % 2 == 0 ? NULL : &objects[i]);
        name_table_done(&table);
}

static void test_list(void **state) {
        NameTable table = {};
        void **list;
        size_t n;

        assert_int_equal(name_table_list(&table, &list, &n), 0);
        assert_int_equal(n, 0);
        free(list);
        fill(&table);
        assert_int_equal(name_table_list(&table, &list, &n), 0);
        assert_int_equal(n, N_OBJECTS);
        for (size_t i = 0; i < N_OBJECTS; i++)
                assert_ptr_equal(list[i], &objects[i]);
        free(list);
        name_table_done(&table);
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_find),
                cmocka_unit_test(test_remove),
                cmocka_unit_test(test_list),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
