/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <linux/capability.h>
#include <string.h>
#include <strings.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/strv.h"
#include "sandbox/sandbox-privileges.h"
#include "sandbox/sandbox.h"

#define BIT(capability) (UINT64_C(1) << (capability))

const uint64_t SANDBOX_CAPABILITIES_PACKAGES =
        BIT(CAP_CHOWN) | BIT(CAP_DAC_OVERRIDE) | BIT(CAP_DAC_READ_SEARCH) | BIT(CAP_FOWNER) |
        BIT(CAP_FSETID) | BIT(CAP_KILL) | BIT(CAP_SETGID) | BIT(CAP_SETUID) | BIT(CAP_SETPCAP) |
        BIT(CAP_LINUX_IMMUTABLE) | BIT(CAP_NET_BIND_SERVICE) | BIT(CAP_NET_BROADCAST) | BIT(CAP_NET_RAW) |
        BIT(CAP_IPC_OWNER) | BIT(CAP_SYS_CHROOT) | BIT(CAP_SYS_ADMIN) | BIT(CAP_SYS_NICE) | BIT(CAP_MKNOD) |
        BIT(CAP_LEASE) | BIT(CAP_AUDIT_WRITE) | BIT(CAP_SETFCAP);

const uint64_t SANDBOX_CAPABILITIES_SYSTEM =
        BIT(CAP_CHOWN) | BIT(CAP_DAC_OVERRIDE) | BIT(CAP_DAC_READ_SEARCH) | BIT(CAP_FOWNER) |
        BIT(CAP_FSETID) | BIT(CAP_KILL) | BIT(CAP_SETGID) | BIT(CAP_SETUID) | BIT(CAP_SETPCAP) |
        BIT(CAP_LINUX_IMMUTABLE) | BIT(CAP_NET_BIND_SERVICE) | BIT(CAP_NET_BROADCAST) | BIT(CAP_NET_ADMIN) |
        BIT(CAP_NET_RAW) | BIT(CAP_IPC_OWNER) | BIT(CAP_SYS_CHROOT) | BIT(CAP_SYS_PTRACE) |
        BIT(CAP_SYS_ADMIN) | BIT(CAP_SYS_BOOT) | BIT(CAP_SYS_NICE) | BIT(CAP_SYS_RESOURCE) |
        BIT(CAP_SYS_TTY_CONFIG) | BIT(CAP_MKNOD) | BIT(CAP_LEASE) | BIT(CAP_AUDIT_WRITE) |
        BIT(CAP_AUDIT_CONTROL) | BIT(CAP_SETFCAP);

const uint64_t SANDBOX_CAPABILITIES_NETWORK = BIT(CAP_NET_ADMIN);

/* clang-format off */
static const char *const capability_names[] = {
        [CAP_CHOWN]              = "chown",
        [CAP_DAC_OVERRIDE]       = "dac_override",
        [CAP_DAC_READ_SEARCH]    = "dac_read_search",
        [CAP_FOWNER]             = "fowner",
        [CAP_FSETID]             = "fsetid",
        [CAP_KILL]               = "kill",
        [CAP_SETGID]             = "setgid",
        [CAP_SETUID]             = "setuid",
        [CAP_SETPCAP]            = "setpcap",
        [CAP_LINUX_IMMUTABLE]    = "linux_immutable",
        [CAP_NET_BIND_SERVICE]   = "net_bind_service",
        [CAP_NET_BROADCAST]      = "net_broadcast",
        [CAP_NET_ADMIN]          = "net_admin",
        [CAP_NET_RAW]            = "net_raw",
        [CAP_IPC_LOCK]           = "ipc_lock",
        [CAP_IPC_OWNER]          = "ipc_owner",
        [CAP_SYS_MODULE]         = "sys_module",
        [CAP_SYS_RAWIO]          = "sys_rawio",
        [CAP_SYS_CHROOT]         = "sys_chroot",
        [CAP_SYS_PTRACE]         = "sys_ptrace",
        [CAP_SYS_PACCT]          = "sys_pacct",
        [CAP_SYS_ADMIN]          = "sys_admin",
        [CAP_SYS_BOOT]           = "sys_boot",
        [CAP_SYS_NICE]           = "sys_nice",
        [CAP_SYS_RESOURCE]       = "sys_resource",
        [CAP_SYS_TIME]           = "sys_time",
        [CAP_SYS_TTY_CONFIG]     = "sys_tty_config",
        [CAP_MKNOD]              = "mknod",
        [CAP_LEASE]              = "lease",
        [CAP_AUDIT_WRITE]        = "audit_write",
        [CAP_AUDIT_CONTROL]      = "audit_control",
        [CAP_SETFCAP]            = "setfcap",
        [CAP_MAC_OVERRIDE]       = "mac_override",
        [CAP_MAC_ADMIN]          = "mac_admin",
        [CAP_SYSLOG]             = "syslog",
        [CAP_WAKE_ALARM]         = "wake_alarm",
        [CAP_BLOCK_SUSPEND]      = "block_suspend",
        [CAP_AUDIT_READ]         = "audit_read",
        [CAP_PERFMON]            = "perfmon",
        [CAP_BPF]                = "bpf",
        [CAP_CHECKPOINT_RESTORE] = "checkpoint_restore",
};
/* clang-format on */

