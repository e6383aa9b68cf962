/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What units may want to know of the machine that the manager runs on. */

#include "base/macro.h"

/* "x86-64", "arm64": as units call it. -ENODATA when it has no name there. */
int host_architecture(char **ret);
/* Whether units know an architecture of that name. */
bool host_architecture_is_known(const char *name);
/* uname(2): "debian.example.org". */
int host_name(char **ret);
/* 32 hexadecimal digits each: machine-id(5), and of this boot. */
int host_machine_id(char **ret);
int host_boot_id(char **ret);
/* A field of the os-release(5) of the host; of one that is not there the default, which is "" of all but ID=. */
int host_os_field(const char *name, char **ret);
/* machine-info(5): PRETTY_HOSTNAME=; the host's name where there is none. */
int host_pretty_name(char **ret);

/* What the machine is in, as systemd-detect-virt(1) calls it: "docker", "kvm"; NULL: in nothing that is known. What cannot
 * be named is "container-other" or "vm-other". The container counts that is the innermost. */
const char *host_container(void);
const char *host_machine(void);
/* Whether users have other numbers outside. */
bool host_has_private_users(void);
