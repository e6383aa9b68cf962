/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "manager/service-number.h"

static void test_count(void **state) {
        Manager manager = {};

        assert_false(service_number_is_last(&manager, 61184));
        assert_int_equal(service_number_get(&manager, 61184), 0);
        assert_int_equal(service_number_get(&manager, 61185), 0);
        assert_true(service_number_is_last(&manager, 61184));
        assert_int_equal(service_number_get(&manager, 61184), 0);
        assert_false(service_number_is_last(&manager, 61184));
        service_number_put(&manager, 61184);
        assert_true(service_number_is_last(&manager, 61184));
        service_number_put(&manager, 61184);
        assert_false(service_number_is_last(&manager, 61184));
        service_number_put(&manager, 61184);
        assert_true(service_number_is_last(&manager, 61185));
        service_number_put(&manager, 61185);
        assert_int_equal(manager.numbers.n_entries, 0);
        name_table_done(&manager.numbers);
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_count),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
