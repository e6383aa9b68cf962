/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/fd.h"
#include "distro/rpm-database.h"
#include "temporary-directory.h"

#define DATABASE "usr/lib/sysimage/rpm"

static const char *const directories[] = {
        "tree",
        "tree/usr",
        "tree/usr/bin",
        "tree/usr/lib",
        "tree/usr/lib/sysimage",
        "tree/usr/lib/sysimage/rpm",
};

static void put_file(const char *path) {
        assert_int_equal(file_write_text(AT_FDCWD, path, "", 0755), 0);
}

/* A tree without rpm is left alone, whatever its database is; so is one whose rpm has written it already. What the programs do
 * is tested end to end. */
static void test_what_there_is_to_do(void **state) {
        const Installation installation = { .root = "tree" };
        const HostRun run = { .installation = &installation, .directory_fd = -EBADF };

        for (size_t i = 0; i < ELEMENTSOF(directories); i++)
                assert_int_equal(mkdir(directories[i], 0755), 0);
        put_file("tree/" DATABASE "/rpmdb.sqlite");
        assert_int_equal(rpm_database_is_converted(&run, DATABASE), 0);
        assert_int_equal(rpm_database_convert(&run, DATABASE), 0);

        put_file("tree/usr/bin/rpmdb");
        assert_int_equal(rpm_database_is_converted(&run, DATABASE), 0);

        assert_int_equal(unlink("tree/" DATABASE "/rpmdb.sqlite"), 0);
        assert_int_equal(rpm_database_is_converted(&run, DATABASE), 1);
        assert_int_equal(rpm_database_convert(&run, DATABASE), 0);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                unit_test_in_directory(test_what_there_is_to_do),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
