/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Dynamic users as the manager has them: one for each name, shared by all services that name it (exec-user.h), and there as
 * long as one of them is. */

#include "manager/managed-unit.h"

typedef struct ServiceUser ServiceUser;

/* One more service has it. */
int service_user_get(Manager *manager, const char *name, ServiceUser **ret);
/* One less; with the last the number is free again, and with it all that says whose it was. */
void service_user_put(ServiceUser *user);
/* Something of it could not be removed: when the last one has let go of it, nobody else gets the number. NULL is fine. */
void service_user_note_left(ServiceUser *user);
/* As put, but that the number is kept: the manager ends, and what runs does not. */
void service_user_leave(ServiceUser *user);
bool service_user_is_last(const ServiceUser *user);
/* Whether there is a number for it: not of NULL, and not when a user of the host has that name. */
bool service_user_is_dynamic(const ServiceUser *user);
const char *service_user_name(const ServiceUser *user);

/* The socket that helpers are given; -EBADF of NULL. */
int service_user_storage(const ServiceUser *user);

/* Takes the number of a user over that a manager before had, if nobody has it yet. */
int service_user_adopt(ServiceUser *user, uid_t uid);
