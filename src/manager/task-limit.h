/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* TasksMax=, systemd.resource-control(5): how many tasks that is on this machine. */

#include "base/macro.h"

/* Of a value as the setting has it: "100", "15%", "infinity"; NULL: not said. UINT64_MAX: no limit. */
uint64_t task_limit(const char *text);

/* The same, where there can be `all` tasks. A part of them is one at least. */
uint64_t task_limit_of(const char *text, uint64_t all);

/* How many tasks there can be, as the kernel was told. */
uint64_t task_limit_system(void);
