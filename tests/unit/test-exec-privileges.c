/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <linux/capability.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/text.h"
#include "exec/exec-privileges.h"
#include "unit/unit-load.h"

/* What changes a process is done in one of its own, which answers with 0. */
static void in_child(int (*function)(void)) {
        int status;
        const pid_t pid = fork();

        assert_true(pid >= 0);
        if (pid == 0)
                _exit(function());
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_int_equal(status, 0);
}

static Unit *unit_make(const char *const *settings) {
        Unit *unit;

        if (unit_new_transient("a.service", settings, "test", &unit) < 0)
                abort();
        return unit;
}

#define UNIT(...) unit_make((const char *const[]){ __VA_ARGS__, NULL })

static int child_limits(void) {
        _cleanup_(unit_freep) Unit *unit =
                UNIT("LimitNOFILE=100:200", "LimitCORE=0", "Nice=5", "OOMScoreAdjust=700");
        _cleanup_(freep) char *score = NULL;
        struct rlimit limit;

        if (exec_limits_set(&unit->settings, NULL) < 0 || exec_nice_set(&unit->settings, NULL) < 0 ||
            exec_oom_score_set(&unit->settings, NULL) != 0)
                return 1;
        if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur != 100 || limit.rlim_max != 200)
                return 2;
        if (getrlimit(RLIMIT_CORE, &limit) < 0 || limit.rlim_max != 0)
                return 3;
        if (file_read(AT_FDCWD, "/proc/self/oom_score_adj", 100, &score, NULL) < 0 ||
            !text_equal(score, "700\n"))
                return 4;
        return getpriority(PRIO_PROCESS, 0) == 5 ? 0 : 5;
}

/* Without the capability limits are as high as they may be, and nobody gets less likely to be killed. */
static int child_closest(void) {
        _cleanup_(unit_freep) Unit *lower = UNIT("LimitNOFILE=50:60", "OOMScoreAdjust=100");
        _cleanup_(unit_freep) Unit *higher = UNIT("LimitNOFILE=70:1000", "OOMScoreAdjust=-900");
        _cleanup_(reason_done) Reason reason = {};
        struct rlimit limit;

        if (exec_limits_set(&lower->settings, NULL) < 0 || exec_oom_score_set(&lower->settings, NULL) < 0)
                return 1;
        if (geteuid() == 0 && setresuid(65534, 65534, 65534) < 0)
                return 2;
        if (exec_limits_set(&higher->settings, NULL) < 0 || getrlimit(RLIMIT_NOFILE, &limit) < 0)
                return 3;
        if (limit.rlim_cur != 60 || limit.rlim_max != 60)
                return 4;
        return exec_oom_score_set(&higher->settings, &reason) == 1 && reason.text ? 0 : 5;
}

static void test_limits(void **state) {
        in_child(child_limits);
        in_child(child_closest);
}

#define BIT(capability) (UINT64_C(1) << (capability))

static void test_read(void **state) {
        const struct {
                const char *const *settings;
                bool bounded;
                uint64_t has, has_not;
        } rows[] = {
                { (const char *const[]){ NULL }, false, 0, 0 },
                { (const char *const[]){ "CapabilityBoundingSet=CAP_CHOWN cap_kill", NULL }, true,
                  BIT(CAP_CHOWN) | BIT(CAP_KILL), ~(BIT(CAP_CHOWN) | BIT(CAP_KILL)) },
                { (const char *const[]){ "CapabilityBoundingSet=CAP_CHOWN", "CapabilityBoundingSet=CAP_KILL",
                                         NULL },
                  true, BIT(CAP_CHOWN) | BIT(CAP_KILL), ~(BIT(CAP_CHOWN) | BIT(CAP_KILL)) },
                { (const char *const[]){ "CapabilityBoundingSet=~CAP_CHOWN", NULL }, true,
                  BIT(CAP_KILL) | BIT(CAP_BPF), BIT(CAP_CHOWN) },
                { (const char *const[]){ "CapabilityBoundingSet=CAP_CHOWN CAP_KILL",
                                         "CapabilityBoundingSet=~CAP_KILL", NULL },
                  true, BIT(CAP_CHOWN), ~BIT(CAP_CHOWN) },
                { (const char *const[]){ "CapabilityBoundingSet=~", NULL }, true,
                  BIT(CAP_CHOWN) | BIT(CAP_BPF), 0 },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_(unit_freep) Unit *unit = unit_make(rows[i].settings);
                ExecCapabilities capabilities;

                assert_int_equal(exec_capabilities_read(&unit->settings, &capabilities, NULL), 0);
                assert_int_equal(capabilities.bounded, rows[i].bounded);
                assert_true((capabilities.bounding & rows[i].has) == rows[i].has);
                assert_true((capabilities.bounding & rows[i].has_not) == 0);
        }

        _cleanup_(unit_freep) Unit *wrong = UNIT("AmbientCapabilities=CAP_COFFEE");
        _cleanup_(reason_done) Reason reason = {};
        ExecCapabilities none;
        assert_int_equal(exec_capabilities_read(&wrong->settings, &none, &reason), -EINVAL);
        assert_non_null(strstr(reason.text, "CAP_COFFEE"));
}

static bool status_has(const char *line) {
        _cleanup_(freep) char *text = NULL;

        return file_read(AT_FDCWD, "/proc/self/status", 10000, &text, NULL) >= 0 && strstr(text, line);
}

static int child_user(void) {
        gid_t groups[] = { 4, 5 };
        const ExecIdentity identity = { .uid = 62000, .gid = 62001, .groups = groups, .n_groups = 2 };
        const ExecCapabilities capabilities = {
                .bounded = true,
                .bounding = BIT(CAP_KILL) | BIT(CAP_CHOWN),
                .ambient = BIT(CAP_KILL),
        };

        if (exec_bounding_set(&capabilities, NULL) < 0 || exec_groups_set(&identity, NULL) < 0 ||
            exec_user_set(&identity, &capabilities, &(bool){ false }, NULL) < 0)
                return 1;
        if (!status_has("Uid:\t62000\t62000\t62000\t62000") ||
            !status_has("Gid:\t62001\t62001\t62001\t62001") || !status_has("Groups:\t4 5 \n"))
                return 2;
        if (!status_has("CapBnd:\t0000000000000021\n") || !status_has("CapPrm:\t0000000000000020\n") ||
            !status_has("CapEff:\t0000000000000020\n") || !status_has("CapAmb:\t0000000000000020\n"))
                return 3;
        return prctl(PR_GET_KEEPCAPS, 0, 0, 0, 0) == 0 ? 0 : 4;
}

/* No capability is left of root. */
static int child_plain(void) {
        const ExecIdentity identity = { .uid = 62000, .gid = 62000 };
        const ExecCapabilities none = {};

        if (exec_groups_set(&identity, NULL) < 0 ||
            exec_user_set(&identity, &none, &(bool){ false }, NULL) < 0)
                return 1;
        return status_has("CapPrm:\t0000000000000000\n") && status_has("Groups:\t \n") && setuid(0) < 0 ? 0
                                                                                                        : 2;
}

static void test_user(void **state) {
        if (geteuid() != 0)
                skip();
        in_child(child_user);
        in_child(child_plain);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_limits),
                cmocka_unit_test(test_read),
                cmocka_unit_test(test_user),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
