/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the exec helper reports, a packet each, over a socket that execve(2) closes: its end without a failure means that
 * the program runs. */

#include "base/macro.h"

/* Exit statuses of a helper that failed, systemd.exec(5), "Process exit codes". */
#define EXEC_EXIT_FIRST 200
typedef enum ExecExit {
        EXEC_EXIT_CHDIR = 200,
        EXEC_EXIT_NICE,
        EXEC_EXIT_FDS,
        EXEC_EXIT_EXEC,
        EXEC_EXIT_MEMORY,
        EXEC_EXIT_LIMITS,
        EXEC_EXIT_OOM_ADJUST,
        EXEC_EXIT_SIGNAL_MASK,
        EXEC_EXIT_STDIN,
        EXEC_EXIT_STDOUT,
        EXEC_EXIT_CHROOT,
        EXEC_EXIT_IOPRIO,
        EXEC_EXIT_TIMERSLACK,
        EXEC_EXIT_SECUREBITS,
        EXEC_EXIT_SETSCHEDULER,
        EXEC_EXIT_CPUAFFINITY,
        EXEC_EXIT_GROUP,
        EXEC_EXIT_USER,
        EXEC_EXIT_CAPABILITIES,
        EXEC_EXIT_CGROUP,
        EXEC_EXIT_SETSID,
        EXEC_EXIT_CONFIRM,
        EXEC_EXIT_STDERR,
        EXEC_EXIT_PAM = 224,
        EXEC_EXIT_NETWORK,
        EXEC_EXIT_NAMESPACE,
        EXEC_EXIT_NO_NEW_PRIVILEGES,
        EXEC_EXIT_SECCOMP,
        EXEC_EXIT_SELINUX_CONTEXT,
        EXEC_EXIT_PERSONALITY,
        EXEC_EXIT_APPARMOR,
        EXEC_EXIT_ADDRESS_FAMILIES,
        EXEC_EXIT_RUNTIME_DIRECTORY,
        EXEC_EXIT_CHOWN = 235,
        EXEC_EXIT_SMACK_PROCESS_LABEL,
        EXEC_EXIT_KEYRING,
        EXEC_EXIT_STATE_DIRECTORY,
        EXEC_EXIT_CACHE_DIRECTORY,
        EXEC_EXIT_LOGS_DIRECTORY,
        EXEC_EXIT_CONFIGURATION_DIRECTORY,
        EXEC_EXIT_NUMA_POLICY,
        EXEC_EXIT_CREDENTIALS,
        EXEC_EXIT_BPF,
        EXEC_EXIT_KSM,
} ExecExit;

/* "USER" for 217; NULL for what is none of these. */
const char *exec_exit_name(int status);

typedef enum ExecStatusType {
        EXEC_STATUS_USER, /* who the process will be: uid, gid, text: the user's name ("" when it has none) */
        EXEC_STATUS_FAILED, /* exit: the step; error: an errno; text: for people, "Failed at step USER spawning /bin/x: …" */
        EXEC_STATUS_WARNING, /* text: something was left out that does no harm */
} ExecStatusType;

typedef struct ExecStatus {
        ExecStatusType type;
        uid_t uid;
        gid_t gid;
        int exit, error;
        char text[512];
} ExecStatus;

/* One packet; what is too long of the text is cut. */
int exec_status_send(int fd, const ExecStatus *status);
/* 1 with a packet, 0 at the end, -EAGAIN, -EBADMSG for what is no packet of ours. Never blocks. */
int exec_status_receive(int fd, ExecStatus *ret);
