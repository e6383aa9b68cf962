/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "sandbox-fixture.h"

#include <linux/capability.h>
#include <net/if.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/shm.h>
#include <sys/syscall.h>

#include "sandbox/sandbox-namespaces.h"

static void test_flags(void **state) {
        SandboxOperation own = {}, shared = {};

        assert_int_equal(sandbox_namespaces_set(&own, false, false), 0);
        assert_string_equal(own.options, "mount pid ipc uts cgroup network");
        assert_int_equal(own.flags, CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS |
                                            CLONE_NEWCGROUP | CLONE_NEWNET);
        assert_int_equal(sandbox_namespaces_set(&shared, true, false), 0);
        assert_string_equal(shared.options, "mount pid ipc uts cgroup");
        assert_int_equal(shared.flags, own.flags & ~(uint64_t)CLONE_NEWNET);
        free(own.options);
        free(shared.options);
}

/* Prints the namespaces of a process, one a line, in the order of the kinds. */
static int print_namespaces(void) {
        static const char *const names[] = { "mnt", "pid", "ipc", "uts", "cgroup", "net", "user" };

        for (size_t i = 0; i < ELEMENTSOF(names); i++) {
                char path[64], target[64] = "";

                (void)snprintf(path, sizeof(path), "/proc/self/ns/%s", names[i]);
                INSIDE_CHECK(readlink(path, target, sizeof(target) - 1) > 0);
                (void)puts(target);
        }
        return EXIT_SUCCESS;
}

static void check_namespaces(Fixture *fixture, bool network) {
        SandboxPolicy policy = fixture_policy(fixture);

        policy.network = network;
        fixture_inside(fixture, &policy, "print-namespaces");
        assert_int_equal(strv_length(STRV(fixture->lines)), 7);
        for (char **line = fixture->lines; *line; line++) {
                _cleanup_(freep) char *path = NULL;
                char target[64] = "";
                const size_t length = strcspn(*line, ":");

                assert_int_equal(text_format(&path, "/proc/self/ns/%.*s", (int)length, *line), 0);
                assert_true(readlink(path, target, sizeof(target) - 1) > 0);
                const bool shared =
                        text_after_prefix(*line, "user:") || (network && text_after_prefix(*line, "net:"));
                assert_int_equal(text_equal(*line, target), shared);
        }
}

static void test_namespaces(void **state) {
        check_namespaces(*state, false);
        check_namespaces(*state, true);
}

static void test_network(void **state) {
        const SandboxPolicy policy = fixture_policy(*state);

        fixture_script(*state, &policy,
                       "same \"$(ls /sys/class/net | tr '\\n' ' ')\" 'lo '\n"
                       "test $(($(cat /sys/class/net/lo/flags) & 1)) = 1");
}

/* As in a container that may not configure networks: isolated all the same. */
static void test_network_without_privilege(void **state) {
        const SandboxPolicy policy = fixture_policy(*state);
        struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
        struct __user_cap_data_struct before[_LINUX_CAPABILITY_U32S_3], reduced[_LINUX_CAPABILITY_U32S_3];

        assert_int_equal(syscall(SYS_capget, &header, before), 0);
        memcpy(reduced, before, sizeof(reduced));
        reduced[0].effective &= ~CAP_TO_MASK(CAP_NET_ADMIN);
        assert_int_equal(syscall(SYS_capset, &header, reduced), 0);
        fixture_script(*state, &policy,
                       "same \"$(ls /sys/class/net | tr '\\n' ' ')\" 'lo '\n"
                       "test $(($(cat /sys/class/net/lo/flags) & 1)) = 0");
        assert_int_equal(syscall(SYS_capset, &header, before), 0);
}

static void test_hostname(void **state) {
        SandboxPolicy policy = fixture_policy(*state);
        char before[HOST_NAME_MAX + 1], after[HOST_NAME_MAX + 1];

        assert_int_equal(gethostname(before, sizeof(before)), 0);
        fixture_script(*state, &policy, "same \"$(uname -n)\" localhost");
        policy.hostname = "builder";
        fixture_script(*state, &policy,
                       "same \"$(uname -n)\" builder; same \"$(cat /proc/sys/kernel/domainname)\" '(none)'");
        assert_int_equal(gethostname(after, sizeof(after)), 0);
        assert_string_equal(before, after);
}

static int no_shared_memory(void) {
        INSIDE_CHECK(shmget(0x6d6b6f73, 1, 0) < 0 && errno == ENOENT);
        return EXIT_SUCCESS;
}

static void test_shared_memory(void **state) {
        const SandboxPolicy policy = fixture_policy(*state);
        const int id = shmget(0x6d6b6f73, 1, IPC_CREAT | 0600);

        assert_true(id >= 0);
        fixture_inside(*state, &policy, "no-shared-memory");
        assert_int_equal(shmctl(id, IPC_RMID, NULL), 0);
}

static void test_processes(void **state) {
        const SandboxPolicy policy = fixture_policy(*state);

        /* Process 1, the shell, and what it starts. */
        fixture_script(*state, &policy,
                       "test $$ = 2; same \"$(cat /proc/1/comm)\" sandbox; kill -0 1; denied kill -0 9");
}

int main(int argc, char *argv[]) {
        static const Inside inside[] = {
                { "print-namespaces", print_namespaces },
                { "no-shared-memory", no_shared_memory },
        };
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_flags),
                cmocka_unit_test_setup_teardown(test_namespaces, fixture_setup, fixture_teardown),
                cmocka_unit_test_setup_teardown(test_network, fixture_setup, fixture_teardown),
                cmocka_unit_test_setup_teardown(test_network_without_privilege, fixture_setup,
                                                fixture_teardown),
                cmocka_unit_test_setup_teardown(test_hostname, fixture_setup, fixture_teardown),
                cmocka_unit_test_setup_teardown(test_shared_memory, fixture_setup, fixture_teardown),
                cmocka_unit_test_setup_teardown(test_processes, fixture_setup, fixture_teardown),
        };

        return fixture_main(argc, argv, inside, ELEMENTSOF(inside), tests, ELEMENTSOF(tests));
}
