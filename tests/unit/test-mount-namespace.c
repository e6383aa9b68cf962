/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/fd.h"
#include "base/mount-namespace.h"
#include "temporary-directory.h"

static int mount_in_private(void) {
        if (mount_namespace_leave() < 0 || mount_namespace_leave() < 0)
                return 1;
        if (mount("tmpfs", "place", "tmpfs", 0, NULL) < 0)
                return 2;
        return file_write_text(AT_FDCWD, "place/file", "x", 0644) < 0 ? 3 : 0;
}

/* What one process mounts is not there for another, and not there any more afterwards. */
static void test_nobody_sees_it(void **state) {
        int status;

        if (geteuid() != 0)
                skip();
        assert_int_equal(mkdir("place", 0755), 0);
        const pid_t pid = fork();
        assert_true(pid >= 0);
        if (pid == 0)
                _exit(mount_in_private());
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_int_equal(status, 0);
        assert_int_equal(access("place/file", F_OK), -1);
        assert_int_equal(rmdir("place"), 0);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                unit_test_in_directory(test_nobody_sees_it),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
