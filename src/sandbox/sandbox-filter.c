/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/strv.h"
#include "base/text.h"
#include "sandbox/filter-architecture.h"
#include "sandbox/sandbox-channel.h"
#include "sandbox/sandbox-filter.h"

/* The flag that the kernel adds O_DSYNC to: O_SYNC is both, but each alone counts. */
#define SYNC_BIT ((uint64_t)(O_SYNC & ~O_DSYNC))

/* A system call, and what becomes of it when the bits are set in an argument (0: always). */
typedef struct FilterRule {
        const char *system_call;
        uint32_t action;
        unsigned argument;
        uint64_t bits;
} FilterRule;

/* clang-format off */
static const FilterRule filter_deny[] = {
        { "acct",               SCMP_ACT_ERRNO(EPERM) },
        { "add_key",            SCMP_ACT_ERRNO(ENOSYS) }, /* libraries do without keys when the kernel has none */
        { "bpf",                SCMP_ACT_ERRNO(EPERM) },
        { "delete_module",      SCMP_ACT_ERRNO(EPERM) },
        { "finit_module",       SCMP_ACT_ERRNO(EPERM) },
        { "init_module",        SCMP_ACT_ERRNO(EPERM) },
        { "ioperm",             SCMP_ACT_ERRNO(EPERM) },
        { "iopl",               SCMP_ACT_ERRNO(EPERM) },
        { "kexec_file_load",    SCMP_ACT_ERRNO(EPERM) },
        { "kexec_load",         SCMP_ACT_ERRNO(EPERM) },
        { "keyctl",             SCMP_ACT_ERRNO(ENOSYS) },
        { "open_by_handle_at",  SCMP_ACT_ERRNO(EPERM) },
        { "perf_event_open",    SCMP_ACT_ERRNO(EPERM) },
        { "request_key",        SCMP_ACT_ERRNO(ENOSYS) },
        { "swapoff",            SCMP_ACT_ERRNO(EPERM) },
        { "swapon",             SCMP_ACT_ERRNO(EPERM) },
        /* Last, since this one is not denied to process 1. */
        { "reboot",             SCMP_ACT_ERRNO(EPERM) },
};

static const FilterRule filter_sync[] = {
        { "fdatasync",          SCMP_ACT_ERRNO(0) },
        { "fsync",              SCMP_ACT_ERRNO(0) },
        { "io_uring_setup",     SCMP_ACT_ERRNO(ENOSYS) },
        /* MS_ASYNC costs nothing, and its errors tell which addresses are mapped: stack unwinders rely on that. */
        { "msync",              SCMP_ACT_ERRNO(0),          2, MS_SYNC },
        { "pwritev2",           SCMP_ACT_ERRNO(EOPNOTSUPP), 5, RWF_DSYNC },
        { "pwritev2",           SCMP_ACT_ERRNO(EOPNOTSUPP), 5, RWF_SYNC },
        { "sync",               SCMP_ACT_ERRNO(0) },
        { "sync_file_range",    SCMP_ACT_ERRNO(0) },
        { "sync_file_range2",   SCMP_ACT_ERRNO(0) },
        { "syncfs",             SCMP_ACT_ERRNO(0) },
};

static const FilterRule filter_open[] = {
        { "open",               SCMP_ACT_NOTIFY,            1, O_DSYNC },
        { "open",               SCMP_ACT_NOTIFY,            1, SYNC_BIT },
        { "openat",             SCMP_ACT_NOTIFY,            2, O_DSYNC },
        { "openat",             SCMP_ACT_NOTIFY,            2, SYNC_BIT },
        { "openat2",            SCMP_ACT_NOTIFY }, /* its flags are in memory, out of the filter's sight */
};
/* clang-format on */

static void filter_releasep(scmp_filter_ctx *filter) {
        if (*filter)
                seccomp_release(*filter);
}

static int filter_add_architectures(scmp_filter_ctx filter) {
        for (const uint32_t *architecture = filter_architectures(); *architecture != 0; architecture++) {
                const int r = seccomp_arch_add(filter, *architecture);
                if (r < 0 && r != -EEXIST) /* the native one is there */
                        return r;
        }
        return 0;
}

static int filter_add_rule(scmp_filter_ctx filter, const FilterRule *rule) {
        const int number = seccomp_syscall_resolve_name(rule->system_call);
        const struct scmp_arg_cmp condition =
                SCMP_CMP(rule->argument, SCMP_CMP_MASKED_EQ, rule->bits, rule->bits);

        if (number == __NR_SCMP_ERROR) /* newer than the library */
                return 0;
        return seccomp_rule_add_array(filter, rule->action, number, rule->bits != 0, &condition);
}

