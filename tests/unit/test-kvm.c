/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "run/kvm.h"
#include "temporary-directory.h"

static void assert_refused(const char *device, const char *why) {
        _cleanup_(reason_done) Reason reason = {};

        assert_int_equal(kvm_works(device, &reason), 0);
        assert_string_equal(reason.text, why);
}

static void test_no_device(void **state) {
        assert_int_equal(file_write_text(AT_FDCWD, "kvm", "", 0666), 0);
        assert_refused("missing", "missing: No such file or directory");
        assert_refused("kvm", "kvm is no device of KVM");
        assert_refused("/dev/null", "/dev/null is no device of KVM");
        assert_refused("/", "/: Is a directory");
}

static void test_not_for_everybody(void **state) {
        if (geteuid() == 0)
                assert_int_equal(seteuid(65534), 0);
        assert_refused("/etc/shadow", "/etc/shadow is for members of its group only");
        if (getuid() == 0)
                assert_int_equal(seteuid(0), 0);
}

/* Whatever this machine can do, there is an answer, and a reason if it is no; and no process is left. */
static void test_this_machine(void **state) {
        _cleanup_(reason_done) Reason reason = {};

        const int r = kvm_works(KVM_DEVICE, &reason);
        assert_true(r == 0 || r == 1);
        assert_int_equal(reason.text != NULL, r == 0);
        assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
        assert_int_equal(errno, ECHILD);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                unit_test_in_directory(test_no_device),
                cmocka_unit_test(test_not_for_everybody),
                cmocka_unit_test(test_this_machine),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
