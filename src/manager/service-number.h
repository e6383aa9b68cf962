/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* How many services run as a user, by its number: what users leave behind goes with the last one. */

#include "manager/managed-unit.h"

int service_number_get(Manager *manager, uid_t uid);
void service_number_put(Manager *manager, uid_t uid);
bool service_number_is_last(const Manager *manager, uid_t uid);
