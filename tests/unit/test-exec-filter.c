/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sched.h>
#include <string.h>
#include <sys/socket.h>

#include "base/text.h"
#include "exec/exec-view.h"

#define LINES(...) ((char **)(const char *[]){ __VA_ARGS__, NULL })

static void make(const UnitSettings *settings, ExecFilter *ret) {
        Reason reason = {};
        const int r = exec_filter_make(settings, ret, &reason);

        if (r < 0)
                fail_msg("%s", reason_text(&reason, r));
}

static void refused(const UnitSettings *settings, const char *text) {
        ExecFilter filter = {};
        Reason reason = {};

        assert_int_equal(settings->restrict_address_families ? exec_families_make(settings, &filter, &reason)
                                                             : exec_filter_make(settings, &filter, &reason),
                         -EINVAL);
        assert_string_equal(reason.text, text);
        reason_done(&reason);
}

static const RestrictCall *find(const ExecFilter *filter, const char *name) {
        for (size_t i = 0; i < filter->filter.n_calls; i++)
                if (text_equal(filter->calls[i].name, name))
                        return &filter->calls[i];
        return NULL;
}

static void assert_call(const ExecFilter *filter, const char *name, bool allow, int error) {
        const RestrictCall *const call = find(filter, name);

        if (!call)
                fail_msg("%s is not in the list", name);
        assert_int_equal(call->allow, allow);
        if (!allow)
                assert_int_equal(call->error, error);
}

static void test_nothing(void **state) {
        ExecFilter filter;

        make(&(UnitSettings){}, &filter);
        assert_false(filter.any);
        exec_filter_done(&filter);
}

static void test_switches(void **state) {
        ExecFilter filter;

        make(&(UnitSettings){ .memory_deny_write_execute = TRUTH_YES }, &filter);
        assert_true(filter.any && filter.filter.memory_deny_write_execute &&
                    !filter.filter.restrict_suid_sgid);
        make(&(UnitSettings){ .restrict_suid_sgid = TRUTH_YES }, &filter);
        assert_true(filter.any && filter.filter.restrict_suid_sgid);
        /* A dynamic user implies it, and cannot do without. */
        make(&(UnitSettings){ .dynamic_user = TRUTH_YES, .restrict_suid_sgid = TRUTH_NO }, &filter);
        assert_true(filter.any && filter.filter.restrict_suid_sgid);
}

static void assert_families(const char *const *lines, bool allow, const int *families, size_t n) {
        const UnitSettings settings = { .restrict_address_families = (char **)lines };
        ExecFilter filter;

        make(&settings, &filter);
        assert_false(filter.any); /* is a filter of its own */
        assert_int_equal(exec_families_make(&settings, &filter, NULL), 0);
        assert_true(filter.any && filter.filter.families);
        assert_int_equal(filter.filter.families_allow, allow);
        assert_int_equal(filter.filter.n_families, n);
        for (size_t i = 0; i < n; i++)
                assert_int_equal(filter.filter.family_list[i], families[i]);
        exec_filter_done(&filter);
}

#define FAMILIES(allow, lines, ...)                                                        \
        assert_families((const char *const *)(lines), allow, (const int[]){ __VA_ARGS__ }, \
                        ELEMENTSOF(((const int[]){ __VA_ARGS__ })))

static void test_families(void **state) {
        FAMILIES(true, LINES("AF_INET6 AF_UNIX", "AF_INET AF_UNIX"), AF_UNIX, AF_INET, AF_INET6);
        FAMILIES(false, LINES("~AF_PACKET AF_NETLINK"), AF_NETLINK, AF_PACKET);
        FAMILIES(true, LINES("AF_INET AF_PACKET AF_UNIX", "~AF_PACKET"), AF_UNIX, AF_INET);
        FAMILIES(false, LINES("~AF_PACKET AF_NETLINK", "AF_NETLINK"), AF_PACKET);
        assert_families((const char *const *)LINES("none"), true, NULL, 0);
        refused(&(UnitSettings){ .restrict_address_families = LINES("AF_INET AF_INTERNET") },
                "RestrictAddressFamilies=AF_INTERNET: not the name of an address family, as \"AF_INET\"");
}

