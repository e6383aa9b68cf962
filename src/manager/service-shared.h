/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What services may share by JoinsNamespaceOf=: directories for temporary files, and a network. Whoever is started looks
 * whether one of those that it is tied to has it already. */

#include "exec/private-tmp.h"
#include "manager/service.h"

#define SHARED_NETWORK_PINS \
        "netns" /* below the runtime directory: a file for each, of the name shared_network_id() */

/* Those of a unit that is tied to this one, or new ones. */
int shared_tmp_get(Service *service, SharedTmp **ret, Reason *reason);
int shared_network_get(Service *service, SharedNetwork **ret);
/* Of a service that a manager before has started; the text is what shared_tmp_paths() said then. Another service may have
 * brought the same already, tied to this one or not: the one that tied them may have ended. */
int shared_tmp_adopt(Service *service, const char *tmp, const char *var_tmp, SharedTmp **ret);
/* id: what shared_network_id() said. When the namespace is lost that is said, and whoever wants to be in it fails. */
int shared_network_adopt(Service *service, const char *id, SharedNetwork **ret);

/* One less has it; NULL is fine. The directories are removed by service_clean(), before. The namespace stays to be found if
 * one of those that had it has not ended. */
void shared_tmp_put(SharedTmp *tmp);
void shared_network_put(SharedNetwork *network, bool ended);

/* NULL of NULL. */
const PrivateTmp *shared_tmp_paths(const SharedTmp *tmp);
bool shared_tmp_is_last(const SharedTmp *tmp);
/* -EBADF of NULL. */
int shared_network_storage(const SharedNetwork *network);
/* For the next manager; "" of NULL. */
const char *shared_network_id(const SharedNetwork *network);
/* A path; NULL of NULL. */
const char *shared_network_pin(const SharedNetwork *network);
