/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* All that the exec helper is told about one process of a service. The manager writes it as JSON into a sealed memfd, and the
 * helper reads it: the one that is long-lived does nothing that blocks or is dangerous, the other one does, and is gone
 * then. Settings travel as they would stand in a unit file, and are read by the same table. */

#include "unit/exec-command.h"
#include "unit/unit-load.h"

/* Numbers of descriptors that the helper gets, beside the three standard ones; -EBADF: it does not get one. They are
 * inherited under these numbers, and no other is. */
typedef struct ExecDescriptors {
        int status;  /* SOCK_SEQPACKET, what the helper reports (exec-status.h); closed by execve(2) */
        int user;    /* the storage socket of the dynamic user (exec-user.h) */
        int network; /* the storage socket of the network namespace: one datagram with a descriptor, or none */
        int standard[3]; /* what StandardInput= and so on mean by "fd": of `run --pipe` and `--pty` */
} ExecDescriptors;

#define EXEC_DESCRIPTORS_NONE                  \
        ((ExecDescriptors){ .status = -EBADF,  \
                            .user = -EBADF,    \
                            .network = -EBADF, \
                            .standard = { -EBADF, -EBADF, -EBADF } })

typedef struct ExecContext {
        char *unit;          /* its name */
        char *invocation_id; /* 32 hexadecimal digits */
        char **settings;     /* "NAME=VALUE", those of the unit that are set, specifiers not yet replaced */
        ExecCommand command; /* what to execute, specifiers replaced, variables not */
        bool control;        /* not the main process: ExecStartPre= and the like */
        char **environment; /* what the manager gives: INVOCATION_ID, NOTIFY_SOCKET, MAINPID, SERVICE_RESULT … */
        char *log;          /* path of the FIFO that the log is written to; NULL: no log */
        char *private_tmp,
                *private_var_tmp; /* directories of the host that become /tmp and /var/tmp; NULL: none */
        char *network_pin; /* where a new network namespace is pinned (network-namespace.h); NULL: nowhere */
        char *registry, *user_records; /* see runtime-paths.h */
        ExecDescriptors descriptors;
} ExecContext;

void exec_context_done(ExecContext *context);

/* JSON, one object; a character of a text stands for a byte, since not all that services are told is UTF-8. */
int exec_context_write(const ExecContext *context, char **ret);
/* -EINVAL with a reason for what is no context. */
int exec_context_read(const char *text, ExecContext *ret, Reason *reason);
