/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What keeps a process of a service apart from others beside what it sees and may call: personality, keys, users.
 * Everything changes this process. */

#include "exec/exec-user.h"
#include "unit/unit-settings.h"

/* Personality=. -EINVAL with a reason for an architecture that this processor cannot pose as. */
int exec_personality_set(const UnitSettings *settings, Reason *reason);
/* The personality of this process, which LockPersonality= keeps. */
uint32_t exec_personality_get(void);

/* KeyringMode=: unless it is inherited, a new session keyring, which belongs to the user of the service. Where the kernel
 * has no keys, or does not let this process have any, there are none to be kept apart. */
int exec_keyring_join(const UnitSettings *settings, const ExecIdentity *identity, Reason *reason);

/* Enters the namespace of the kind (CLONE_NEW…) that the file at the path is; nothing is done without a path. It is opened anew
 * for each process. -EINVAL with a reason for a file that is no such namespace. */
int exec_namespace_join(const char *name, const char *path, int kind, const char *unit, Reason *reason);

/* PrivateUsers=: a user namespace in which root and the user are themselves, and all others are nobody; or the first 65536
 * are themselves. Groups have to be set before, as they cannot be any more. This process has all capabilities in there,
 * and none outside. */
int exec_user_namespace_enter(const UnitSettings *settings, const ExecIdentity *identity, Reason *reason);
