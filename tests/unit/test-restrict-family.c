/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>
#include <sys/socket.h>

#include "base/macro.h"
#include "sandbox/restrict.h"

static void test_families(void **state) {
        static const struct {
                const char *name;
                int family;
        } rows[] = {
                { "AF_UNIX", AF_UNIX },           { "AF_LOCAL", AF_UNIX },      { "AF_INET", AF_INET },
                { "AF_INET6", AF_INET6 },         { "AF_NETLINK", AF_NETLINK }, { "AF_ROUTE", AF_NETLINK },
                { "AF_PACKET", AF_PACKET },       { "AF_ALG", AF_ALG },         { "AF_VSOCK", AF_VSOCK },
                { "AF_BLUETOOTH", AF_BLUETOOTH },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++)
                assert_int_equal(restrict_family(rows[i].name), rows[i].family);
}

static void test_unknown(void **state) {
        static const char *const names[] = { "",       "AF_",     "INET",     "AF_UNSPEC",
                                             "AF_MAX", "af_inet", "AF_INET ", "2" };

        for (size_t i = 0; i < ELEMENTSOF(names); i++)
                assert_int_equal(restrict_family(names[i]), -EINVAL);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_families),
                cmocka_unit_test(test_unknown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
