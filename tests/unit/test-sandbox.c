/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "sandbox/sandbox.h"

#define NAME_64 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

typedef struct PrintCase {
        SandboxPolicy policy;
        const char *text;
} PrintCase;

static const SandboxMount all_mounts[] = {
        { .type = SANDBOX_OVERLAY, .target = "/", .options = "lowerdir=/a:/b,upperdir=/c,workdir=/d" },
        { .type = SANDBOX_DEV, .target = "/dev" },
        { .type = SANDBOX_PROC, .target = "/proc" },
        { .type = SANDBOX_SYS, .target = "/sys" },
        { .type = SANDBOX_TMPFS, .target = "/run", .options = "mode=0755" },
        { .type = SANDBOX_TMPFS, .target = "/tmp" },
        { .type = SANDBOX_BIND, .source = "/cache", .target = "/var/cache", .recursive = true },
        { .type = SANDBOX_BIND_READ_ONLY,
          .source = "/etc/resolv.conf",
          .target = "/etc/resolv.conf",
          .optional = true },
};

#define LIMITS "limits: files 1024 of 524288, core 0\n"
#define FILTER_DENY                                                                                         \
        "filter-deny: acct add_key bpf delete_module finit_module init_module ioperm iopl kexec_file_load " \
        "kexec_load keyctl open_by_handle_at perf_event_open request_key swapoff swapon reboot\n"
#define FILTER_SYNC \
        "filter-sync: fdatasync fsync io_uring_setup msync pwritev2 sync sync_file_range sync_file_range2 syncfs\n"

static const PrintCase print_cases[] = {
        {
                .policy = { .root = "/tree", .capabilities = 1 << 0 | UINT64_C(1) << 40 },
                .text = "namespaces: mount pid ipc uts cgroup network\n"
                        "loopback\n"
                        "hostname: localhost\n"
                        "root /tree\n"
                        "enter-root\n" LIMITS "directory /\n" FILTER_DENY
                        "capabilities: chown checkpoint_restore\n",
        },
        {
                .policy = { .root = "/tree", .network = true, .capabilities = 1, .binfmt = ":x:M::y::/z:F" },
                .text = "namespaces: mount pid ipc uts cgroup\n"
                        "hostname: localhost\n"
                        "binfmt: :x:M::y::/z:F\n"
                        "root /tree\n"
                        "binfmt-mount\n"
                        "enter-root\n"
                        "user-namespace\n" LIMITS "directory /\n" FILTER_DENY "capabilities: chown\n",
        },
        {
                .policy = {
                        .root = "/",
                        .root_read_only = true,
                        .mounts = all_mounts,
                        .n_mounts = ELEMENTSOF(all_mounts),
                        .network = true,
                        .suppress_sync = true,
                        .hostname = "builder",
                        .working_directory = "/work",
                        .new_session = true,
                },
                .text = "namespaces: mount pid ipc uts cgroup\n"
                        "hostname: builder\n"
                        "root /\n"
                        "overlay /: lowerdir=/a:/b,upperdir=/c,workdir=/d\n"
                        "dev /dev\n"
                        "proc /proc\n"
                        "sys /sys\n"
                        "tmpfs /run: mode=0755\n"
                        "tmpfs /tmp\n"
                        "bind /cache on /var/cache, recursive\n"
                        "bind-read-only /etc/resolv.conf on /etc/resolv.conf, optional\n"
                        "root-read-only\n"
                        "enter-root\n"
                        "session\n" LIMITS "directory /work\n" FILTER_DENY FILTER_SYNC
                        "filter-open: open openat openat2\n"
                        "capabilities: chown dac_override dac_read_search fowner fsetid kill setgid setuid setpcap "
                        "linux_immutable net_bind_service net_broadcast net_raw ipc_owner sys_chroot sys_admin "
                        "sys_nice mknod lease audit_write setfcap\n",
        },
};

static void test_print(void **state) {
        for (size_t i = 0; i < ELEMENTSOF(print_cases); i++) {
                _cleanup_(sandbox_freep) Sandbox *sandbox = NULL;
                _cleanup_(freep) char *text = NULL;
                size_t size;
                FILE *const file = open_memstream(&text, &size);

                assert_int_equal(sandbox_new(&print_cases[i].policy, &sandbox, NULL), 0);
                sandbox_print(sandbox, file);
                assert_int_equal(fclose(file), 0);
                assert_string_equal(text, print_cases[i].text);
        }
}

typedef struct RefusedCase {
        SandboxPolicy policy;
        const char *text;
} RefusedCase;

#define ONE_MOUNT(...) .mounts = (const SandboxMount[]){ { __VA_ARGS__ } }, .n_mounts = 1

static const RefusedCase refused_cases[] = {
        { { .root = NULL }, "Root directory \"\" is not an absolute path" },
        { { .root = "tree" }, "Root directory \"tree\" is not an absolute path" },
        { { .root = "/", .hostname = "" }, "Host name \"\" is empty or too long" },
        { { .root = "/", .hostname = NAME_64 "0" }, "Host name \"" NAME_64 "0\" is empty or too long" },
        { { .root = "/", .working_directory = "a" }, "Working directory \"a\" is not an absolute path" },
        { { .root = "/", ONE_MOUNT(.type = SANDBOX_PROC) }, "Mount target \"\" is not an absolute path" },
        { { .root = "/", ONE_MOUNT(.type = SANDBOX_PROC, .target = "proc") },
          "Mount target \"proc\" is not an absolute path" },
        { { .root = "/", ONE_MOUNT(.type = SANDBOX_BIND, .target = "/a") },
          "Mount source \"\" is not an absolute path" },
        { { .root = "/", ONE_MOUNT(.type = SANDBOX_BIND_READ_ONLY, .source = "b", .target = "/a") },
          "Mount source \"b\" is not an absolute path" },
        { { .root = "/", ONE_MOUNT(.type = SANDBOX_OVERLAY, .target = "/a") },
          "The overlay on /a has no options" },
};

static void test_refused(void **state) {
        for (size_t i = 0; i < ELEMENTSOF(refused_cases); i++) {
                _cleanup_(sandbox_freep) Sandbox *sandbox = NULL;
                _cleanup_(reason_done) Reason reason = {};

                assert_int_equal(sandbox_new(&refused_cases[i].policy, &sandbox, &reason), -EINVAL);
                assert_null(sandbox);
                assert_string_equal(reason_text(&reason, -EINVAL), refused_cases[i].text);
        }
}

/* The policy may be gone when the sandbox runs. */
static void test_copies(void **state) {
        _cleanup_(sandbox_freep) Sandbox *sandbox = NULL;
        _cleanup_(freep) char *text = NULL;
        char root[] = "/tree", target[] = "/run", options[] = "mode=0755";
        size_t size;

        assert_int_equal(sandbox_new(&(SandboxPolicy){ .root = root,
                                                       ONE_MOUNT(.type = SANDBOX_TMPFS, .target = target,
                                                                 .options = options) },
                                     &sandbox, NULL),
                         0);
        root[1] = target[1] = options[1] = '!';
        FILE *const file = open_memstream(&text, &size);
        sandbox_print(sandbox, file);
        assert_int_equal(fclose(file), 0);
        assert_non_null(strstr(text, "root /tree\ntmpfs /run: mode=0755\n"));
        sandbox_free(NULL);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_print),
                cmocka_unit_test(test_refused),
                cmocka_unit_test(test_copies),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
