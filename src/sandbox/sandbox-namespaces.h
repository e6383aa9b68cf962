/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Operations on the namespaces other than the mounts. */

#include "sandbox/sandbox-operation.h"

extern const SandboxOperationType SANDBOX_OPERATION_NAMESPACES; /* flags of clone(2), options: their names */
extern const SandboxOperationType SANDBOX_OPERATION_LOOPBACK;   /* brings lo up */
extern const SandboxOperationType SANDBOX_OPERATION_HOSTNAME;   /* options: the name */

/* Fills in flags and options; host_network leaves the network namespace out, later_cgroup that of cgroups, which
 * SANDBOX_OPERATION_CGROUP makes. */
int sandbox_namespaces_set(SandboxOperation *operation, bool host_network, bool later_cgroup);
