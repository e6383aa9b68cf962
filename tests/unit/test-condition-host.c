/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/os-release.h"
#include "base/strv.h"
#include "base/text.h"
#include "unit/condition-host.h"
#include "unit/host.h"

typedef int (*Test)(const char *argument);

/* What holds on every machine. */
static void test_everywhere(void **state) {
        static const struct {
                Test test;
                const char *argument;
                int result;
        } cases[] = {
                { condition_architecture, "native", 1 },
                { condition_architecture, "pdp-11", 0 },
                { condition_host, "*", 1 },
                { condition_host, "no.such.host.example", 0 },
                { condition_kernel_command_line, "no.such.parameter", 0 },
                { condition_kernel_version, ">=3.0", 1 },
                { condition_kernel_version, "\" >= 3.0\" \" <= 600 \" \"!= 3.1\"", 1 },
                { condition_kernel_version, ">= 3.0", 1 },
                { condition_kernel_version, "*.*", 1 },
                { condition_kernel_version, "<3.0", 0 },
                { condition_kernel_version, "*.* <3.0", 0 },
                { condition_kernel_version, ">=", -EINVAL },
                { condition_kernel_module_loaded, "no_such_module", 0 },
                { condition_kernel_module_loaded, "../x", -EINVAL },
                { condition_security, "nonsense", -EINVAL },
                { condition_capability, "CAP_NO_SUCH", -EINVAL },
                { condition_ac_power, "nonsense", -EINVAL },
                { condition_first_boot, "nonsense", -EINVAL },
                { condition_cpus, ">=1", 1 },
                { condition_cpus, "1", 1 },
                { condition_cpus, "<1", 0 },
                { condition_cpus, "many", -EINVAL },
                { condition_cpu_feature, "no-such-feature", 0 },
                { condition_memory, "1M", 1 },
                { condition_memory, "<1M", 0 },
                { condition_environment, "CONDITION_TEST", 1 },
                { condition_environment, "CONDITION_TEST=a=b", 1 },
                { condition_environment, "CONDITION_TEST=a", 0 },
                { condition_environment, "NO_SUCH_VARIABLE", 0 },
                { condition_os_release, "ID!=no-such-system", 1 },
                { condition_os_release, "ID=no-such-system", 0 },
                { condition_os_release, "ID", -EINVAL },
                { condition_firmware, "nonsense", -EINVAL },
                { condition_credential, "a/b", -EINVAL },
                { condition_control_group_controller, "rdma-of-tomorrow", 1 },
                { condition_user, "no-such-user", 0 },
                { condition_group, "no-such-group", 0 },
        };

        assert_int_equal(setenv("CONDITION_TEST", "a=b", 1), 0);
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                const int r = cases[i].test(cases[i].argument);

                if (r != cases[i].result)
                        fail_msg("case %zu (%s): %d", i, cases[i].argument, r);
        }
}

/* What is so must be so, and its opposite not. */
static void test_this_machine(void **state) {
        _cleanup_(os_release_done) OsRelease os_release = {};
        _cleanup_(freep) char *id = NULL, *wanted = NULL;
        struct utsname names;
        char number[24];

        assert_int_equal(uname(&names), 0);
        assert_int_equal(condition_host(names.nodename), 1);
        assert_int_equal(condition_kernel_version(names.release), 1);
        if (host_machine_id(&id) >= 0)
                assert_int_equal(condition_host(id), 1);
        assert_true(snprintf(number, sizeof(number), "%u", (unsigned)getuid()) > 0);
        assert_int_equal(condition_user(number), 1);
        assert_true(snprintf(number, sizeof(number), "%u", (unsigned)getgid()) > 0);
        assert_int_equal(condition_group(number), 1);
        if (getuid() == 0) {
                assert_int_equal(condition_user("root"), 1);
                assert_int_equal(condition_user("@system"), 1);
                assert_int_equal(condition_user("nobody"), 0);
                assert_int_equal(condition_group("root"), 1);
        }
        if (os_release_load("/", &os_release) >= 0) {
                assert_true(text_format(&wanted, "ID=%s", os_release.id) >= 0);
                assert_int_equal(condition_os_release(wanted), 1);
        }
        assert_int_equal(condition_ac_power("yes") + condition_ac_power("no"), 1);
        assert_int_equal(condition_first_boot("yes") + condition_first_boot("no"), 1);
        assert_int_equal(condition_virtualization("yes") + condition_virtualization("no"), 1);
        assert_int_equal(condition_control_group_controller("v1") + condition_control_group_controller("v2"),
                         1);
}

/* Of all parameters that the kernel was started with. */
static void test_kernel_command_line(void **state) {
        _cleanup_(strv_freep) char **words = NULL;
        _cleanup_(freep) char *line = NULL;

        if (file_read(AT_FDCWD, "/proc/cmdline", MIB, &line, NULL) < 0 || strpbrk(line, "\"'"))
                skip();
        assert_int_equal(strv_split(line, " \n", &words), 0);
        for (char **word = words; word && *word; word++) {
                assert_int_equal(condition_kernel_command_line(*word), 1);
                (*word)[strcspn(*word, "=")] = '\0';
                assert_int_equal(condition_kernel_command_line(*word), 1);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_everywhere),
                cmocka_unit_test(test_this_machine),
                cmocka_unit_test(test_kernel_command_line),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
