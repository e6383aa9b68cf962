/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "sandbox-fixture.h"

#include <linux/capability.h>
#include <string.h>
#include <sys/resource.h>

#include "sandbox/sandbox-privileges.h"

static void test_names(void **state) {
        SandboxOperation operation = {};

        assert_int_equal(sandbox_capabilities_set(&operation, UINT64_C(1) << CAP_KILL |
                                                                      UINT64_C(1) << CAP_BPF |
                                                                      UINT64_C(1) << 63),
                         0);
        assert_string_equal(operation.options, "kill bpf 63");
        assert_int_equal(operation.flags,
                         UINT64_C(1) << CAP_KILL | UINT64_C(1) << CAP_BPF | UINT64_C(1) << 63);
        free(operation.options);
}

/* A capability without a name would print as a number. */
static void test_all_named(void **state) {
        SandboxOperation operation = {};

        assert_int_equal(sandbox_capabilities_set(&operation, (UINT64_C(1) << (CAP_LAST_CAP + 1)) - 1), 0);
        for (const char *text = operation.options; *text; text++)
                assert_true((*text >= 'a' && *text <= 'z') || *text == '_' || *text == ' ');
        free(operation.options);
}

static uint64_t own_capabilities(const char *set) {
        _cleanup_(freep) char *text = NULL;
        unsigned long long value = 0;

        assert_int_equal(file_read(AT_FDCWD, "/proc/self/status", 64 * KIB, &text, NULL), 0);
        const char *const line = strstr(text, set);
        assert_non_null(line);
        assert_int_equal(sscanf(line + strlen(set), ":%llx", &value), 1);
        return value;
}

static void check_capabilities(Fixture *fixture, uint64_t asked, uint64_t expected) {
        SandboxPolicy policy = fixture_policy(fixture);
        char script[512];

        policy.capabilities = asked;
        (void)snprintf(script, sizeof(script),
                       "cap() { sed -n \"s/^$1:[[:space:]]*//p\" /proc/self/status; }\n"
                       "same \"$(cap CapInh)\" 0000000000000000; same \"$(cap CapAmb)\" 0000000000000000\n"
                       "for i in CapPrm CapEff CapBnd; do echo $i $(cap $i); test $(cap $i) = %016llx; done",
                       (unsigned long long)(expected & own_capabilities("CapBnd")));
        fixture_script(fixture, &policy, script);
}

static void test_capabilities(void **state) {
        check_capabilities(*state, 0, SANDBOX_CAPABILITIES_PACKAGES);
        check_capabilities(*state, UINT64_C(1) << CAP_CHOWN | UINT64_C(1) << CAP_BPF,
                           UINT64_C(1) << CAP_CHOWN | UINT64_C(1) << CAP_BPF);
        check_capabilities(*state, UINT64_MAX, UINT64_MAX);

        assert_false(SANDBOX_CAPABILITIES_PACKAGES &
                     (UINT64_C(1) << CAP_SYS_MODULE | UINT64_C(1) << CAP_SYS_TIME |
                      UINT64_C(1) << CAP_SYS_RAWIO | UINT64_C(1) << CAP_SYS_PTRACE |
                      UINT64_C(1) << CAP_SYS_BOOT | UINT64_C(1) << CAP_BPF));
}

/* Set-user-ID programs are part of what is installed, and are to work in scripts. */
static void test_new_privileges(void **state) {
        const SandboxPolicy policy = fixture_policy(*state);

        fixture_script(*state, &policy, "grep -qx 'NoNewPrivs:[[:space:]]*0' /proc/self/status");
}

static int limits(void) {
        struct rlimit files, core;

        INSIDE_CHECK(getrlimit(RLIMIT_NOFILE, &files) == 0 && getrlimit(RLIMIT_CORE, &core) == 0);
        INSIDE_CHECK(files.rlim_cur <= 1024 && files.rlim_max <= 524288);
        INSIDE_CHECK(core.rlim_cur == 0);
        INSIDE_CHECK(umask(0) == 022);
        return EXIT_SUCCESS;
}

static void test_limits(void **state) {
        const SandboxPolicy policy = fixture_policy(*state);
        const mode_t before = umask(0077);

        fixture_inside(*state, &policy, "limits");
        (void)umask(before);
}

static int session(void) {
        INSIDE_CHECK(getsid(0) == getpid());
        INSIDE_CHECK(open("/dev/tty", O_RDWR | O_CLOEXEC) < 0 && errno == ENXIO);
        return EXIT_SUCCESS;
}

static int no_session(void) {
        INSIDE_CHECK(getsid(0) != getpid());
        return EXIT_SUCCESS;
}

static void test_session(void **state) {
        SandboxPolicy policy = fixture_policy(*state);

        fixture_inside(*state, &policy, "no-session");
        policy.new_session = true;
        fixture_inside(*state, &policy, "session");
}

static void test_directory(void **state) {
        SandboxPolicy policy = fixture_policy(*state);
        Reason reason = {};

        fixture_script(*state, &policy, "same \"$PWD\" /");
        policy.working_directory = "/usr/bin";
        fixture_script(*state, &policy, "same \"$PWD\" /usr/bin");
        policy.working_directory = "/nonexistent";
        assert_int_equal(fixture_run(*state, &policy, (const char *const[]){ "true", NULL }, &reason),
                         -ENOENT);
        assert_string_equal(reason.text, "directory /nonexistent: No such file or directory");
        reason_done(&reason);
}

static void test_find(void **state) {
        assert_int_equal(sandbox_capability_find("chown"), 0);
        assert_int_equal(sandbox_capability_find("CAP_CHOWN"), 0);
        assert_int_equal(sandbox_capability_find("cap_Sys_Admin"), 21);
        assert_int_equal(sandbox_capability_find("checkpoint_restore"), 40);
        assert_string_equal(sandbox_capability_name(21), "sys_admin");
        assert_null(sandbox_capability_name(64));
        assert_int_equal(sandbox_capability_find("CAP_"), -EINVAL);
        assert_int_equal(sandbox_capability_find(""), -EINVAL);
        assert_int_equal(sandbox_capability_find("coffee"), -EINVAL);
}

int main(int argc, char *argv[]) {
        static const Inside inside[] = {
                { "limits", limits },
                { "session", session },
                { "no-session", no_session },
        };
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_names),
                cmocka_unit_test(test_find),
                cmocka_unit_test(test_all_named),
                cmocka_unit_test_setup_teardown(test_capabilities, fixture_setup, fixture_teardown),
                cmocka_unit_test_setup_teardown(test_new_privileges, fixture_setup, fixture_teardown),
                cmocka_unit_test_setup_teardown(test_limits, fixture_setup, fixture_teardown),
                cmocka_unit_test_setup_teardown(test_session, fixture_setup, fixture_teardown),
                cmocka_unit_test_setup_teardown(test_directory, fixture_setup, fixture_teardown),
        };

        return fixture_main(argc, argv, inside, ELEMENTSOF(inside), tests, ELEMENTSOF(tests));
}
