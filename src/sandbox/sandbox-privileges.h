/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Operations on what the command's process is and may do. */

#include "sandbox/sandbox-operation.h"

extern const SandboxOperationType SANDBOX_OPERATION_SESSION;  /* no controlling terminal */
extern const SandboxOperationType SANDBOX_OPERATION_TERMINAL; /* the controlling terminal is standard input */
extern const SandboxOperationType SANDBOX_OPERATION_LIMITS;   /* options: for people */
extern const SandboxOperationType SANDBOX_OPERATION_DIRECTORY; /* target: the working directory */
extern const SandboxOperationType
        SANDBOX_OPERATION_CAPABILITIES; /* flags: bit n is capability n, options: names */

/* What SANDBOX_OPERATION_LIMITS prints as options. */
#define SANDBOX_LIMITS_TEXT "files 1024 of 524288, core 0"

/* Fills in flags and options: "chown dac_override". */
int sandbox_capabilities_set(SandboxOperation *operation, uint64_t capabilities);

/* The number of the capability of that name ("chown"; "CAP_CHOWN" as well, in letters of any case); -EINVAL. */
int sandbox_capability_find(const char *name);
/* "chown" for number 0; NULL for one that is not known. */
const char *sandbox_capability_name(unsigned number);