static void test_calls_allowed(void **state) {
        ExecFilter filter;

        make(&(UnitSettings){ .system_call_filter =
                                      LINES("@basic-io mkdir", "~write:ENOTTY lseek close:kill pread64:7") },
             &filter);
        assert_true(filter.any && filter.filter.calls && filter.filter.calls_allow);
        assert_int_equal(filter.filter.error, RESTRICT_KILL);
        assert_call(&filter, "read", true, 0);
        assert_call(&filter, "mkdir", true, 0);
        assert_call(&filter, "execve", true, 0); /* of @default, without which nothing runs */
        assert_call(&filter, "exit_group", true, 0);
        assert_call(&filter, "write", false, ENOTTY);
        assert_call(&filter, "lseek", false, RESTRICT_KILL);
        assert_call(&filter, "close", false, RESTRICT_KILL);
        assert_call(&filter, "pread64", false, 7);
        assert_null(find(&filter, "@basic-io"));
        assert_null(find(&filter, "unlink"));
        exec_filter_done(&filter);
}

/* Groups in groups in groups. */
static void test_calls_nested(void **state) {
        ExecFilter filter;

        make(&(UnitSettings){ .system_call_filter = LINES("@system-service") }, &filter);
        assert_call(&filter, "openat", true, 0);
        assert_call(&filter, "socket", true, 0);
        assert_call(&filter, "uname", true, 0);
        assert_null(find(&filter, "mount"));
        assert_null(find(&filter, "reboot"));
        for (size_t i = 0; i < filter.filter.n_calls; i++)
                assert_int_not_equal(filter.calls[i].name[0], '@');
        exec_filter_done(&filter);
}

static void test_calls_denied(void **state) {
        ExecFilter filter;

        make(&(UnitSettings){ .system_call_filter = LINES("~@mount:EPERM @swap", "umount2") }, &filter);
        assert_true(filter.filter.calls && !filter.filter.calls_allow);
        assert_call(&filter, "mount", false, EPERM);
        assert_call(&filter, "swapon", false, RESTRICT_KILL);
        assert_call(&filter, "umount2", true, 0);
        assert_null(find(&filter, "execve"));
        exec_filter_done(&filter);
}

static void test_implied(void **state) {
        ExecFilter filter;

        make(&(UnitSettings){ .private_devices = TRUTH_YES, .protect_kernel_tunables = TRUTH_YES }, &filter);
        assert_true(filter.any && filter.filter.calls && !filter.filter.calls_allow);
        assert_call(&filter, "iopl", false, EPERM);
        assert_call(&filter, "_sysctl", false, EPERM);
        exec_filter_done(&filter);

        /* What was allowed is not any more; what was killed for still is. */
        make(&(UnitSettings){ .private_devices = TRUTH_YES, .system_call_filter = LINES("iopl read") },
             &filter);
        assert_true(filter.filter.calls_allow);
        assert_call(&filter, "iopl", false, EPERM);
        assert_null(find(&filter, "ioperm"));
        exec_filter_done(&filter);
        make(&(UnitSettings){ .private_devices = TRUTH_YES, .system_call_filter = LINES("~iopl") }, &filter);
        assert_call(&filter, "iopl", false, RESTRICT_KILL);
        assert_call(&filter, "ioperm", false, EPERM);
        exec_filter_done(&filter);
}

static void test_more_implied(void **state) {
        ExecFilter filter;

        make(&(UnitSettings){ .protect_clock = TRUTH_YES,
                              .protect_kernel_logs = TRUTH_YES,
                              .protect_kernel_modules = TRUTH_YES,
                              .protect_hostname = PROTECT_HOSTNAME_YES },
             &filter);
        assert_call(&filter, "clock_settime", false, EPERM);
        assert_call(&filter, "syslog", false, EPERM);
        assert_call(&filter, "finit_module", false, EPERM);
        assert_call(&filter, "setdomainname", false, EPERM);
        exec_filter_done(&filter);
        make(&(UnitSettings){ .protect_hostname = PROTECT_HOSTNAME_PRIVATE }, &filter);
        assert_false(filter.any);
        exec_filter_done(&filter);
}

/* What is no call is nobody's: allowed or not, the others count. */
static void test_unknown_calls(void **state) {
        ExecFilter filter;

        make(&(UnitSettings){ .system_call_filter = LINES("read opne @files") }, &filter);
        assert_true(filter.filter.calls_allow && !find(&filter, "opne") && !find(&filter, "@files"));
        assert_call(&filter, "read", true, 0);
        exec_filter_done(&filter);
        make(&(UnitSettings){ .system_call_filter = LINES("~opne mkdir") }, &filter);
        assert_true(filter.filter.calls && !filter.filter.calls_allow);
        assert_call(&filter, "mkdir", false, RESTRICT_KILL);
        exec_filter_done(&filter);
}

