/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A binfmt_misc of the sandbox's own, which needs nothing of the host's and changes nothing there. Since Linux 6.7 every user
 * namespace may have one; it holds for programs that are executed within. The namespace maps everybody to who they are, so
 * that owners of files are as always. The command joins it last, when everything is mounted: what it cannot do there is make
 * device nodes and mount file systems that the kernel gives to none but the first user namespace. File capabilities read
 * outside are as if they had been set outside. */

#include "sandbox/sandbox-operation.h"

/* Options: what is registered. */
extern const SandboxOperationType SANDBOX_OPERATION_BINFMT;
/* Where the tree's /proc has its place for it. */
extern const SandboxOperationType SANDBOX_OPERATION_BINFMT_MOUNT;
/* The command joins. */
extern const SandboxOperationType SANDBOX_OPERATION_USER_NAMESPACE;

/* Whether it can be done here: makes such a namespace and lets it go again. A negative errno with the reason if not. */
int sandbox_binfmt_check(const char *registration, Reason *reason);