const char *sandbox_capability_name(unsigned number) {
        return number < ELEMENTSOF(capability_names) ? capability_names[number] : NULL;
}

int sandbox_capability_find(const char *name) {
        const char *const word =
                strncasecmp(name, "CAP_", strlen("CAP_")) == 0 ? name + strlen("CAP_") : name;

        for (size_t i = 0; i < ELEMENTSOF(capability_names); i++)
                if (strcasecmp(capability_names[i], word) == 0)
                        return (int)i;
        return -EINVAL;
}

int sandbox_capabilities_set(SandboxOperation *operation, uint64_t capabilities) {
        _cleanup_(strv_freep) char **names = NULL;

        for (unsigned i = 0; i < 64; i++) {
                if (!(capabilities & BIT(i)))
                        continue;
                int r = i < ELEMENTSOF(capability_names) ? strv_append(&names, capability_names[i])
                                                         : strv_append_format(&names, "%u", i);
                if (r < 0)
                        return r;
        }
        operation->flags = capabilities;
        return strv_join(STRV(names), " ", &operation->options);
}

static int run_session(SandboxSetup *setup, const SandboxOperation *operation, Reason *reason) {
        return setsid() < 0 ? -errno : 0;
}

static int run_terminal(SandboxSetup *setup, const SandboxOperation *operation, Reason *reason) {
        if (setsid() < 0)
                return -errno;
        return ioctl(STDIN_FILENO, TIOCSCTTY, 0) < 0 ? -errno : 0;
}

/* Programs loop over all possible descriptors, and no core dump is to end up in a tree. */
static int run_limits(SandboxSetup *setup, const SandboxOperation *operation, Reason *reason) {
        struct rlimit files, core;

        if (getrlimit(RLIMIT_NOFILE, &files) < 0 || getrlimit(RLIMIT_CORE, &core) < 0)
                return -errno;
        files.rlim_max = MIN(files.rlim_max, (rlim_t)524288);
        files.rlim_cur = MIN(files.rlim_max, (rlim_t)1024);
        core.rlim_cur = 0;
        if (setrlimit(RLIMIT_NOFILE, &files) < 0 || setrlimit(RLIMIT_CORE, &core) < 0)
                return -errno;
        return 0;
}

static int run_directory(SandboxSetup *setup, const SandboxOperation *operation, Reason *reason) {
        return chdir(operation->target) < 0 ? -errno : 0;
}

/* Cuts the bounding set first, as long as there is CAP_SETPCAP for it; then all that this process has itself. */
static int run_capabilities(SandboxSetup *setup, const SandboxOperation *operation, Reason *reason) {
        struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
        struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];

        for (unsigned i = 0; i < 64; i++) {
                if (operation->flags & BIT(i))
                        continue;
                if (prctl(PR_CAPBSET_DROP, (unsigned long)i, 0, 0, 0) < 0) {
                        if (errno == EINVAL) /* beyond the last capability of this kernel */
                                break;
                        return -errno;
                }
        }
        if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0)
                return -errno;

        if (syscall(SYS_capget, &header, data) < 0)
                return -errno;
        for (unsigned i = 0; i < ELEMENTSOF(data); i++) {
                const uint32_t kept = (uint32_t)(operation->flags >> (32 * i));

                data[i].permitted &= kept;
                data[i].effective &= kept;
                data[i].inheritable = 0;
        }
        return syscall(SYS_capset, &header, data) < 0 ? -errno : 0;
}

/* clang-format off */
const SandboxOperationType SANDBOX_OPERATION_SESSION      = { "session",      SANDBOX_STAGE_COMMAND, run_session };
const SandboxOperationType SANDBOX_OPERATION_TERMINAL     = { "terminal",     SANDBOX_STAGE_COMMAND, run_terminal };
const SandboxOperationType SANDBOX_OPERATION_LIMITS       = { "limits",       SANDBOX_STAGE_COMMAND, run_limits };
const SandboxOperationType SANDBOX_OPERATION_DIRECTORY    = { "directory",    SANDBOX_STAGE_COMMAND, run_directory };
const SandboxOperationType SANDBOX_OPERATION_CAPABILITIES = { "capabilities", SANDBOX_STAGE_COMMAND, run_capabilities };
/* clang-format on */
