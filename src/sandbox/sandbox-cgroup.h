/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Operations on control groups. */

#include "sandbox/sandbox-operation.h"

extern const SandboxOperationType
        SANDBOX_OPERATION_CGROUP; /* source: directory of the cgroup to be in; it is "/" inside */
