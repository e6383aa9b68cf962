/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Kernel command lines (kernel-command-line(7), and the kernel's admin-guide/kernel-parameters), and what in them decides
 * which root file system is mounted. */

#include "base/macro.h"

/* Splits the line into parameters. The kernel, systemd and shell scripts in initrds do not agree on what quotes are; here
 * they are left away, and protect nothing, so that no parameter is overlooked that any of them would see. */
int kernel_line_split(const char *line, char ***ret);

/* Whether the parameter is the one of this name, with its value (NULL: it has none): '-' and '_' are the same, and "rd."
 * before the name confines it to the initrd. ret_value may be NULL. */
bool kernel_parameter_is(const char *parameter, const char *name, const char **ret_value);

/* Whether a root file system that is protected by dm-verity is no more with it: another one is mounted in its place, or over
 * its /usr, or what the hash tree finds does not matter. Returns what it does, "mounts another root file system"; NULL: it
 * does no harm. The root hash itself is no such parameter. */
const char *kernel_parameter_defeats_verity(const char *parameter);
