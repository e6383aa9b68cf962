/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "run/fuse-mount.h"
#include "temporary-directory.h"

/* Programs that do not mount anything say why. */
static void test_failures(void **state) {
        static const struct {
                const char *script, *expected;
        } rows[] = {
                { NULL, "reader is missing: install the package readers" },
                { "#!/bin/sh\necho first >&2; echo 'the reason'; exit 1\n", "the reason" },
                { "#!/bin/sh\nexit 0\n", "it says nothing" },
                { "no program", "it says nothing" },
                /* What it gets: the file is not named, and begins where it is said to. */
                { "#!/bin/sh\n[ \"$*\" = '-f -o ro,allow_other,offset=4096 /proc/self/fd/3 target' ] || exit 1\n"
                  "cat /proc/self/fd/3\n",
                  "content" },
        };
        static const FuseProgram program = { "reader", "readers" };
        _cleanup_(fd_closep) int fd = -EBADF;
        char here[PATH_MAX];

        assert_non_null(getcwd(here, sizeof(here)));
        assert_int_equal(file_write_text(AT_FDCWD, "image", "content", 0600), 0);
        assert_int_equal(mkdir("target", 0700), 0);
        fd = open("image", O_RDONLY | O_CLOEXEC);
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_(reason_done) Reason reason = {};
                FuseMount *fuse;

                if (rows[i].script)
                        assert_int_equal(file_write_text(AT_FDCWD, "reader", rows[i].script, 0755), 0);
                const int r = fuse_mount_new(&program, here, fd, 4096, "target", &fuse, &reason);
                assert_true(r < 0);
                if (strstr(reason_text(&reason, r), "/dev/fuse"))
                        skip(); /* there is none here */
                if (!strstr(reason_text(&reason, r), rows[i].expected))
                        fail_msg("\"%s\" does not say \"%s\"", reason_text(&reason, r), rows[i].expected);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                unit_test_in_directory(test_failures),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
