/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Users that exist as long as a service needs them (DynamicUser=): a name, and a number that nobody else has. The registry is
 * a directory, laid out as that of systemd, so that both can share one:
 *
 *     NUMBER          a file with the name and a newline, mode 0600; who has the user holds an exclusive flock(2) on it
 *     direct:NUMBER   a link that leads to the name
 *     direct:NAME     a link that leads to the number
 *     left:NUMBER     a link that leads to a name: files of that user are left, and nobody else gets the number
 *
 * A user whose lock nobody holds does not exist, whatever lies there; what a crash left behind is taken over or removed by
 * the next who gets there. Services may still run with such a number: who has started them adopts it before anybody asks
 * for a new one. The links are what the NSS module reads, and are there for everybody; one counts if the other leads back.
 * Whoever changes anything holds an exclusive flock(2) on the directory meanwhile. */

#include "base/macro.h"
#include "base/reason.h"

#define DYNAMIC_USER_FIRST 61184 /* 0xef00 */
#define DYNAMIC_USER_LAST  65519 /* 0xffef */

/* The number that a name is tried with first: the same on every machine. */
uid_t dynamic_user_hash(const char *name);

typedef struct DynamicUserWish {
        int registry_fd;  /* of the directory */
        const char *name; /* valid as by user-name.h */
        /* To be tried before the hash: owners of the service's directories, in order. */
        const uid_t *candidates;
        size_t n_candidates;
        uid_t first, last; /* the range; zero: DYNAMIC_USER_FIRST to DYNAMIC_USER_LAST */
        /* Whether a number is somebody's in another way than by the registry: 1, 0, or an error; NULL: never. Nobody else
         * gets at the registry meanwhile. */
        int (*is_taken)(uid_t uid, void *userdata);
        void *userdata;
} DynamicUserWish;

typedef struct DynamicUser {
        char *name;
        uid_t uid;
        int lock_fd; /* the user exists until it is released, or until the last copy of this is closed */
} DynamicUser;

/* Takes a number for the name: candidates, the hash, any that is free. -EBUSY when all are taken, -EEXIST when there is a
 * user of that name. The links are in place when this returns. */
int dynamic_user_acquire(const DynamicUserWish *wish, DynamicUser *ret, Reason *reason);

/* Takes over a number whose holder died, with the name that it had: a service of it may still be running. -EBUSY when
 * somebody holds it, -EEXIST when somebody has the name, -ENOENT when it is nobody's. */
int dynamic_user_adopt(int registry_fd, uid_t uid, DynamicUser *ret);

/* Removes what is in the registry, and lets the number go. The last step of a service's end. */
void dynamic_user_release(int registry_fd, DynamicUser *user);
/* The same, but that files of the user are left somewhere: the number is for the name alone, until it is released well. */
void dynamic_user_leave(int registry_fd, DynamicUser *user);
/* Frees, and closes the lock; the registry stays as it is. */
void dynamic_user_done(DynamicUser *user);
