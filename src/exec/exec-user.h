/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Who a process of a service is: a user of the host, or a dynamic one that is made on the way. Asks the name service, and
 * so runs in the exec helper only.
 *
 * All processes of all units that name the same dynamic user share it. The manager has a storage for each name, a datagram
 * socket that is connected to itself, and gives it to each helper; in it lies nothing, or one datagram: the number, with the
 * lock of the registry. Who wants it locks the storage, looks, makes a user if there is none, puts it back, and unlocks. The
 * manager reads it, and puts it back, in the same way. */

#include "unit/unit-settings.h"
#include "user/dynamic-user.h"

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

/* An empty storage. A pair of sockets would be two queues, with a lock each. */
int user_storage_new(int *ret);

/* The lock is this process's (lockf(3)): it ends with it, and when it closes any descriptor of the storage. Without a wish to
 * wait, -EAGAIN when another process has it. */
int user_storage_lock(int fd, bool wait);
void user_storage_unlock(int fd);

/* Puts a datagram into the storage, or takes what is there: -EAGAIN when nothing is. The lock has to be held. */
int user_storage_put(int fd, const DynamicUser *user);
int user_storage_take(int fd, DynamicUser *ret);
/* Whether there is one; without the lock not when somebody looks at it at the time. */
bool user_storage_has(int fd);

/* Also makes a dynamic user, and puts it into the storage. A user of the host takes its place if there is one of that name. 217 or
 * 216 is in *ret_exit when this fails. */
int exec_identity_find(const UnitSettings *settings, const char *unit, const char *registry, int storage_fd,
                       ExecIdentity *ret, int *ret_exit, Reason *reason);
