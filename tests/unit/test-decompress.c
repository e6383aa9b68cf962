/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "foreign-program.h"
#include "format/decompress.h"
#include "temporary-directory.h"

static int decompress(const char *path, int *ret_fd, Reason *reason) {
        _cleanup_(fd_closep) int fd = open(path, O_RDONLY | O_CLOEXEC);

        assert_true(fd >= 0);
        assert_int_equal(decompress_is_wanted(fd), 1);
        *ret_fd = open("out", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
        assert_true(*ret_fd >= 0);
        return decompress_file(fd, *ret_fd, NULL, reason);
}

/* Data, a hole, data again, a hole at the end. */
static void test_programs(void **state) {
        static const char *const programs[] = { "xz -1", "zstd -q", "gzip -1" };

        free(FOREIGN_CHECK(
                "sh", "-c",
                "seq 1000 >in; truncate -s 3M in; seq 2000 >>in; truncate -s 5000001 in; seq 99999 >>in; truncate -s 8M in"));
        for (size_t i = 0; i < ELEMENTSOF(programs); i++) {
                char command[100];
                struct stat status;
                int fd;

                (void)snprintf(command, sizeof(command), "%s <in >packed", programs[i]);
                free(FOREIGN_CHECK("sh", "-c", command));
                assert_int_equal(decompress("packed", &fd, NULL), 0);
                free(FOREIGN_CHECK("cmp", "in", "out"));
                assert_int_equal(fstat(fd, &status), 0);
                assert_true(status.st_blocks * 512 < (off_t)(2 * MIB));
                assert_int_equal(close(fd), 0);
        }
}

static void test_damaged(void **state) {
        static const char *const commands[] = {
                "seq 100000 | xz >packed; truncate -s 3000 packed",
                "seq 100000 | gzip >packed; truncate -s 3000 packed",
                "seq 100000 | zstd -q >packed; truncate -s 3000 packed",
                "seq 100000 | xz >packed; printf X | dd of=packed bs=1 seek=2000 conv=notrunc status=none",
        };

        for (size_t i = 0; i < ELEMENTSOF(commands); i++) {
                _cleanup_(reason_done) Reason reason = {};
                int fd;

                free(FOREIGN_CHECK("sh", "-c", commands[i]));
                assert_int_equal(decompress("packed", &fd, &reason), -EBADMSG);
                assert_int_equal(strncmp(reason.text, "The compressed data is damaged: ", 32), 0);
                assert_int_equal(close(fd), 0);
        }
}

static void test_others(void **state) {
        _cleanup_(fd_closep) int fd = open("in", O_RDWR | O_CREAT | O_CLOEXEC, 0644);

        assert_int_equal(decompress_is_wanted(fd), 0);
        assert_int_equal(fd_pwrite_all(fd, "BZh9", 4, 0), 0);
        assert_int_equal(decompress_is_wanted(fd), 0);
}

#define TEST(function) \
        cmocka_unit_test_setup_teardown(function, temporary_directory_enter, temporary_directory_leave)

int main(void) {
        const struct CMUnitTest tests[] = { TEST(test_programs), TEST(test_damaged), TEST(test_others) };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
