/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/secret.h"

static void test_new(void **state) {
        static const uint8_t zeros[5000];
        _cleanup_(secret_freep) Secret *secret = NULL;

        assert_int_equal(secret_new(sizeof(zeros), &secret), 0);
        assert_int_equal(secret->capacity, sizeof(zeros));
        assert_int_equal(secret->size, 0);
        assert_memory_equal(secret->bytes, zeros, sizeof(zeros));
        memset(secret->bytes, 'x', sizeof(zeros));
        secret_free(NULL);
}

static void test_random(void **state) {
        _cleanup_(secret_freep) Secret *one = NULL, *other = NULL;

        assert_int_equal(secret_new_random(64, &one), 0);
        assert_int_equal(secret_new_random(64, &other), 0);
        assert_int_equal(one->size, 64);
        assert_int_equal(other->size, 64);
        assert_memory_not_equal(one->bytes, other->bytes, 64);
        assert_memory_not_equal(one->bytes, one->bytes + 32, 32);
}

/* A child, and with it whatever it runs, knows nothing of it; that it frees it is fine all the same. */
static void test_fork(void **state) {
        _cleanup_(secret_freep) Secret *secret = NULL;
        int status;

        assert_int_equal(secret_new(8, &secret), 0);
        memcpy(secret->bytes, "password", 8);
        secret->size = 8;

        const pid_t pid = fork();
        assert_true(pid >= 0);
        if (pid == 0) {
                bool known = memcmp(secret->bytes, "password", 8) == 0;

                secret_freep(&secret);
                _exit(known ? 1 : 0);
        }
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), 0);
        assert_memory_equal(secret->bytes, "password", 8);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_new),
                cmocka_unit_test(test_random),
                cmocka_unit_test(test_fork),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
