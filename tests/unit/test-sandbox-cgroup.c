/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "sandbox-fixture.h"

#include "sandbox/cgroup.h"

/* A cgroup of our own is "/" inside, and can be written to; who is in it is seen from outside. */
static void test_own_cgroup(void **state) {
        static const SandboxMount more[] = { { .type = SANDBOX_CGROUP, .target = "/sys/fs/cgroup" } };
        SandboxMount room[ELEMENTSOF(fixture_mounts) + ELEMENTSOF(more)];
        Fixture *const fixture = *state;
        SandboxPolicy policy = fixture_policy(fixture);
        _cleanup_(freep) char *own = NULL, *name = NULL, *path = NULL;
        _cleanup_(reason_done) Reason reason = {};

        if (geteuid() != 0 || cgroup_own(&own, &reason) < 0)
                skip();
        assert_int_equal(text_format(&name, "mkosi-test-sandbox-%d", (int)getpid()), 0);
        if (cgroup_make(own, name, &path, &reason) < 0)
                skip(); /* it is not ours to change */
        fixture_add_mounts(&policy, room, more, ELEMENTSOF(more));
        policy.cgroup = path;
        fixture_script(fixture, &policy,
                       "same \"$(grep ^0:: /proc/self/cgroup)\" 0::/\n"
                       "mkdir /sys/fs/cgroup/inner\n"
                       "echo $$ >/sys/fs/cgroup/inner/cgroup.procs\n"
                       "same \"$(grep ^0:: /proc/self/cgroup)\" 0::/inner\n");
        assert_int_equal(cgroup_remove(path), 0);

        policy.cgroup = "/nowhere";
        assert_int_equal(fixture_run(fixture, &policy, (const char *const[]){ "true", NULL }, &reason),
                         -ENOENT);
        assert_string_equal(reason.text, "cgroup /nowhere: No such file or directory");
}

int main(int argc, char *argv[]) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_own_cgroup, fixture_setup, fixture_teardown),
        };

        return fixture_main(argc, argv, NULL, 0, tests, ELEMENTSOF(tests));
}
