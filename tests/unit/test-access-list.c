/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/stat.h>
#include <sys/xattr.h>

#include "base/access-list.h"
#include "base/fd.h"
#include "foreign-program.h"
#include "temporary-directory.h"

/* user::rwx, user:7:rwx, group::r-x, mask::rwx, other::--- */
static const uint8_t list[] = {
        2, 0, 0,    0,    0x01, 0,    7,    0, 0xff, 0xff, 0xff, 0xff, 0x02, 0,    7,
        0, 7, 0,    0,    0,    0x04, 0,    5, 0,    0xff, 0xff, 0xff, 0xff, 0x10, 0,
        7, 0, 0xff, 0xff, 0xff, 0xff, 0x20, 0, 0,    0,    0xff, 0xff, 0xff, 0xff,
};

static void test_strip(void **state) {
        mode_t mode = 0;

        assert_int_equal(access_list_strip(list, sizeof(list), S_IFDIR | S_ISGID | 0770, &mode), 0);
        assert_int_equal(mode, S_IFDIR | S_ISGID | 0750);
        /* A mask that is narrower than what the group has. */
        assert_int_equal(access_list_strip(list, sizeof(list), S_IFREG | 0741, &mode), 0);
        assert_int_equal(mode, S_IFREG | 0741);
        assert_int_equal(access_list_strip(list, sizeof(list), S_IFREG | 0721, &mode), 0);
        assert_int_equal(mode, S_IFREG | 0701);
}

static void test_refused(void **state) {
        uint8_t other[sizeof(list)];
        mode_t mode = 7;

        memcpy(other, list, sizeof(list));
        assert_int_equal(access_list_strip(list, 3, 0770, &mode), -EINVAL);
        assert_int_equal(access_list_strip(list, sizeof(list) - 1, 0770, &mode), -EINVAL);
        assert_int_equal(access_list_strip(list, 4 + 2 * 8, 0770, &mode), -EINVAL);
        other[0] = 1;
        assert_int_equal(access_list_strip(other, sizeof(other), 0770, &mode), -EINVAL);
        assert_int_equal(mode, 7);
}

/* The kernel says the same: what chmod leaves when the list is removed by setfacl. */
static void test_like_setfacl(void **state) {
        struct stat status;
        char value[256];
        mode_t mode = 0;

        assert_int_equal(file_write_text(AT_FDCWD, "file", "", 0750), 0);
        free(FOREIGN_CHECK("setfacl", "-m", "u:12345:rwx,g::r--", "file"));
        const ssize_t n = getxattr("file", ACCESS_LIST_ATTRIBUTE, value, sizeof(value));
        if (n < 0)
                skip(); /* a file system without lists */
        assert_int_equal(stat("file", &status), 0);
        assert_int_equal(status.st_mode & 0777, 0770);
        assert_int_equal(access_list_strip(value, (size_t)n, status.st_mode, &mode), 0);
        free(FOREIGN_CHECK("setfacl", "-b", "file"));
        assert_int_equal(stat("file", &status), 0);
        assert_int_equal(mode, status.st_mode);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                unit_test_in_directory(test_strip),
                unit_test_in_directory(test_refused),
                unit_test_in_directory(test_like_setfacl),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
