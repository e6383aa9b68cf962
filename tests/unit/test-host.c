/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/text.h"
#include "foreign-program.h"
#include "unit/host.h"

static void test_names(void **state) {
        _cleanup_(freep) char *architecture = NULL, *name = NULL, *pretty = NULL, *boot = NULL, *id = NULL,
                              *nothing = NULL;

        if (host_architecture(&architecture) >= 0)
                assert_true(host_architecture_is_known(architecture));
        assert_false(host_architecture_is_known("pdp-11"));
        assert_int_equal(host_name(&name), 0);
        assert_int_equal(host_pretty_name(&pretty), 0);
        assert_int_not_equal(strlen(pretty), 0);
        assert_int_equal(host_boot_id(&boot), 0);
        assert_int_equal(strspn(boot, "0123456789abcdef"), 32);
        assert_int_equal(host_os_field("ID", &id), 0);
        assert_int_not_equal(strlen(id), 0);
        assert_int_equal(host_os_field("NO_SUCH_FIELD", &nothing), 0);
        assert_string_equal(nothing, "");
}

/* systemd-detect-virt(1) judges; where it knows a name that is not known here, it is still something. */
static void test_virtualization(void **state) {
        _cleanup_(freep) char *container = NULL, *machine = NULL;

        (void)FOREIGN_RUN(&container, "systemd-detect-virt", "--container");
        (void)FOREIGN_RUN(&machine, "systemd-detect-virt", "--vm");
        assert_string_equal(host_container() ?: "none", text_strip(container));
        assert_string_equal(host_machine() ?: "none", text_strip(machine));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_names),
                cmocka_unit_test(test_virtualization),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
