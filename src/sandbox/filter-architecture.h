/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Which system calls there are: those of the processor, and those of its predecessors that a kernel may run as
 * well. A filter that leaves one of them out has a hole, as every program can make any of these calls. */

#include "base/macro.h"

/* SCMP_ARCH_… of the native architecture and of all that its kernels run, the native one first; ends with 0. */
const uint32_t *filter_architectures(void);

/* The same number for a name as SystemCallArchitectures= has it, "x86-64"; 0 for what the library does not know. */
uint32_t filter_architecture_find(const char *name);
