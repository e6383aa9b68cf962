/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/subvolume.h"
#include "btrfs-mount.h"

static int check_life(void) {
        _cleanup_(fd_closep) int top = open("mounted", O_RDONLY | O_DIRECTORY | O_CLOEXEC), fd = -EBADF;
        struct stat status;

        EXPECT(subvolume_supported(top) == 1);
        EXPECT(subvolume_create(top, "new", 01777) == 0);
        EXPECT(subvolume_create(top, "new", 0755) == -EEXIST);
        EXPECT(subvolume_create(top, "", 0755) == -EINVAL);
        EXPECT(subvolume_create(top, "a/b", 0755) == -EINVAL);
        fd = openat(top, "new", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        EXPECT(fd >= 0 && fstat(fd, &status) == 0 && status.st_mode == (S_IFDIR | 01777));
        EXPECT(subvolume_is(fd) == 1);

        EXPECT(subvolume_get_read_only(fd) == 0);
        EXPECT(subvolume_set_read_only(fd, true) == 0);
        EXPECT(subvolume_get_read_only(fd) == 1);
        EXPECT(mkdirat(fd, "x", 0755) < 0 && errno == EROFS);
        EXPECT(subvolume_set_read_only(fd, false) == 0);
        EXPECT(mkdirat(fd, "x", 0755) == 0);
        EXPECT(subvolume_create(fd, "nested", 0755) == 0);

        EXPECT(subvolume_remove(fd, "x") == -ENOTDIR);
        EXPECT(subvolume_remove(fd, "missing") == -ENOENT);
        EXPECT(subvolume_remove(top, "new") == -ENOTEMPTY);
        EXPECT(subvolume_remove(fd, "nested") == 0);
        EXPECT(subvolume_remove(top, "new") == 0);
        EXPECT(fstatat(top, "new", &status, 0) < 0 && errno == ENOENT);
        return 0;
}

static void test_life(void **state) {
        in_btrfs(check_life);
}

/* On another file system. */
static void test_elsewhere(void **state) {
        _cleanup_(fd_closep) int fd = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        assert_int_equal(subvolume_supported(fd), 0);
        assert_int_equal(subvolume_is(fd), 0);
        assert_int_equal(subvolume_create(fd, "x", 0755), -ENOTTY);
        assert_int_equal(subvolume_supported(-1), -EBADF);
        assert_int_equal(subvolume_remove(fd, "self"), -ENOTDIR);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                unit_test_in_directory(test_life),
                unit_test_in_directory(test_elsewhere),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
