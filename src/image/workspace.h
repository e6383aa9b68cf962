/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A private directory beside the output, on the same file system, so that what is finished there can be renamed into
 * place. It is locked while its build lives; one that is not locked was left behind by a build that was killed, and the next
 * build of the same output removes it. */

#include "base/macro.h"

typedef struct Workspace {
        char *path;  /* absolute: OUTPUT-DIRECTORY/.mkosi-OUTPUT */
        int fd;      /* of the directory, locked */
        int lock_fd; /* the lock file inside of it */
} Workspace;

/* Makes the workspace for an output file. -EBUSY when another build of it is under way; its process id is in ret_holder
 * then (0 if unknown). Where that build was killed, and processes that it had started are not gone yet, they are waited for,
 * though not for ever. -EINTR after interrupt_check(). */
int workspace_new(const char *output, Workspace **ret, pid_t *ret_holder);

/* Whether there is one of the output, whoever has it. */
bool workspace_exists(const char *output);

/* Deletes the directory with all that is in it, and gives up the lock. -EXDEV when something is mounted inside. */
int workspace_remove(Workspace *workspace);

/* workspace_remove(), and frees. */
void workspace_free(Workspace *workspace);
DEFINE_CLEANUP(Workspace, workspace_free)
