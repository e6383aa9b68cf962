/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sched.h>
#include <signal.h>

#include "base/thread.h"

static void *read_mask(void *argument) {
        (void)pthread_sigmask(SIG_SETMASK, NULL, argument);
        return argument;
}

static void test_no_signal_reaches_it(void **state) {
        sigset_t inside, before, after;
        pthread_t thread;
        void *result;

        assert_int_equal(pthread_sigmask(SIG_SETMASK, NULL, &before), 0);
        assert_int_equal(sigismember(&before, SIGTERM), 0);
        assert_int_equal(thread_start(&thread, read_mask, &inside), 0);
        assert_int_equal(pthread_join(thread, &result), 0);
        assert_ptr_equal(result, &inside);
        assert_int_equal(sigismember(&inside, SIGTERM), 1);
        assert_int_equal(sigismember(&inside, SIGINT), 1);

        assert_int_equal(pthread_sigmask(SIG_SETMASK, NULL, &after), 0);
        assert_int_equal(sigismember(&after, SIGTERM), 0);
}

static void test_count(void **state) {
        cpu_set_t before, first;

        assert_int_equal(thread_count(7), 7);
        assert_int_equal(sched_getaffinity(0, sizeof(before), &before), 0);
        assert_int_equal(thread_count(0), CPU_COUNT(&before));

        CPU_ZERO(&first);
        for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
                if (CPU_ISSET(cpu, &before)) {
                        CPU_SET(cpu, &first);
                        break;
                }
        assert_int_equal(sched_setaffinity(0, sizeof(first), &first), 0);
        assert_int_equal(thread_count(0), 1);
        assert_int_equal(sched_setaffinity(0, sizeof(before), &before), 0);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_no_signal_reaches_it),
                cmocka_unit_test(test_count),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
