/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* When a process of a service gets the processor, which one, and the disk. Everything changes this process; what is not said
 * stays as it is. */

#include "base/reason.h"
#include "unit/unit-settings.h"

/* CPUSchedulingPolicy=, CPUSchedulingPriority=, CPUSchedulingResetOnFork=. */
int exec_cpu_policy_set(const UnitSettings *settings, Reason *reason);

/* CPUAffinity=: -EINVAL with a reason for what are no numbers and ranges; lines add up. */
int exec_cpu_affinity_set(const UnitSettings *settings, Reason *reason);

/* IOSchedulingClass=, IOSchedulingPriority=. */
int exec_io_priority_set(const UnitSettings *settings, Reason *reason);

/* TimerSlackNSec=. */
int exec_timer_slack_set(const UnitSettings *settings, Reason *reason);
