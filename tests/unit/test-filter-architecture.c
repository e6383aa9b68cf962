/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <seccomp.h>

#include "sandbox/filter-architecture.h"

static void test_architectures(void **state) {
        const uint32_t *const list = filter_architectures();
        size_t n = 0;

        assert_int_equal(list[0], seccomp_arch_native());
        for (; list[n] != 0; n++) {
                assert_in_range(n, 0, 8);
                /* The library knows it: it can be filtered for. */
                assert_int_not_equal(seccomp_syscall_resolve_name_arch(list[n], "read"), __NR_SCMP_ERROR);
                for (size_t i = 0; i < n; i++)
                        assert_int_not_equal(list[i], list[n]);
        }
#if defined(__x86_64__)
        assert_int_equal(n, 3);
#elif defined(__aarch64__)
        assert_int_equal(n, 2);
#endif
}

static void test_names(void **state) {
        assert_int_equal(filter_architecture_find("x86-64"), SCMP_ARCH_X86_64);
        assert_int_equal(filter_architecture_find("arm64"), SCMP_ARCH_AARCH64);
        assert_int_equal(filter_architecture_find("native"), 0);
        assert_int_equal(filter_architecture_find("x86_64"), 0);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_architectures),
                cmocka_unit_test(test_names),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
