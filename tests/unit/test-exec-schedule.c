/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <linux/ioprio.h>
#include <sched.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "exec/exec-schedule.h"

#define LINES(...) ((char **)(const char *[]){ __VA_ARGS__, NULL })

#define INSIDE_CHECK(condition)                                                                       \
        do {                                                                                          \
                if (!(condition)) {                                                                   \
                        (void)fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition); \
                        _exit(EXIT_FAILURE);                                                          \
                }                                                                                     \
        } while (false)

/* Everything changes the process: each check has one of its own. */
static void in_child(void (*check)(void)) {
        const pid_t pid = fork();
        int status;

        assert_true(pid >= 0);
        if (pid == 0) {
                check();
                _exit(EXIT_SUCCESS);
        }
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_int_equal(status, 0);
}

static void check_policy(void) {
        INSIDE_CHECK(exec_cpu_policy_set(&(UnitSettings){ .cpu_policy = CPU_POLICY_BATCH }, NULL) == 0);
        INSIDE_CHECK(sched_getscheduler(0) == SCHED_BATCH);
        INSIDE_CHECK(exec_cpu_policy_set(&(UnitSettings){ .cpu_reset_on_fork = TRUTH_YES }, NULL) == 0);
        INSIDE_CHECK(sched_getscheduler(0) == (SCHED_OTHER | SCHED_RESET_ON_FORK));
        INSIDE_CHECK(exec_cpu_policy_set(&(UnitSettings){ .cpu_policy = CPU_POLICY_RR,
                                                          .cpu_priority = { true, 100 } },
                                         NULL) < 0);
}

static void check_affinity(void) {
        cpu_set_t set;
        char own[16];

        INSIDE_CHECK(sched_getaffinity(0, sizeof(set), &set) == 0);
        size_t first = 0;
        while (!CPU_ISSET(first, &set))
                first++;
        (void)snprintf(own, sizeof(own), "%zu-%zu", first, first);
        INSIDE_CHECK(exec_cpu_affinity_set(&(UnitSettings){ .cpu_affinity = LINES(own) }, NULL) == 0);
        INSIDE_CHECK(sched_getaffinity(0, sizeof(set), &set) == 0 && CPU_COUNT(&set) == 1 &&
                     CPU_ISSET(first, &set));
}

static void check_io(void) {
        INSIDE_CHECK(exec_io_priority_set(&(UnitSettings){ .io_priority = { true, 6 } }, NULL) == 0);
        INSIDE_CHECK(syscall(SYS_ioprio_get, IOPRIO_WHO_PROCESS, 0) == IOPRIO_PRIO_VALUE(IOPRIO_CLASS_BE, 6));
        INSIDE_CHECK(exec_io_priority_set(&(UnitSettings){ .io_class = IO_CLASS_IDLE }, NULL) == 0);
        INSIDE_CHECK(IOPRIO_PRIO_CLASS(syscall(SYS_ioprio_get, IOPRIO_WHO_PROCESS, 0)) == IOPRIO_CLASS_IDLE);
}

static void check_slack(void) {
        INSIDE_CHECK(exec_timer_slack_set(&(UnitSettings){ .timer_slack = (char *)"70000" }, NULL) == 0);
        INSIDE_CHECK(prctl(PR_GET_TIMERSLACK, 0, 0, 0, 0) == 70000);
        INSIDE_CHECK(exec_timer_slack_set(&(UnitSettings){ .timer_slack = (char *)"3ms" }, NULL) == 0);
        INSIDE_CHECK(prctl(PR_GET_TIMERSLACK, 0, 0, 0, 0) == 3000000);
}

static void test_all(void **state) {
        in_child(check_policy);
        in_child(check_affinity);
        in_child(check_io);
        in_child(check_slack);
}

static void test_refused(void **state) {
        static const char *const bad[] = { "x", "1-", "-1", "3-1", "99999", "1-2-3", "numa" };
        Reason reason = {};

        for (size_t i = 0; i < ELEMENTSOF(bad); i++)
                assert_int_equal(exec_cpu_affinity_set(&(UnitSettings){ .cpu_affinity = LINES(bad[i]) },
                                                       NULL),
                                 -EINVAL);
        assert_int_equal(exec_io_priority_set(&(UnitSettings){ .io_priority = { true, 8 } }, &reason),
                         -EINVAL);
        assert_string_equal(reason.text, "IOSchedulingPriority=8: not between 0 and 7");
        reason_done(&reason);
        assert_int_equal(exec_timer_slack_set(&(UnitSettings){ .timer_slack = (char *)"soon" }, NULL),
                         -EINVAL);
        assert_int_equal(exec_cpu_policy_set(&(UnitSettings){}, NULL), 0);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_all),
                cmocka_unit_test(test_refused),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