/* The library writes programs to descriptors only. */
static int filter_export(scmp_filter_ctx filter, SandboxOperation *operation) {
        _cleanup_(fd_closep) int fd = -EBADF;
        _cleanup_(freep) void *program = NULL;

        fd = memfd_create("filter", MFD_CLOEXEC);
        if (fd < 0)
                return -errno;
        int r = seccomp_export_bpf(filter, fd);
        if (r < 0)
                return r;
        const off_t size = lseek(fd, 0, SEEK_END);
        if (size < 0)
                return -errno;
        program = malloc((size_t)size);
        if (!program)
                return -ENOMEM;
        r = fd_pread_all(fd, program, (size_t)size, 0);
        if (r < 0)
                return r;

        operation->program = TAKE_PTR(program);
        operation->n_instructions = (size_t)size / sizeof(struct sock_filter);
        return 0;
}

static int filter_compile(const FilterRule *rules, size_t n_rules, SandboxOperation *operation) {
        _cleanup_(filter_releasep) scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
        _cleanup_(strv_freep) char **names = NULL;

        if (!filter)
                return -ENOMEM;
        int r = filter_add_architectures(filter);
        if (r < 0)
                return r;
        r = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_ERRNO(ENOSYS));
        if (r < 0)
                return r;

        for (size_t i = 0; i < n_rules; i++) {
                r = filter_add_rule(filter, &rules[i]);
                if (r < 0)
                        return r;
                if (i > 0 && text_equal(rules[i].system_call, rules[i - 1].system_call))
                        continue;
                r = strv_append(&names, rules[i].system_call);
                if (r < 0)
                        return r;
        }
        r = strv_join(STRV(names), " ", &operation->options);
        if (r < 0)
                return r;
        return filter_export(filter, operation);
}

int sandbox_filter_set(SandboxOperation *operation) {
        if (operation->type == &SANDBOX_OPERATION_FILTER_DENY)
                return filter_compile(filter_deny, ELEMENTSOF(filter_deny), operation);
        if (operation->type == &SANDBOX_OPERATION_FILTER_DENY_INIT)
                return filter_compile(filter_deny, ELEMENTSOF(filter_deny) - 1, operation);
        if (operation->type == &SANDBOX_OPERATION_FILTER_SYNC)
                return filter_compile(filter_sync, ELEMENTSOF(filter_sync), operation);
        assert(operation->type == &SANDBOX_OPERATION_FILTER_OPEN);
        return filter_compile(filter_open, ELEMENTSOF(filter_open), operation);
}

static int filter_load(const SandboxOperation *operation, unsigned flags) {
        const struct sock_fprog program = {
                .len = (unsigned short)operation->n_instructions,
                .filter = operation->program,
        };
        /* Older kernels slow filtered processes down against speculation, which is not what our filters are for. */
        const long r = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags | SECCOMP_FILTER_FLAG_SPEC_ALLOW,
                               &program);

        return r < 0 ? -errno : (int)r;
}

static int run_filter(SandboxSetup *setup, const SandboxOperation *operation, Reason *reason) {
        return filter_load(operation, 0);
}

static int run_filter_open(SandboxSetup *setup, const SandboxOperation *operation, Reason *reason) {
        _cleanup_(fd_closep) int listener_fd = -EBADF;

        listener_fd = filter_load(operation,
                                  SECCOMP_FILTER_FLAG_NEW_LISTENER | SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV);
        if (listener_fd == -EINVAL) /* before Linux 5.19 */
                listener_fd = filter_load(operation, SECCOMP_FILTER_FLAG_NEW_LISTENER);
        if (listener_fd == -EBUSY)
                return 0;
        if (listener_fd < 0)
                return listener_fd;
        return sandbox_channel_send(setup->channel_fd, SANDBOX_MESSAGE_LISTENER, 0, "", listener_fd);
}

/* clang-format off */
const SandboxOperationType SANDBOX_OPERATION_FILTER_DENY = { "filter-deny", SANDBOX_STAGE_COMMAND, run_filter };
const SandboxOperationType SANDBOX_OPERATION_FILTER_DENY_INIT = { "filter-deny", SANDBOX_STAGE_COMMAND, run_filter };
const SandboxOperationType SANDBOX_OPERATION_FILTER_SYNC = { "filter-sync", SANDBOX_STAGE_COMMAND, run_filter };
const SandboxOperationType SANDBOX_OPERATION_FILTER_OPEN = { "filter-open", SANDBOX_STAGE_COMMAND, run_filter_open };
/* clang-format on */