static void test_error_number(void **state) {
        ExecFilter filter;

        make(&(UnitSettings){ .system_call_filter = LINES("~mkdir rmdir:EXDEV unlink:kill"),
                              .system_call_error_number = (char *)"EPERM" },
             &filter);
        assert_int_equal(filter.filter.error, EPERM);
        assert_call(&filter, "mkdir", false, EPERM);
        assert_call(&filter, "rmdir", false, EXDEV);
        assert_call(&filter, "unlink", false, RESTRICT_KILL);
        exec_filter_done(&filter);
        refused(&(UnitSettings){ .system_call_error_number = (char *)"EPREM" },
                "SystemCallErrorNumber=EPREM: no errno, as \"EPERM\", and not \"kill\"");
}

static void test_log(void **state) {
        ExecFilter filter;

        make(&(UnitSettings){ .system_call_log = LINES("@swap read write", "~write nothing") }, &filter);
        assert_true(filter.any && filter.filter.log && !filter.filter.log_others && !filter.filter.calls);
        assert_string_equal(filter.logged[0], "swapoff");
        assert_string_equal(filter.logged[1], "swapon");
        assert_string_equal(filter.logged[2], "read");
        assert_null(filter.logged[3]);
        exec_filter_done(&filter);
        make(&(UnitSettings){ .system_call_log = LINES("~read write", "write") }, &filter);
        assert_true(filter.filter.log_others);
        assert_string_equal(filter.logged[0], "read");
        assert_null(filter.logged[1]);
        exec_filter_done(&filter);
}

static void test_namespaces(void **state) {
        const struct {
                const char *const *lines;
                uint64_t taken; /* from all */
                bool only;      /* these are what is left */
        } cases[] = {
                { (const char *const[]){ "yes", NULL }, 0, true },
                { (const char *const[]){ "no", NULL }, 0, false },
                { (const char *const[]){ "net mnt", NULL }, CLONE_NEWNET | CLONE_NEWNS, true },
                { (const char *const[]){ "~net mnt", NULL }, CLONE_NEWNET | CLONE_NEWNS, false },
                { (const char *const[]){ "net mnt", "~mnt", NULL }, CLONE_NEWNET, true },
                { (const char *const[]){ "net", "user", NULL }, CLONE_NEWNET | CLONE_NEWUSER, true },
                { (const char *const[]){ "~user", "~uts", NULL }, CLONE_NEWUTS | CLONE_NEWUSER, false },
        };
        const uint64_t all = restrict_namespace_flag("all");

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                ExecFilter filter;

                make(&(UnitSettings){ .restrict_namespaces = (char **)cases[i].lines }, &filter);
                assert_true(filter.any && filter.filter.namespaces);
                assert_int_equal(filter.filter.namespaces_allowed,
                                 cases[i].only ? cases[i].taken : all & ~cases[i].taken);
                exec_filter_done(&filter);
        }
        refused(&(UnitSettings){ .restrict_namespaces = LINES("nets") },
                "RestrictNamespaces=nets: neither yes or no, nor a kind of namespaces, as \"net\"");
}

static void test_architectures(void **state) {
        ExecFilter filter;

        make(&(UnitSettings){ .system_call_architectures = LINES("native", "x32") }, &filter);
        assert_true(filter.any && filter.filter.architectures);
        exec_filter_done(&filter);
        refused(&(UnitSettings){ .system_call_architectures = LINES("native", "z80") },
                "SystemCallArchitectures=z80: not the name of an architecture, as \"x86-64\" or \"native\"");
}

static void test_refused(void **state) {
        refused(&(UnitSettings){ .system_call_filter = LINES("~@files") },
                "SystemCallFilter=@files: no group of system calls has this name");
        refused(&(UnitSettings){ .system_call_filter = LINES("~read:ENOSUCH") },
                "SystemCallFilter=read:ENOSUCH: what follows the colon is no errno, as \"EPERM\", and not \"kill\"");
        refused(&(UnitSettings){ .system_call_filter = LINES("~read:4096") },
                "SystemCallFilter=read:4096: what follows the colon is no errno, as \"EPERM\", and not \"kill\"");
        refused(&(UnitSettings){ .system_call_filter = LINES("\"read") },
                "SystemCallFilter=\"read: a quote has no end");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_nothing),       cmocka_unit_test(test_switches),
                cmocka_unit_test(test_families),      cmocka_unit_test(test_calls_allowed),
                cmocka_unit_test(test_calls_nested),  cmocka_unit_test(test_calls_denied),
                cmocka_unit_test(test_implied),       cmocka_unit_test(test_more_implied),
                cmocka_unit_test(test_unknown_calls), cmocka_unit_test(test_error_number),
                cmocka_unit_test(test_log),           cmocka_unit_test(test_namespaces),
                cmocka_unit_test(test_architectures), cmocka_unit_test(test_refused),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
