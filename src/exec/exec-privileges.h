/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a process of a service is and may do: how urgent it is, what it may use, who it is, which capabilities it has.
 * Everything changes this process. */

#include "exec/exec-user.h"
#include "unit/unit-settings.h"

/* Nice=. */
int exec_nice_set(const UnitSettings *settings, Reason *reason);

/* OOMScoreAdjust=. 1 with a reason when it had to be left as it is: without CAP_SYS_RESOURCE nobody gets less likely to be
 * killed. */
int exec_oom_score_set(const UnitSettings *settings, Reason *reason);

/* LimitX=: what cannot be raised without CAP_SYS_RESOURCE is as high as it may be. */
int exec_limits_set(const UnitSettings *settings, Reason *reason);

/* The capabilities that a service may have at most, and those that it has though it is not root: bit n is capability n. */
typedef struct ExecCapabilities {
        bool bounded; /* CapabilityBoundingSet= was said, or something that takes a capability away */
        uint64_t bounding, ambient;
        unsigned secure_bits; /* SecureBits=, as for prctl(2); 0: none */
} ExecCapabilities;

/* Lines that begin with "~" take away what is named; if they are the first, from all there are. PrivateDevices= and the like
 * take away what would get around them. -EINVAL with a reason for a name that is none. */
int exec_capabilities_read(const UnitSettings *settings, ExecCapabilities *ret, Reason *reason);
int exec_ambient_clear(Reason *reason);
/* Bounds what is inheritable, too. */
int exec_bounding_set(const ExecCapabilities *capabilities, Reason *reason);

/* The group and the supplementary groups; needs CAP_SETGID. */
int exec_groups_set(const ExecIdentity *identity, Reason *reason);
/* The user, who has the ambient capabilities and no other unless it is root; and the secure bits, of which *ret_secure_bits
 * tells that it was them that could not be had. */
int exec_user_set(const ExecIdentity *identity, const ExecCapabilities *capabilities, bool *ret_secure_bits,
                  Reason *reason);
