/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Filters on system calls, compiled when the Sandbox is made and loaded as they are. Each covers the native and all
 * compatible architectures. They need CAP_SYS_ADMIN to load, because no_new_privs would take set-user-ID programs away. */

#include "sandbox/sandbox-operation.h"

/* What is nobody's business inside: modules, kexec, reboot, swap, BPF, keys, files by handle. */
extern const SandboxOperationType SANDBOX_OPERATION_FILTER_DENY;
/* The same for what is process 1: reboot(2) ends its PID namespace, and no more. */
extern const SandboxOperationType SANDBOX_OPERATION_FILTER_DENY_INIT;

/* fsync() and family succeed without doing anything; io_uring and per-write flags, which go round that, are said to be
 * unknown to the kernel. */
extern const SandboxOperationType SANDBOX_OPERATION_FILTER_SYNC;

/* open() and family with O_SYNC or O_DSYNC ask the parent (sandbox-sync.h), which gets a descriptor to listen at. Skipped
 * when somebody outside of this sandbox listens already: the kernel allows only one. */
extern const SandboxOperationType SANDBOX_OPERATION_FILTER_OPEN;

/* Compiles the filter of the operation's type: fills in program and options, the names of the system calls. */
int sandbox_filter_set(SandboxOperation *operation);
