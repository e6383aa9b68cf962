/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The inside of a Sandbox: what is to be done, as data. Each kind of operation is one row (SandboxOperationType) in the
 * file that carries it out; sandbox.c decides which are needed and in which order. */

#include <stdio.h>

#include "base/macro.h"
#include "base/reason.h"

typedef struct SandboxOperation SandboxOperation;

/* What the operations that run so far have opened: in the child only. */
typedef struct SandboxSetup {
        int root_fd;    /* what will be "/"; the current root is the host's until "enter-root" */
        int channel_fd; /* to the parent, see sandbox-channel.h */
        /* By "binfmt": the namespace, and its binfmt_misc until that is mounted. */
        int user_namespace_fd, binfmt_fd;
} SandboxSetup;

/* Who carries an operation out. */
typedef enum SandboxStage {
        SANDBOX_STAGE_CLONE,   /* the parent, by the flags it gives to clone3(): no run function */
        SANDBOX_STAGE_INIT,    /* process 1 of the PID namespace, once, with all privileges */
        SANDBOX_STAGE_COMMAND, /* its child, just before it executes the command */
} SandboxStage;

typedef struct SandboxOperationType {
        const char *name; /* how it prints */
        SandboxStage stage;
        /* Fills the reason only when it knows better than "<the operation as printed>: <errno>". */
        int (*run)(SandboxSetup *setup, const SandboxOperation *operation, Reason *reason);
} SandboxOperationType;

struct SandboxOperation {
        const SandboxOperationType *type;
        char *source, *target; /* printed as "source on target" */
        char *options;         /* printed behind a colon */
        bool optional, recursive, read_only;
        uint64_t flags; /* clone flags or capabilities, as the type says */
        void *program;  /* "filter-…": instructions for seccomp(2) */
        size_t n_instructions;
};

/* One line without its end. */
void sandbox_operation_print(const SandboxOperation *operation, FILE *file);

struct Sandbox {
        SandboxOperation *operations;
        size_t n_operations;
        char *name; /* of the root, for reasons */
        char **environment;
        bool init; /* the command is process 1 */
};
