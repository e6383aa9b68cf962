/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Who a process of a service is: a user of the host, or a dynamic one that is made on the way. Asks the name service, and
 * so runs in the exec helper only.
 *
 * All processes of all units that name the same dynamic user share it. The manager has a pair of datagram sockets for each
 * name, and gives one end to each helper; in it lies nothing, or one datagram: the number, with the lock of the registry.
 * Who wants it takes a lock (lockf(3)) on the socket, looks, makes a user if there is none, puts it back, and unlocks.
 * The manager reads it, and puts it back, in the same way. */

#include "service/dynamic-user.h"
#include "service/service.h"

typedef struct ExecIdentity {
        char *user;         /* name; NULL when nothing was asked for: root, as the manager is */
        char *home, *shell; /* NULL: none */
        uid_t uid;
        gid_t gid;
        gid_t *groups; /* supplementary */
        size_t n_groups;
        bool dynamic;
} ExecIdentity;

void exec_identity_done(ExecIdentity *identity);

/* Puts a datagram into the storage, or takes what is there: -EAGAIN when nothing is. The lock has to be held. */
int user_storage_put(int fd, const DynamicUser *user);
int user_storage_take(int fd, DynamicUser *ret);

/* 217 or 216 is in *ret_exit when this fails. */
int exec_identity_find(const ServiceSettings *settings, const char *unit, const char *registry,
                       int storage_fd, ExecIdentity *ret, int *ret_exit, Reason *reason);
