/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The image of a configuration in a virtual machine on the terminal: the verb qemu. No privilege is needed for it. */

#include "base/reason.h"
#include "config/config-load.h"
#include "run/qemu.h"

typedef struct VirtualMachine {
        const LoadedConfig *loaded;
        const QemuTarget *target;
        char *program;
        Firmware firmware;
} VirtualMachine;

/* Checks that the image which the configuration describes can boot, and looks for what this host needs for
 * that; the image need not be there yet. All reasons against it are logged at once. */
int virtual_machine_new(const LoadedConfig *loaded, VirtualMachine **ret);
void virtual_machine_free(VirtualMachine *machine);
DEFINE_CLEANUP(VirtualMachine, virtual_machine_free)

/* Becomes the virtual machine: this process is the emulator's then, with its exit status. The words go behind
 * all arguments. Returns when that is not possible, which was logged. */
int virtual_machine_start(const VirtualMachine *machine, const char *const *words, mode_t caller_umask);
