/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the processes inside tell the parent while they set up: a socket that closes itself when the command is executed,
 * with one message a packet, most of them with a descriptor. */

#include <limits.h>

#include "base/macro.h"
#include "base/reason.h"

typedef enum SandboxMessageType {
        SANDBOX_MESSAGE_FAILED,         /* setting up failed: error, text */
        SANDBOX_MESSAGE_CANNOT_EXECUTE, /* all was set up, but the command cannot be executed: error, text */
        SANDBOX_MESSAGE_MAKING_DIRECTORY, /* text is about to be made in the directory fd, and is to be removed in the end */
        SANDBOX_MESSAGE_MAKING_FILE,
        SANDBOX_MESSAGE_LISTENER, /* fd is where the seccomp filter for O_SYNC asks, see sandbox-sync.h */
        SANDBOX_MESSAGE_NAMESPACE, /* between process 1 and the first process of a user namespace, see sandbox-binfmt.c */
} SandboxMessageType;

typedef struct SandboxMessage {
        SandboxMessageType type;
        int error; /* negative errno */
        char text[PATH_MAX];
} SandboxMessage;

/* Both ends are O_CLOEXEC. */
int sandbox_channel_open(int *ret_parent_fd, int *ret_child_fd);

/* fd may be -EBADF; it stays the caller's. A text that is too long is cut. */
int sandbox_channel_send(int channel_fd, SandboxMessageType type, int error, const char *text, int fd);

/* 1 with a message, and its descriptor or -EBADF, which is the caller's; 0 when the other side is closed. */
int sandbox_channel_receive(int channel_fd, SandboxMessage *ret, int *ret_fd);
