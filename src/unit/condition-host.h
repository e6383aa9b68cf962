/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What conditions look at the machine, its kernel and the manager's own process for, systemd.unit(5). Each returns 1 when it is
 * so, 0 when it is not, and a negative errno when that cannot be told: -EINVAL when what is asked for is no such thing. */

#include "base/macro.h"

int condition_architecture(const char *name);
int condition_virtualization(const char *name);
/* A shell pattern for the host's name, or its machine ID. */
int condition_host(const char *name);
/* A parameter, or one with its value. */
int condition_kernel_command_line(const char *parameter);
/* Shell patterns, or operators and versions: all have to fit. */
int condition_kernel_version(const char *wanted);
int condition_kernel_module_loaded(const char *name);
int condition_security(const char *technology);
int condition_capability(const char *name);
int condition_ac_power(const char *truth);
int condition_first_boot(const char *truth);
int condition_control_group_controller(const char *names);
int condition_cpus(const char *wanted);
int condition_cpu_feature(const char *name);
int condition_memory(const char *wanted);
/* A variable of the manager, or one with its value. */
int condition_environment(const char *variable);
int condition_os_release(const char *wanted);
int condition_firmware(const char *kind);
int condition_credential(const char *name);
/* Whether the manager runs as the user or in the group. Names other than "root" are looked for in /etc/passwd and /etc/group
 * alone, since the name service may have whoever asks it wait. */
int condition_user(const char *user);
int condition_group(const char *group);
