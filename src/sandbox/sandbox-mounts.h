/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Operations on the mount namespace. All are carried out before the new root is entered, so that sources are paths of
 * the host; targets are looked up strictly below the new root. */

#include "sandbox/sandbox-operation.h"

extern const SandboxOperationType SANDBOX_OPERATION_ROOT;           /* source becomes the new root */
extern const SandboxOperationType SANDBOX_OPERATION_BIND;           /* source on target */
extern const SandboxOperationType SANDBOX_OPERATION_BIND_READ_ONLY; /* the same */
extern const SandboxOperationType SANDBOX_OPERATION_TMPFS;          /* on target, with options */
extern const SandboxOperationType SANDBOX_OPERATION_DEV;            /* on target */
extern const SandboxOperationType SANDBOX_OPERATION_PROC;           /* on target */
extern const SandboxOperationType SANDBOX_OPERATION_SYS;            /* on target */
extern const SandboxOperationType SANDBOX_OPERATION_CGROUPS;        /* on target */
extern const SandboxOperationType SANDBOX_OPERATION_OVERLAY;        /* on target, with options */
extern const SandboxOperationType SANDBOX_OPERATION_ROOT_READ_ONLY; /* after all mount points are made */
extern const SandboxOperationType SANDBOX_OPERATION_ENTER_ROOT; /* "/" is the new root, the old one is gone */
